package idp

import (
	"encoding/base64"
	"fmt"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// document is a valid assertion as XML.
func document(t *T, from string) []byte { return assertion(t, do(t, from, t.Alice().Login)) }

// assertion is what a hook printed or a file holds, XML or base64 of it, as XML.
func assertion(t *T, text string) []byte {
	raw := []byte(text)
	if !strings.HasPrefix(text, "<") {
		plain := strings.NewReplacer("-", "+", "_", "/", "=", "", "\n", "", "\r", "").Replace(text)
		var err error
		if raw, err = base64.RawStdEncoding.DecodeString(plain); err != nil {
			t.Inconclusivef("saml: expected an assertion, as XML or as base64 of it")
		}
	}
	if !hostile.IsAssertion(raw) {
		t.Inconclusivef("saml: expected an Assertion element with a NameID and a signature; a whole Response is none")
	}
	return raw
}

// asserting presents an assertion as subject.
func asserting(t *T, document []byte) Option {
	return func(x *Exchange) {
		Subject(base64.RawURLEncoding.EncodeToString(document))(x)
		Param("subject_token_type", TypeSAML)(x)
		if t.Config.SAML.Refresh {
			for _, name := range []string{"audience", "resource"} {
				Without(name)(x)
			}
			Param("requested_token_type", TypeRefresh)(x)
			Param("scope", "openid offline_access")(x)
		}
	}
}

// subjectBehind is sub of the ID-JAG that an answer to an assertion leads to.
func subjectBehind(t *T, a *wire.Answer) string {
	if t.Config.SAML.Refresh {
		return t.Control(refreshing(a.String("access_token"))).String("sub")
	}
	g, _ := t.Read(a)
	return g.String("sub")
}

// besideAssertion has an attack sent between two valid assertions that are granted. want is sub of what they lead to.
func besideAssertion(t *T, attack func() *wire.Answer) (want string, attacked *wire.Answer) {
	control, attacked := t.BesideKind("assertion", Granted, func(t *T) *wire.Answer {
		a := t.Exchange(asserting(t, document(t, t.Config.SAML.Assertion)))
		if Granted(a) && t.Config.SAML.Refresh {
			return t.Exchange(refreshing(a.String("access_token")))
		}
		return a
	}, attack)
	g, _ := t.Read(control)
	return g.String("sub"), attacked
}

// forgedName is whom a forged assertion names: another user, where one is known.
func forgedName(t *T) string {
	if bob := t.Bob(); bob != nil {
		return bob.Login
	}
	return "somebody.else@" + strings.TrimPrefix(t.Alice().Login[strings.LastIndexByte(t.Alice().Login, '@')+1:], "@")
}

var _ = check.For("IDP-SUBJECT-SAML", func() {
	needs := check.With(NeedsSAML)
	It("granted", "takes a valid assertion and names the same user as for an ID token", func(t *T) {
		want, a := besideAssertion(t, func() *wire.Answer { return t.Exchange() })
		if !Granted(a) {
			t.Inconclusivef("the honest exchange was not granted: %s", a.Summary())
		}
		g, _ := t.Read(a)
		Expect(want).To(Equal(g.String("sub")), "sub of the grant for an assertion, compared with that for an ID token")
	}, needs, check.Must(), check.Sends("A valid assertion."))

	forge := func(slug, what string, change func(*T, []byte) []byte, options ...check.Option) {
		It(slug, "refuses "+what, func(t *T) {
			_, a := besideAssertion(t, func() *wire.Answer {
				return t.Attack(asserting(t, change(t, document(t, t.Config.SAML.Assertion))))
			})
			Expect(a).To(server.BeRefused())
		}, append([]check.Option{needs, check.Must(), check.Sends("A valid assertion, then " + what + ".")}, options...)...)
	}
	forge("unsigned", "an assertion without its signature", func(_ *T, d []byte) []byte {
		return hostile.StripSignature(d)
	})
	forge("changed", "an assertion with another name under the signature", func(t *T, d []byte) []byte {
		return hostile.WithNameID(d, forgedName(t))
	})
	forge("doctype", "an assertion with a document type and an external entity", func(_ *T, d []byte) []byte {
		return hostile.ExternalEntity(d, "file:///etc/hostname")
	})
	forge("entities", "an assertion whose entities unfold to a gigabyte", func(_ *T, d []byte) []byte {
		return hostile.EntityBomb(d)
	}, check.Intrusive())
	for n := 1; n <= hostile.XSWVariants; n++ {
		forge(fmt.Sprintf("wrapped-%d", n), fmt.Sprintf("an assertion that is wrapped around the signed one (%s)",
			wrappings[n-1]),
			func(t *T, d []byte) []byte { return hostile.XSW(d, n, forgedName(t)) })
	}
	It("comment", "reads the whole name of an assertion with a comment in it, or refuses it", func(t *T) {
		want, a := besideAssertion(t, func() *wire.Answer {
			d := document(t, t.Config.SAML.Assertion)
			return t.Exchange(asserting(t, hostile.CommentNameID(d, min(3, len(hostile.NameID(d))))))
		})
		if Granted(a) {
			Expect(subjectBehind(t, a)).To(Equal(want), "sub of an assertion with a comment in its NameID")
		}
	}, needs, check.Must(), check.Sends("A valid assertion, then one with a comment in its NameID, which the "+
		"signature allows."))
	It("replayed", "refuses an assertion that it has taken before", func(t *T) {
		d := document(t, t.Config.SAML.Assertion)
		if a := t.Exchange(asserting(t, d)); !Granted(a) {
			t.Inconclusivef("the valid assertion was not granted: %s", a.Summary())
		}
		Expect(t.Attack(asserting(t, d))).To(server.BeRefused(), "RFC 7522 3: may remember them")
	}, needs, check.Should(), check.Sends("The same assertion, twice."))

	for _, other := range []struct {
		slug, what, key string
		of              func(*World) string
	}{
		{"other-audience", "an assertion for another application", "saml.other_audience", func(w *World) string {
			return w.Config.SAML.OtherAudience
		}},
		{"other-recipient", "an assertion for another recipient", "saml.other_recipient", func(w *World) string {
			return w.Config.SAML.OtherRecip
		}},
		{"expired", "an assertion that has expired", "saml.expired", func(w *World) string { return w.Config.SAML.Expired }},
	} {
		It(other.slug, "refuses "+other.what, func(t *T) {
			_, a := besideAssertion(t, func() *wire.Answer { return t.Attack(asserting(t, document(t, other.of(t.World)))) })
			Expect(a).To(server.BeRefused())
		}, check.With(NeedsHook(other.key, other.of)), check.Must(), check.Sends("A valid assertion, then "+other.what+"."))
	}
})

// wrappings says where each variant of package hostile puts the signed assertion.
var wrappings = [hostile.XSWVariants]string{
	"within the forged one's signature", "at the end, with its signature behind it", "as first child", "as last child",
	"at the end, its signature in the forged one's place", "within KeyInfo", "within Advice",
	"within the signature's Object",
	"outside, the forged one within its signature's Object", "as last child with the same ID",
}
