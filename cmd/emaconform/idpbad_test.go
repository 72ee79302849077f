package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/idp/bare"
)

// A password and a token that must turn up nowhere.
const (
	badPassword = "p4ssword-of-alice"
	badToken    = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"
)

func htmlPage(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, text)
	}
}

// shows has the sign-in page be this one.
func shows(text string) map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{"/authorize": htmlPage(text)}
}

func throttles(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "3600")
	w.WriteHeader(http.StatusTooManyRequests)
}

// refuses answers with an error of OAuth.
func refuses(status int, code, description string) http.HandlerFunc {
	return bare.JSON(status, map[string]string{"error": code, "error_description": description})
}

// Whatever keeps people from signing in, and grants from being issued, is told in one message that says what to do, and
// no output has a password or a token in it.
func TestWhatKeepsAnIdentityProviderFromBeingJudged(t *testing.T) {
	const form = `sign_in: {form: {password: "` + badPassword + `"}}`
	login := htmlPage(`<form method=post action="/login"><input name=user><input type=password name=pw></form>`)
	tokens := filepath.Join(t.TempDir(), "alice.json")
	if err := os.WriteFile(tokens, []byte(`{"id_token":"`+badToken+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		handlers map[string]http.HandlerFunc
		signIn   string
		want     []string
	}{
		"a command that prints no token response": {nil, "sign_in: {command: 'echo " + badToken + "'}",
			[]string{"it is no token response", "Correct sign_in of alice"}},
		"a command that hangs": {nil, "sign_in: {command: 'sleep 600'}",
			[]string{"took longer than 1s (timing.sign_in)"}},
		"a command that fails": {nil, "sign_in: {command: 'echo no " + badToken + " >&2; exit 4'}",
			[]string{"exit status 4", "no ‹"}},
		"a form that never ends": {
			shows(`<form method=post action="/authorize"><input type=hidden name=x value=y></form>`),
			form, []string{"no end after 20 pages", "attended"}},
		"a captcha": {shows(`<form method=post><input name=user><div class="h-captcha"></div></form>`),
			form, []string{"asks for a captcha", "Use sign_in: attended"}},
		"a second factor": {map[string]http.HandlerFunc{"/authorize": login,
			"/login": htmlPage(`<form method=post><input name=otp></form>`)},
			form, []string{"asks for a second factor", "Use sign_in: attended"}},
		"a wrong password": {map[string]http.HandlerFunc{"/authorize": login, "/login": login}, form,
			[]string{"the password was not accepted", "not tried again, lest the account be locked"}},
		"a page of script": {
			shows(`<title>Sign in</title><div id=app>Loading</div><script src=app.js></script>`),
			form, []string{"it ended on a page of the identity provider", "Loading",
				"It needs JavaScript: use sign_in: attended"}},
		"an endpoint elsewhere": {map[string]http.HandlerFunc{
			bare.Metadata: bare.JSON(200, map[string]string{"issuer": "https://acme.example",
				"authorization_endpoint": "https://acme.example/authorize", "jwks_uri": "https://acme.example/keys",
				"token_endpoint": "https://elsewhere.example/token"})}, form,
			[]string{"no secret goes to acme.example", "Nothing was sent there", "allowed_hosts"}},
		"sign-in is throttled": {map[string]http.HandlerFunc{"/authorize": throttles}, form,
			[]string{"429 Too Many Requests", "--workers 1"}},
		"exchanges are throttled": {map[string]http.HandlerFunc{"/token": throttles}, "sign_in: {tokens: " + tokens + "}",
			[]string{"429", "Raise its rate limit for the test clients"}},
		"an agent that is not active": {map[string]http.HandlerFunc{"/token": refuses(401, "invalid_client", "")},
			"sign_in: {tokens: " + tokens + "}",
			[]string{"The client or agent is not active, or its credentials or public key"}},
		"a session from before": {map[string]http.HandlerFunc{
			"/token": refuses(400, "invalid_grant", "the session of the subject token has expired")},
			"sign_in: {tokens: " + tokens + "}", []string{"The subject token has expired", "Sign alice in again"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			dir := t.TempDir()
			issuer := bare.Start(t, c.handlers)
			file := filepath.Join(dir, "idp.yaml")
			patience := "60s"
			if strings.Contains(name, "hangs") {
				patience = "1s"
			}
			g.Expect(os.WriteFile(file, []byte(`idp: {issuer: '`+issuer+`'}
timing: {sign_in: `+patience+`}
clients: [{id: a, secret: s3cret-s3cret-s3cret, redirect_uri: "https://a.example/cb"}]
targets: [{audience: "https://as.example"}]
users:
  - login: alice
    `+c.signIn+"\n"), 0o600)).To(Succeed())
			var out, errs bytes.Buffer
			code := execute(t.Context(), []string{"idp", "--config", file, "--out", filepath.Join(dir, "reports")}, &out, &errs)
			g.Expect(code).To(Equal(3), out.String()+errs.String())
			text := unwrapped(out.String() + errs.String())
			for _, want := range c.want {
				g.Expect(text).To(ContainSubstring(want))
			}
			files, err := filepath.Glob(filepath.Join(dir, "reports", "*"))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(files).NotTo(BeEmpty())
			for _, path := range files {
				raw, err := os.ReadFile(path)
				g.Expect(err).NotTo(HaveOccurred())
				text += string(raw)
			}
			for _, secret := range []string{badPassword, badToken, "s3cret-s3cret"} {
				g.Expect(strings.Contains(text, secret)).To(BeFalse(), "a secret is in the output or a report")
			}
		})
	}
}
