package signin_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/axe"
	"github.com/emaconform/emaconform/fixtures/chromium"
	"github.com/emaconform/emaconform/fixtures/thirdparty"
	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/signin"
	"github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// provider is a running identity provider with a client.
type provider struct {
	issuer, id, secret string
	redirect           string
}

// login is the login page of an identity provider, and what a person does there.
type login struct {
	name           string
	start          func(t *testing.T, redirect string) (*provider, error)
	user, password string
	words          string // of its first page
	acts           []chromedp.Action[chromedp.Void]
}

// logins are pages that have nothing in common: a picker, a name and a password with a page of consent behind them, and
// a name and a password alone. Nobody here wrote the last two.
var logins = []login{
	{name: "mock IdP", start: startMockIdP, user: "alice@acme.example", words: "Sign in",
		acts: []chromedp.Action[chromedp.Void]{chromedp.Click(`button[value="alice@acme.example"]`)}},
	{name: "oidc-provider", start: of(thirdparty.OIDCProvider), user: "alice", password: "any-password-will-do",
		words: "Sign-in",
		acts: []chromedp.Action[chromedp.Void]{
			chromedp.SendKeys("input[name=login]", "alice"), chromedp.SendKeys("input[name=password]", "any"),
			chromedp.Click("button[type=submit]"),
			chromedp.WaitVisible(`input[name=prompt][value=consent] ~ button, button[autofocus]`),
			chromedp.Click("button[type=submit]"),
		}},
	{name: "zitadel/oidc", start: of(thirdparty.ZitadelOIDC), user: "test-user2", password: "verysecure",
		words: "Username:",
		acts: []chromedp.Action[chromedp.Void]{
			chromedp.SendKeys("#username", "test-user2"), chromedp.SendKeys("#password", "verysecure"),
			chromedp.Click("button[type=submit]"),
		}},
}

func startMockIdP(t *testing.T, redirect string) (*provider, error) {
	d := directory.Default()
	idp, err := mockidp.Serve(t.Context(), mockidp.ServerOptions{Directory: d})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = idp.Close() })
	return &provider{idp.URL(), d.Clients[0].ID, d.Clients[0].Secret, redirect}, nil // it takes any port of loopback
}

// of starts one that nobody here wrote.
func of(kind thirdparty.Kind) func(*testing.T, string) (*provider, error) {
	return func(t *testing.T, redirect string) (*provider, error) {
		const id, secret = "agent", "agent-secret-agent-secret"
		p, err := thirdparty.Start(t.Context(), kind, thirdparty.Config{
			Clients: []thirdparty.Client{{ID: id, Secret: secret, RedirectURI: redirect}}})
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() {
			if t.Failed() {
				t.Log(p.Log())
			}
			_ = p.Stop()
		})
		return &provider{p.Issuer, id, secret, redirect}, nil
	}
}

// desk is one for one sign-in of one person.
func (p *provider) desk(t *testing.T, user string, how config.SignIn) (*signin.Desk, signin.Ask) {
	t.Helper()
	c := &config.Config{
		IdP: config.IdP{Issuer: p.issuer, Prompt: "consent"}, Users: []config.User{{Login: user, SignIn: how}},
		Clients: []config.Client{{Client: target.Client{ID: p.id, Auth: "client_secret_basic", Secret: p.secret},
			RedirectURI: p.redirect}},
		Timing: config.Timing{SignIn: time.Minute},
	}
	client := wire.NewClient(wire.Bounds{}, nil)
	found, err := world.Discover(t.Context(), c, client, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &signin.Desk{Config: c, Wire: client, Endpoints: found.Endpoints(c)},
		signin.Ask{User: &c.Users[0], Client: &c.Clients[0]}
}

// Each login page is walked through twice: by the suite, which fills in its forms, and by a person with a browser, who
// comes from the page that walks people through their sign-ins.
func TestLoginPages(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and installs identity providers, and starts a browser")
	}
	running := map[string]*provider{}
	for _, l := range logins {
		p, err := l.start(t, "http://"+free(t)+"/callback")
		if errors.Is(err, thirdparty.ErrNotInstalled) {
			t.Logf("%s: %v", l.name, err)
			continue
		}
		NewWithT(t).Expect(err).NotTo(HaveOccurred(), l.name)
		running[l.name] = p
		t.Run("forms of "+l.name, func(t *testing.T) { byForms(t, l, p) })
	}
	t.Run("browser", func(t *testing.T) {
		tab := chromium.Tab(t, 900, 700)
		for _, l := range logins {
			t.Run(l.name, func(t *testing.T) {
				if running[l.name] == nil {
					t.Skip("it is not installed here")
				}
				byHand(t, tab, l, running[l.name])
			})
		}
	})
}

func byForms(t *testing.T, l login, p *provider) {
	g := NewWithT(t)
	desk, ask := p.desk(t, l.user, config.SignIn{Form: &config.Form{Username: l.user, Password: l.password}})
	rec := wire.NewRecorder(nil)
	tokens, err := desk.Tokens(t.Context(), rec, ask)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tokens.IDToken).NotTo(BeEmpty())
	g.Expect(tokens.RefreshToken).NotTo(BeEmpty(), "with %s", signin.Scope)
	var pages strings.Builder
	for _, e := range rec.Exchanges() {
		if e.Response != nil {
			pages.WriteString(e.Response.Body)
		}
	}
	g.Expect(pages.String()).To(ContainSubstring(l.words))
}

func byHand(t *testing.T, tab context.Context, l login, p *provider) {
	g := NewWithT(t)
	desk, ask := p.desk(t, l.user, config.SignIn{Attended: true})
	page, said := free(t), new(strings.Builder)
	done := make(chan error, 1)
	go func() { done <- desk.Attend(t.Context(), page, []signin.Ask{ask}, said) }()
	g.Eventually(func() error {
		conn, err := net.Dial("tcp", page)
		if err == nil {
			err = conn.Close()
		}
		return err
	}).WithTimeout(time.Minute).Should(Succeed())
	bounded, stop := context.WithTimeout(tab, time.Minute)
	defer stop()
	g.Expect(chromedp.Do(bounded, chromedp.Navigate("http://"+page), chromedp.WaitVisible("ol a"))).To(Succeed())
	axe.NoBarriers(t, bounded, "the sign-ins")
	g.Expect(chromedp.Do(bounded, chromedp.Click("ol a"), chromedp.WaitVisible("form button"))).To(Succeed())
	text, err := chromedp.Run(bounded, chromedp.Text("body"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(text).To(ContainSubstring(l.words))
	g.Expect(chromedp.Do(bounded, append(l.acts, chromedp.WaitVisible("[role=status]"))...)).To(Succeed())
	text, err = chromedp.Run(bounded, chromedp.Text("main"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(text).To(ContainSubstring("All sign-ins are done"))
	axe.NoBarriers(t, bounded, "the end of a sign-in")
	g.Expect(<-done).To(Succeed())
	g.Expect(said.String()).To(ContainSubstring("http://" + page))
	tokens, err := desk.Tokens(t.Context(), wire.NewRecorder(nil), ask)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tokens.IDToken).NotTo(BeEmpty())
}

// free is an address on loopback that nobody listens at.
func free(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
