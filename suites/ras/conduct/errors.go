package conduct

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// rejected declares a check that looks at the answer to an ID-JAG with a spoiled signature.
func rejected(slug, title string, judge func(t *server.T, a *wire.Answer, assertion string), options ...check.Option) {
	sends := check.Sends("An ID-JAG with a spoiled signature, after an honest one as control")
	server.It(slug, title, func(t *server.T) {
		t.Control(t.Grant())
		assertion := hostile.FlipSignature(hostile.Sign(t.Grant()))
		a := t.Attack(assertion)
		Expect(a).To(server.BeRefused())
		judge(t, a, assertion)
	}, append(options, sends)...)
}

// basicChallenge finds the scheme Basic among others, which may stand before it (RFC 9110 11.6.1).
var basicChallenge = regexp.MustCompile(`(?i)(?:^|,)\s*basic(?:\s|,|$)`)

// allowed are the characters of error and error_description (RFC 6749 5.2).
var allowed = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]*$`)

var _ = check.For("RAS-ERR-SHAPE", func() {
	rejected("status", "refuses with status 400", func(_ *server.T, a *wire.Answer, _ string) {
		Expect(a).To(server.BeStatus(http.StatusBadRequest), "RFC 6749 5.2")
	})
	rejected("media-type", "refuses with application/json", func(_ *server.T, a *wire.Answer, _ string) {
		Expect(a.MediaType()).To(Equal("application/json"), "the media type of an error response (RFC 6749 5.2)")
	})
	rejected("code", "calls a bad assertion invalid_grant", func(_ *server.T, a *wire.Answer, _ string) {
		Expect(a).To(server.BeRefused(server.InvalidGrant), "RFC 7521 4.1.1")
	})
	rejected("no-store", "forbids caches to keep an error", func(t *server.T, a *wire.Answer, _ string) {
		if !server.NoStore(a) {
			t.Failf("expected Cache-Control: no-store, as the examples of RFC 6749 5.2 have it, but saw %q",
				strings.Join(a.Header.Values("Cache-Control"), ", "))
		}
	}, check.Should())
	rejected("quotes-no-token", "quotes nothing of what it refuses", func(t *server.T, a *wire.Answer, assertion string) {
		var header bytes.Buffer
		_ = a.Header.Write(&header)
		parts := strings.Split(assertion, ".")
		for _, secret := range []string{assertion, parts[1], parts[2]} {
			if strings.Contains(string(a.Body)+header.String(), secret) {
				t.Failf("the error quotes the assertion: what a client logs of an error must not hold a credential " +
					"(proposed for EMA 7.4.2)")
			}
		}
	}, check.By("EMA proposal §7.4.2"))

	server.It("description", "keeps to the characters that an error may have, whatever was sent", func(t *server.T) {
		t.Control(t.Grant())
		a := t.Attack(t.Grant(), server.Param("grant_type", "\"\\\n\u2603"))
		Expect(a).To(server.BeRefused())
		for _, name := range []string{"error", "error_description"} {
			if text := a.String(name); !allowed.MatchString(text) {
				t.Failf("expected printable ASCII without quote and backslash in %s (RFC 6749 5.2), but saw %s",
					name, server.DescribeMember(a, name))
			}
		}
	}, check.Sends("A grant_type of a quote, a backslash, a line break and a snowman, after an honest request as control"))

	server.It("invalid-client", "answers wrong Basic credentials with 401 and a challenge", func(t *server.T) {
		c := t.ClientBy(target.ClientSecretBasic)
		t.Control(server.GrantFor(t, c), server.As(c))
		a := t.Attack(server.GrantFor(t, c), server.As(server.Impostor(c, c.ID, c.Secret+"x")))
		Expect(a).To(server.BeStatus(http.StatusUnauthorized), "RFC 6749 5.2")
		if challenge := strings.Join(a.Header.Values("WWW-Authenticate"), ", "); !basicChallenge.MatchString(challenge) {
			t.Failf("expected WWW-Authenticate with Basic, as the client used it (RFC 6749 5.2), but saw %q", challenge)
		}
	}, check.With(server.NeedsClientAuth(target.ClientSecretBasic)),
		check.Sends("A client with a wrong secret in the Authorization header, after the right one as control"))
})

// garbage is an assertion that is no ID-JAG in any sense. Unlike a forged one it tests the parser.
type garbage struct {
	slug, what string
	make       func(t *server.T, honest *server.Token) string
	options    []check.Option
	readable   bool // it is valid JSON with a subject that nobody knows, who may get an account of his own
}

// payload signs these bytes as the payload of an otherwise honest ID-JAG.
func payload(raw string) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string {
		return hostile.SignBytes(honest.Key, server.JSONOf(honest.Header), []byte(raw))
	}
}

// header signs these bytes as the header.
func header(raw string) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string {
		return hostile.SignBytes(honest.Key, []byte(raw), server.JSONOf(honest.Claims))
	}
}

// subEnding puts these bytes, as they are, at the end of the text of sub.
func subEnding(raw string) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string {
		const mark = "emaconform-mark"
		delete(honest.Claims, "email") // only the subject may find an account
		honest.Claims["sub"] = fmt.Sprint(honest.Claims["sub"], mark)
		claims := bytes.Replace(server.JSONOf(honest.Claims), []byte(mark), []byte(raw), 1)
		return hostile.SignBytes(honest.Key, server.JSONOf(honest.Header), claims)
	}
}

func literal(s string) func(*server.T, *server.Token) string {
	return func(*server.T, *server.Token) string { return s }
}

var oversized = []check.Option{check.Intrusive()}

var garbages = []garbage{
	{slug: "segments-empty", what: "an assertion of three empty segments", make: literal("..")},
	{slug: "segments-1", what: "an assertion of one segment", make: literal(hostile.Segments(1))},
	{slug: "segments-2", what: "an assertion of two segments", make: func(_ *server.T, honest *server.Token) string {
		return hostile.CutSignature(hostile.Sign(honest))
	}},
	{slug: "segments-4", what: "an assertion of four segments", make: func(_ *server.T, honest *server.Token) string {
		return hostile.Sign(honest) + ".e30"
	}},
	{slug: "segments-5", what: "an assertion of five segments that is no JWE", make: literal(hostile.Segments(5))},
	{slug: "segments-10000", what: "an assertion of 10,000 segments", make: literal(hostile.Segments(10000)),
		options: oversized},
	{slug: "not-base64url", what: "an assertion that is not base64url", make: literal("!!!!.!!!!.!!!!")},
	{slug: "header-not-json", what: "an assertion whose header is not JSON", make: header("{alg:RS256")},
	{slug: "header-array", what: "an assertion whose header is an array", make: header("[]")},
	{slug: "payload-not-json", what: "a signed assertion whose payload is not JSON", make: payload("{iss:")},
	{slug: "payload-array", what: "a signed assertion whose payload is an array", make: payload("[]")},
	{slug: "payload-string", what: "a signed assertion whose payload is a string", make: payload(`"iss"`)},
	{slug: "payload-null", what: "a signed assertion whose payload is null", make: payload("null")},
	{slug: "nul-raw", what: "a signed assertion whose sub ends in a NUL byte", make: subEnding("\x00")},
	{slug: "nul-escaped", what: "a signed assertion whose sub ends in an escaped NUL", make: subEnding(`\u0000`),
		readable: true},
	{slug: "invalid-utf8", what: "a signed assertion whose sub is not UTF-8", make: subEnding("\xff")},
	{slug: "nested", what: "a signed assertion nested 10,000 levels deep", make: payload(string(hostile.Nested(10000))),
		options: oversized},
}

var _ = check.For("RAS-ERR-500", func() {
	for _, g := range garbages {
		server.It(g.slug, "answers "+g.what+" with an OAuth error", func(t *server.T) {
			alice := t.Control(t.Grant())
			a := t.Attack(g.make(t, t.Grant()))
			if g.readable && server.Granted(a) {
				server.ExpectNobodyElse(t, a, alice)
				return
			}
			server.ExpectOAuthError(t, a)
			server.ExpectRefused(t, a)
		}, append([]check.Option{check.Sends(check.Sentence(g.what) + ", after an honest ID-JAG as control")},
			g.options...)...)
	}

	server.It("256-kib", "answers an ID-JAG of 256 KiB", func(t *server.T) {
		t.Control(t.Grant())
		a := t.Attack(t.Grant(server.Set("padding", strings.Repeat("x", 192<<10)))) // base64 makes it 256
		if server.Granted(a) {
			t.Notef("granted: no document bounds the size of an assertion")
			return
		}
		if a.Status != http.StatusRequestEntityTooLarge {
			server.ExpectOAuthError(t, a)
		}
	}, check.Intrusive(), check.Sends("An ID-JAG with a claim of 192 KiB, after an honest one as control"),
		check.Expects("The target grants or refuses it, with an OAuth error or HTTP 413; it does not break."))
})
