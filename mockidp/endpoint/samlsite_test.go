package endpoint_test

import (
	"crypto"
	"crypto/tls"
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
	"sync"
	"testing"

	"github.com/beevik/etree"
	schema "github.com/crewjam/saml"
	"github.com/crewjam/saml/samlsp"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
	"github.com/emaconform/emaconform/mockidp/saml"
)

const samlAgent = "0oa3samlagent0000000"

// samlSite is a client that signs users on by SAML, behind crewjam's samlsp, and the identity provider that it trusts.
type samlSite struct {
	idp       *mockidp.Test
	url       string
	provider  *samlsp.Middleware
	heard     error  // the response was an error
	assertion []byte // of the last sign-on, as XML
}

// samlCertificates are the client's and the identity provider's, the same for all tests: RSA keys take their time.
var samlCertificates = sync.OnceValues(func() (pair [2]tls.Certificate, err error) {
	for n := range pair {
		if pair[n], err = saml.NewCertificate(); err != nil {
			return pair, err
		}
	}
	return pair, nil
})

// newCertificate has the identity provider make a certificate of its own.
func newCertificate(o *mockidp.ServerOptions) { o.SAMLCertificate = tls.Certificate{} }

func newSAMLSite(t *testing.T, options ...mockidp.Option) *samlSite {
	t.Helper()
	certificates, err := samlCertificates()
	harness.Must(t, err)
	site, routes := &samlSite{}, http.NewServeMux()
	server := httptest.NewServer(routes)
	t.Cleanup(server.Close)
	site.url = server.URL
	client := directory.Client{ID: samlAgent, Name: "SAML Agent", Secret: "saml-agent-development-secret",
		Assigned: directory.Assignment{Groups: []string{"Engineering"}},
		SAML:     &directory.SAML{EntityID: server.URL + "/saml/metadata", ACS: []string{server.URL + "/saml/acs"}}}
	options = append([]mockidp.Option{mockidp.WithClient(client), func(o *mockidp.ServerOptions) {
		o.Directory.Connections = append(o.Directory.Connections,
			directory.Connection{Client: samlAgent, Connector: "notes", ClientID: "saml-agent-at-notes"})
		o.Directory.Connectors[0].SAMLIssuer = "http://idp.example/exk1"
		o.SAMLCertificate = certificates[1]
	}}, options...)
	site.idp = mockidp.New(t, options...)
	site.serve(t, routes, certificates[0])
	return site
}

func (s *samlSite) serve(t *testing.T, routes *http.ServeMux, certificate tls.Certificate) {
	t.Helper()
	base, err := url.Parse(s.url)
	harness.Must(t, err)
	idp, err := s.idp.SAML()
	harness.Must(t, err)
	at, err := url.Parse(idp.EntityID(samlAgent))
	harness.Must(t, err)
	metadata, err := samlsp.FetchMetadata(t.Context(), http.DefaultClient, *at)
	harness.Must(t, err)
	o := samlsp.Options{URL: *base, Key: certificate.PrivateKey.(crypto.Signer), Certificate: certificate.Leaf,
		IDPMetadata: metadata}
	s.provider, err = samlsp.New(o)
	harness.Must(t, err)
	s.provider.OnError = func(w http.ResponseWriter, _ *http.Request, err error) {
		s.heard = err
		if invalid := (*schema.InvalidResponseError)(nil); errors.As(err, &invalid) {
			s.heard = invalid.PrivateErr
		}
		http.Error(w, "refused", http.StatusForbidden)
	}
	routes.HandleFunc("POST /saml/acs", func(w http.ResponseWriter, r *http.Request) {
		s.keepAssertion(r.PostFormValue("SAMLResponse"))
		s.provider.ServeHTTP(w, r)
	})
	routes.Handle("/", s.provider.RequireAccount(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims := samlsp.SessionFromContext(r.Context()).(samlsp.JWTSessionClaims)
		fmt.Fprintf(w, "%s, %v", claims.Subject, claims.Attributes["groups"])
	})))
}

func (s *samlSite) keepAssertion(response string) {
	raw, _ := base64.StdEncoding.DecodeString(response)
	doc := etree.NewDocument()
	if doc.ReadFromBytes(raw) != nil {
		return
	}
	if assertion := doc.FindElement("/Response/Assertion"); assertion != nil {
		doc.SetRoot(assertion)
		s.assertion, _ = doc.WriteToBytes()
	}
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	formInput  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// visit opens the site as login with a browser: the sign-in page is filled in, other forms are sent as they are.
// signIns is how often the sign-in page came.
func (s *samlSite) visit(t *testing.T, browser *http.Client, login string) (page string, signIns int) {
	t.Helper()
	resp, err := browser.Get(s.url + "/hello")
	for range 6 {
		harness.Must(t, err)
		body, err := io.ReadAll(resp.Body)
		harness.Must(t, err)
		resp.Body.Close()
		form := formAction.FindStringSubmatch(string(body))
		if form == nil {
			return string(body), signIns
		}
		values := url.Values{}
		for _, field := range formInput.FindAllStringSubmatch(string(body), -1) {
			values.Set(field[1], html.UnescapeString(field[2]))
		}
		if strings.HasSuffix(resp.Request.URL.Path, "/login/signin") {
			signIns++
			values.Set("person", login)
			values.Set("second_factor", "yes")
		}
		to, err := resp.Request.URL.Parse(html.UnescapeString(form[1]))
		harness.Must(t, err)
		resp, err = browser.PostForm(to.String(), values)
		harness.Must(t, err)
	}
	t.Fatal("forms lead to forms without end")
	return "", 0
}

func newJar(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	harness.Must(t, err)
	return &http.Client{Jar: jar}
}

const (
	typeIDJAG   = "urn:ietf:params:oauth:token-type:id-jag"
	typeRefresh = "urn:ietf:params:oauth:token-type:refresh_token"
	typeSAML    = "urn:ietf:params:oauth:token-type:saml2"
)

// forRefresh is a request to exchange an assertion for a refresh token, with changes.
func forRefresh(assertion []byte, changes ...string) url.Values {
	changes = append([]string{"subject_token_type", typeSAML, "requested_token_type", typeRefresh,
		"audience", "", "resource", "", "scope", "openid offline_access email"}, changes...)
	return exchange(base64.StdEncoding.EncodeToString(assertion), changes...)
}
