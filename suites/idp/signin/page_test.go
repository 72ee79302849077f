package signin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

const (
	redirect = "https://client.example/cb"
	password = "correct horse battery staple"
)

// provider is an identity provider whose login pages a test writes. It redeems every code.
type provider struct {
	*httptest.Server
	mux    *http.ServeMux
	tokens atomic.Int32
}

func newProvider(t *testing.T) *provider {
	p := &provider{mux: http.NewServeMux()}
	p.mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		if id != "a" || secret != "s3cret-of-a" || r.PostFormValue("code_verifier") == "" ||
			r.PostFormValue("redirect_uri") != redirect {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_grant"}`)
			return
		}
		fmt.Fprintf(w, `{"id_token":"eyJhbGciOiJub25lIn0.eyJzdWIiOiIlZCJ9.c2ln%d","refresh_token":"refresh-token-%[1]d"}`,
			p.tokens.Add(1))
	})
	p.Server = httptest.NewServer(p.mux)
	t.Cleanup(p.Close)
	return p
}

// page serves an HTML page.
func (p *provider) page(pattern, html string) {
	p.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, strings.ReplaceAll(html, "{query}", strings.ReplaceAll(r.URL.RawQuery, "&", "&amp;")))
	})
}

// back sends the browser back to the client.
func back(w http.ResponseWriter, r *http.Request) {
	q := url.Values{"code": {"the-code-of-this-sign-in"}, "state": {r.FormValue("state")}}
	http.Redirect(w, r, redirect+"?"+q.Encode(), http.StatusFound)
}

func (p *provider) desk() (*Desk, Ask) {
	c := &config.Config{
		IdP: config.IdP{Issuer: p.URL},
		Clients: []config.Client{{Client: target.Client{ID: "a", Auth: "client_secret_basic", Secret: "s3cret-of-a"},
			RedirectURI: redirect}},
		Users: []config.User{{Login: "alice@acme.example", SignIn: config.SignIn{Form: &config.Form{
			Username: "alice@acme.example", Password: password}}}},
		Timing: config.Timing{SignIn: time.Minute},
	}
	d := &Desk{Config: c, Wire: wire.NewClient(wire.Bounds{}, nil),
		Endpoints: Endpoints{Issuer: p.URL, Authorization: p.URL + "/authorize", Token: p.URL + "/token"}}
	return d, Ask{User: &c.Users[0], Client: &c.Clients[0]}
}

// signIn signs Alice in and fails the test when a secret is left in what was recorded or said.
func (p *provider) signIn(t *testing.T) (Tokens, error) {
	t.Helper()
	d, ask := p.desk()
	return recorded(t, d, ask)
}

func recorded(t *testing.T, d *Desk, ask Ask) (Tokens, error) {
	t.Helper()
	rec := wire.NewRecorder(nil)
	tokens, err := d.Tokens(t.Context(), rec, ask)
	raw, problem := json.Marshal(rec.Exchanges())
	if problem != nil {
		t.Fatal(problem)
	}
	text := string(raw)
	if err != nil {
		text += rec.Scrub(err.Error())
	}
	for _, secret := range []string{password, url.QueryEscape(password), "s3cret-of-a", "the-code-of-this-sign-in",
		"refresh-token-1"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q was recorded", secret)
		}
	}
	return tokens, err
}

func TestOneFormWithAToken(t *testing.T) {
	g, p := NewWithT(t), newProvider(t)
	p.mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "abcdefghijklmnopqrstuvwxyz", Path: "/"})
		http.Redirect(w, r, "/login?"+r.URL.RawQuery, http.StatusFound)
	})
	p.page("GET /login", `<form method=post action="/login?{query}"><input type=hidden name=csrf value=xyz>
		<input type=text name=user_name><input type=password name=pw>
		<button name=go value=cancel>Cancel</button><button name=go value=in>Sign in</button></form>`)
	p.mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("session")
		if err != nil || cookie.Value != "abcdefghijklmnopqrstuvwxyz" || r.FormValue("csrf") != "xyz" ||
			r.FormValue("user_name") != "alice@acme.example" ||
			r.FormValue("pw") != password || r.FormValue("go") != "in" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		back(w, r)
	})
	tokens, err := p.signIn(t)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tokens.RefreshToken).To(Equal("refresh-token-1"))
}

func TestNameThenPasswordThenConsentThenAFormThatPostsBack(t *testing.T) {
	g, p := NewWithT(t), newProvider(t)
	p.page("GET /authorize", `<form method=post action="/name?{query}">
		<label>Your address <input type=email name=identifier></label><input type=submit></form>`)
	p.page("POST /name", `<form method=post action="/password?{query}">
		<input type=password name=secret><input type=submit value="Go on"></form>`)
	p.mux.HandleFunc("POST /password", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("secret") != password {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, `<form method=post action="/consent?%s">
			<button name=decision value=deny>Deny</button><button name=decision value=yes>Allow</button></form>`,
			strings.ReplaceAll(r.URL.RawQuery, "&", "&amp;"))
	})
	p.mux.HandleFunc("POST /consent", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("decision") != "yes" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, `<body onload="document.forms[0].submit()"><form method=post action="%s">
			<input type=hidden name=code value=the-code-of-this-sign-in>
			<input type=hidden name=state value="%s"></form>`, redirect, r.FormValue("state"))
	})
	tokens, err := p.signIn(t)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tokens.IDToken).NotTo(BeEmpty())
}

func TestAPickerOfPeople(t *testing.T) {
	g, p := NewWithT(t), newProvider(t)
	p.page("GET /authorize", `<form method=post action="/pick?{query}"><input name=search>
		<button name=person value="bob@acme.example">Bob</button>
		<button name=person value="alice@acme.example">Alice</button></form>`)
	p.mux.HandleFunc("POST /pick", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("person") != "alice@acme.example" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		back(w, r)
	})
	_, err := p.signIn(t)
	g.Expect(err).NotTo(HaveOccurred())
}

// A wrong password is sent twice at most, whatever the suite asks for afterwards: a third failure may lock the account.
func TestAWrongPasswordIsNotTriedAThirdTime(t *testing.T) {
	g, p := NewWithT(t), newProvider(t)
	var sent atomic.Int32
	form := `<form method=post action="/login?{query}">
		<input name=username><input type=password name=password><input type=submit></form>`
	p.page("GET /authorize", form)
	p.mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		sent.Add(1)
		fmt.Fprint(w, strings.ReplaceAll(form, "{query}", strings.ReplaceAll(r.URL.RawQuery, "&", "&amp;")))
	})
	d, ask := p.desk()
	for range 3 {
		_, err := recorded(t, d, ask)
		g.Expect(err).To(MatchError(ContainSubstring("the password was not accepted")))
	}
	g.Expect(sent.Load()).To(BeNumerically("<=", 2))
}

// A page that says no and has no form: two sign-ins of a person fail, and no third one sends the password.
func TestARefusalWithoutAFormCountsAsWell(t *testing.T) {
	g, p := NewWithT(t), newProvider(t)
	var sent atomic.Int32
	p.page("GET /authorize", `<form method=post action="/login?{query}">
		<input name=username><input type=password name=password></form>`)
	p.mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) {
		sent.Add(1)
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "<h1>No</h1>")
	})
	d, ask := p.desk()
	for range 4 {
		_, err := recorded(t, d, ask)
		g.Expect(err).To(MatchError(ContainSubstring(`HTTP 403, "No"`)))
	}
	g.Expect(sent.Load()).To(BeEquivalentTo(2))
	g.Expect(d.Failed()).To(ConsistOf(ask.User.Login))

	other, ask := p.desk() // that of another process
	other.Spare(d.Failed())
	_, err := recorded(t, other, ask)
	g.Expect(err).To(MatchError(ContainSubstring("lest the account be locked")))
	g.Expect(sent.Load()).To(BeEquivalentTo(2))
}

func TestWhatNoProgramShouldAnswer(t *testing.T) {
	for name, c := range map[string]struct{ html, want string }{
		"a captcha": {`<form method=post><input name=user><input type=password name=p><div class="g-recaptcha"></div></form>`,
			"asks for a captcha: use sign_in: attended"},
		"a second factor": {`<form method=post><input name=code autocomplete="one-time-code"><input type=submit></form>`,
			"asks for a second factor: use sign_in: attended"},
		"no form": {`<h1>Welcome</h1><script src=app.js></script>`,
			`it ended on a page of the identity provider: HTTP 200, "Welcome"`},
		"a loop": {`<form method=post action="/authorize"><input type=hidden name=x value=y></form>`,
			"no end after 20 pages"},
	} {
		t.Run(name, func(t *testing.T) {
			g, p := NewWithT(t), newProvider(t)
			p.page("/authorize", c.html)
			_, err := p.signIn(t)
			g.Expect(err).To(MatchError(ContainSubstring(c.want)))
		})
	}
}

func TestASignInThatLeadsElsewhere(t *testing.T) {
	g, p := NewWithT(t), newProvider(t)
	p.mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://login.elsewhere.example/?secret=hidden", http.StatusFound)
	})
	_, err := p.signIn(t)
	g.Expect(err).To(MatchError(And(ContainSubstring("https://login.elsewhere.example/"),
		ContainSubstring("sign_in.form.origins"),
		Not(ContainSubstring("hidden")))))
}
