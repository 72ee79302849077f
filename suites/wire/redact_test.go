package wire_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/wire"
)

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

var (
	grant = encode(`{"alg":"RS256","typ":"oauth-id-jag+jwt"}`) + "." + encode(`{"sub":"alice","jti":"1"}`) + "." +
		encode(strings.Repeat("s", 64))
	bearer = "opaque-access-token-0123456789"
	secret = "s3cr3t/with+signs"
)

// A target that answers with everything it got: nothing of it may be in the record.
func TestNoSecretIsRecorded(t *testing.T) {
	g := NewWithT(t)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Echo", r.Form.Get("assertion"))
		w.Header().Set("Set-Cookie", "session=tell-nobody; HttpOnly")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"access_token": bearer, "error_description": "cannot take " + r.Form.Encode(), "you": r.Header.Get("Authorization"),
		})
	})
	r := &wire.Request{URL: url + "/token?assertion=" + grant,
		Header: http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("me:"+secret))}}}
	r.AddField("assertion", grant)
	r.AddField("client_secret", secret)
	r.AddField("scope", "notes.read")
	rec := wire.NewRecorder(nil)
	rec.Hide(secret, "secret of client me")
	a := client(t, wire.Bounds{}).Do(t.Context(), r, rec, reports.Attack, "")
	g.Expect(a.String("access_token")).To(Equal(bearer), "the check itself sees it")

	raw, err := json.Marshal(rec.Exchanges())
	g.Expect(err).NotTo(HaveOccurred())
	record := string(raw)
	parts := strings.Split(grant, ".")
	for _, hidden := range []string{grant, parts[2], bearer, secret, "s3cr3t%2Fwith%2Bsigns",
		base64.StdEncoding.EncodeToString([]byte("me:" + secret)), "tell-nobody"} {
		g.Expect(strings.Contains(record, hidden)).To(BeFalse(), "a secret is in the record")
	}
	g.Expect(record).To(ContainSubstring("‹id-jag 1›"))
	g.Expect(record).To(ContainSubstring("notes.read"))

	exchange := rec.Exchanges()[0]
	g.Expect(exchange.Tokens).To(ContainElement(HaveField("Claims", ContainSubstring(`"sub": "alice"`))))
	g.Expect(exchange.Tokens).To(ContainElement(HaveField("Note", "signature cut, 86 characters")))
	g.Expect(rec.Scrub("saw " + grant + " and " + bearer)).To(Equal("saw ‹id-jag 1› and ‹access token 1›"))
}

func TestDecodeDescribesWhatItCannotDecode(t *testing.T) {
	for token, want := range map[string]reports.Token{
		"just-a-string":                  {Note: "opaque, 13 characters"},
		encode("{}") + "." + encode("x"): {Header: "{}", Claims: "x", Note: "no signature part"},
		"!!." + encode(`{"a":1}`) + ".": {Header: "not base64url, 2 characters",
			Claims: "{\n  \"a\": 1\n}", Note: "empty signature"},
		encode("{}") + ".a.b.c.d":                      {Header: "{}", Note: "encrypted (JWE)"},
		encode("{}") + "." + encode("{}") + ".c.d.e.f": {Header: "{}", Claims: "{}", Note: "6 parts"},
	} {
		NewWithT(t).Expect(wire.Decode(token)).To(Equal(want), "token %q", token)
	}
}

func TestPrintableTamesHostileText(t *testing.T) {
	NewWithT(t).Expect(wire.Printable("a\x1b[31mb\r\nc\u2028d", 100)).To(Equal(`a\u001b[31mb c d`))
	NewWithT(t).Expect(wire.Printable("abcdef", 3)).To(Equal("ab…"))
}

// A Location that is no URL is an answer like any other, and the code in it is hidden.
func TestALocationThatIsNoURLKeepsItsCode(t *testing.T) {
	g := NewWithT(t)
	const code = "a-code-that-is-worth-a-session"
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "%68ttps://client.example/cb?state=1&code="+code)
		w.WriteHeader(http.StatusFound)
	})
	rec := wire.NewRecorder(nil)
	a := client(t, wire.Bounds{}).Do(t.Context(), &wire.Request{URL: url}, rec, reports.Setup, "")
	g.Expect(a.Err).NotTo(HaveOccurred())
	g.Expect(a.Header.Get("Location")).To(ContainSubstring(code), "the check itself sees it")
	raw, err := json.Marshal(rec.Exchanges())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(raw)).To(ContainSubstring("Location"))
	g.Expect(strings.Contains(string(raw), code)).To(BeFalse(), "the code is in the record")
}
