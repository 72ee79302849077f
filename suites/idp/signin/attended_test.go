package signin

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/chromium"
	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// free is an address on loopback that nobody listens at.
func free(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// A person follows the link of the page in a real browser and signs in at the mock IdP; the tokens are on the desk
// then.
func TestAttendedSignInInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	g := NewWithT(t)
	tab := chromium.Tab(t, 900, 700)
	d := directory.Default()
	idp, err := mockidp.Serve(t.Context(), mockidp.ServerOptions{Directory: d})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = idp.Close() })
	client := d.Clients[0]
	c := &config.Config{
		IdP:   config.IdP{Issuer: idp.URL()},
		Users: []config.User{{Login: "alice@acme.example", SignIn: config.SignIn{Attended: true}}},
		Clients: []config.Client{{Client: target.Client{ID: client.ID, Auth: "client_secret_basic", Secret: client.Secret},
			RedirectURI: "http://" + free(t) + "/callback"}},
		Timing: config.Timing{SignIn: time.Minute},
	}
	desk := &Desk{Config: c, Wire: wire.NewClient(wire.Bounds{}, nil),
		Endpoints: Endpoints{Issuer: idp.URL(), Authorization: idp.AuthorizeURL(), Token: idp.TokenURL()}}
	ask := Ask{User: &c.Users[0], Client: &c.Clients[0]}
	page, said := free(t), new(strings.Builder)
	done := make(chan error, 1)
	go func() { done <- desk.Attend(t.Context(), page, []Ask{ask}, io.Writer(said)) }()
	g.Eventually(func() error {
		conn, err := net.Dial("tcp", page)
		if err == nil {
			err = conn.Close()
		}
		return err
	}).WithTimeout(10 * time.Second).Should(Succeed())
	g.Expect(chromedp.Do(tab,
		chromedp.Navigate("http://"+page),
		chromedp.Click("ol a"),
		chromedp.WaitVisible(`button[value="alice@acme.example"]`),
		chromedp.Click(`button[value="alice@acme.example"]`),
		chromedp.WaitVisible("[role=status]"),
	)).To(Succeed())
	text, err := chromedp.Run(tab, chromedp.Text("main"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(text).To(ContainSubstring("All sign-ins are done"))
	g.Expect(<-done).To(Succeed())
	g.Expect(said.String()).To(ContainSubstring("http://" + page))
	tokens, err := desk.Tokens(context.Background(), wire.NewRecorder(nil), ask)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tokens.IDToken).NotTo(BeEmpty())
}
