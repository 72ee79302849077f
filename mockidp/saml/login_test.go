package saml_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	schema "github.com/crewjam/saml"
	"github.com/crewjam/saml/samlsp"

	"github.com/emaconform/emaconform/mockidp/saml"
)

// browser follows redirects and sends every form that it gets, as a browser with JavaScript does.
type browser struct{ http.Client }

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{http.Client{Jar: jar}}
}

var (
	action = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	input  = regexp.MustCompile(`name="([^"]*)" value="([^"]*)"`)
)

// formIn reads the fields of the form on a page, its action as another field.
func formIn(t *testing.T, page string) url.Values {
	t.Helper()
	form := action.FindStringSubmatch(page)
	if form == nil {
		t.Fatalf("there is no form: %s", page)
	}
	values := url.Values{"action": {html.UnescapeString(form[1])}}
	for _, field := range input.FindAllStringSubmatch(page, -1) {
		values.Set(field[1], html.UnescapeString(field[2]))
	}
	return values
}

func (b *browser) open(t *testing.T, address string) (answer, string) {
	t.Helper()
	send := func() (*http.Response, error) { return b.Get(address) }
	for range 5 {
		resp, err := send()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if !action.Match(body) {
			return answer{resp}, string(body)
		}
		form := formIn(t, string(body))
		send = func() (*http.Response, error) { return b.PostForm(form.Get("action"), form) }
	}
	t.Fatal("forms lead to forms without end")
	return answer{}, ""
}

// serviceProvider is an application behind crewjam's samlsp, set up with nothing but the identity provider's metadata.
func serviceProvider(t *testing.T, i *idp) (*samlsp.Middleware, string) {
	t.Helper()
	routes := http.NewServeMux()
	server := httptest.NewServer(routes)
	t.Cleanup(server.Close)
	i.app.EntityID, i.app.ACS = server.URL+"/saml/metadata", []string{server.URL + "/saml/acs"}

	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	metadataURL, err := url.Parse(i.EntityID(i.app.ID))
	if err != nil {
		t.Fatal(err)
	}
	metadata, err := samlsp.FetchMetadata(t.Context(), http.DefaultClient, *metadataURL)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := certificates()
	if err != nil {
		t.Fatal(err)
	}
	key := cert[1].PrivateKey.(*rsa.PrivateKey)
	sp, err := samlsp.New(samlsp.Options{URL: *base, Key: key, Certificate: cert[1].Leaf, IDPMetadata: metadata})
	if err != nil {
		t.Fatal(err)
	}
	routes.Handle("/saml/", sp)
	routes.Handle("/", sp.RequireAccount(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session := samlsp.SessionFromContext(r.Context()).(samlsp.JWTSessionClaims)
		fmt.Fprintf(w, "%s %s of %v", r.URL.Path, session.Subject, session.Attributes["groups"])
	})))
	return sp, server.URL
}

func TestSamlspLogsIn(t *testing.T) {
	for name, binding := range map[string]string{"redirect": schema.HTTPRedirectBinding, "POST": schema.HTTPPostBinding} {
		t.Run(name, func(t *testing.T) {
			i := serveIdP(t)
			i.user.Attributes = map[string][]string{"groups": {"Engineering", "Finance & <Co>"}}
			sp, address := serviceProvider(t, i)
			sp.Binding = binding
			b := newBrowser(t)
			if _, body := b.open(t, address+"/notes"); body != "/notes "+alice+" of [Engineering Finance & <Co>]" {
				t.Errorf("after the login the page says %q", body)
			}
			if len(i.asked) != 1 || i.asked[0].App.ID != "agent" || i.asked[0].ACS != address+"/saml/acs" {
				t.Errorf("the session was asked for %d times", len(i.asked))
			}
			if _, body := b.open(t, address+"/again"); !strings.HasPrefix(body, "/again "+alice) || len(i.asked) != 1 {
				t.Errorf("the second page says %q, with %d logins", body, len(i.asked))
			}
		})
	}
}

// The application of a user who may not use it hears so from the identity provider.
func TestSamlspHearsOfARefusal(t *testing.T) {
	i := serveIdP(t)
	i.user, i.err = nil, saml.ErrDenied
	sp, address := serviceProvider(t, i)
	var heard error
	sp.OnError = func(w http.ResponseWriter, _ *http.Request, err error) {
		var invalid *schema.InvalidResponseError
		if errors.As(err, &invalid) {
			heard = invalid.PrivateErr
		}
		http.Error(w, "no", http.StatusForbidden)
	}
	if resp, _ := newBrowser(t).open(t, address+"/notes"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", resp.StatusCode)
	}
	if bad := (schema.ErrBadStatus{}); !errors.As(heard, &bad) || bad.Status != schema.StatusResponder {
		t.Errorf("it heard %v", heard)
	}
}

// A client cuts the assertion out of the response that it got and exchanges it.
func TestTheAssertionOfALoginIsASubjectToken(t *testing.T) {
	i := serveIdP(t)
	_, page := i.ask(t, func(*schema.AuthnRequest) {})
	response, err := base64.StdEncoding.DecodeString(formIn(t, page).Get("SAMLResponse"))
	if err != nil {
		t.Fatal(err)
	}
	from, to := bytes.Index(response, []byte("<saml:Assertion")), bytes.Index(response, []byte("</samlp:Response>"))
	subject, _, err := i.verify(response[from:to])
	if err != nil || subject.NameID != alice {
		t.Errorf("refused: %v", err)
	}
}
