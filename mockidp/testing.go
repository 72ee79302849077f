package mockidp

import (
	"context"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/crewjam/saml"
	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/idp"
)

// Test is an identity provider for one test: New starts it, the end of the test stops it. Its own methods fail the test
// instead of returning errors; those of Server return them, for Must.
type Test struct {
	*Server
	tb testing.TB
}

// Option changes how New starts an identity provider.
type Option func(*ServerOptions)

// WithDirectory replaces [directory.Default], the people, clients and connectors that New starts with. d is compiled:
// directory.Load and Default return such.
func WithDirectory(d *directory.Directory) Option { return func(o *ServerOptions) { o.Directory = d } }

// WithKeys signs with these keys instead of RS256 keys that all tests of the process share.
func WithKeys(keys *KeySet) Option { return func(o *ServerOptions) { o.Keys = keys } }

// WithAlgorithm signs with a new key for this algorithm. It panics when that is none of Algorithms.
func WithAlgorithm(alg jose.SignatureAlgorithm) Option {
	return func(o *ServerOptions) {
		keys, err := NewKeySet(alg)
		if err != nil {
			panic(err) // the caller named an algorithm that is none
		}
		o.Keys = keys
	}
}

// WithIssuer names the issuer (RFC 8414 section 2), for instance one with a path on the address of WithListen.
func WithIssuer(url string) Option { return func(o *ServerOptions) { o.URL = url } }

// WithListen listens on this address instead of a free port of 127.0.0.1.
func WithListen(address string) Option { return func(o *ServerOptions) { o.Listen = address } }

// WithClock takes the time from now instead of time.Now; Advance moves it from there.
func WithClock(now func() time.Time) Option { return func(o *ServerOptions) { o.Now = now } }

// WithTLS serves https with a certificate of the CA, which who connects has to trust (CA.PEM).
func WithTLS(ca *CA) Option { return func(o *ServerOptions) { o.CA = ca } }

// WithFlavour imitates the tokens of a kind of identity provider; names are in package flavour. It comes
// after WithDirectory. A name that is none lets New fail the test.
func WithFlavour(name string) Option {
	return func(o *ServerOptions) { o.Directory.Settings.Flavour = name }
}

// WithUser adds a user. One who makes no sense, such as a login that is there twice, lets New fail the test.
func WithUser(u directory.User) Option {
	return func(o *ServerOptions) { o.Directory.Users = append(o.Directory.Users, u) }
}

// WithClient adds a client. WithConnector, after it, lets it reach a connector.
func WithClient(k directory.Client) Option {
	return func(o *ServerOptions) { o.Directory.Clients = append(o.Directory.Clients, k) }
}

// WithConnector adds a connector that every client reaches, each with its own client id at the RAS unless named
// otherwise in clientIDs (by client id).
func WithConnector(r directory.Connector, clientIDs map[string]string) Option {
	return func(o *ServerOptions) {
		d := o.Directory
		d.Connectors = append(d.Connectors, r)
		for _, k := range d.Clients {
			id := clientIDs[k.ID]
			if id == "" {
				id = k.ID
			}
			d.Connections = append(d.Connections, directory.Connection{Client: k.ID, Connector: r.ID, ClientID: id})
		}
	}
}

// WithControl serves the control API below the issuer's /control, for callers with this secret; see NewControl.
func WithControl(secret string) Option { return func(o *ServerOptions) { o.ControlSecret = secret } }

var sharedKeys = sync.OnceValues(func() (*KeySet, error) { return NewKeySet(jose.RS256) })

// New starts an identity provider on a free port of the loopback interface, with [directory.Default] in it: URL is its
// issuer, JWKSURI where its keys are, TokenURL where tokens are exchanged. It is stopped by tb.Cleanup. Options are
// applied in their order: WithDirectory comes first. What does not start fails the test.
func New(tb testing.TB, options ...Option) *Test {
	tb.Helper()
	o := ServerOptions{Directory: directory.Default().Clone()}
	for _, apply := range options {
		apply(&o)
	}
	if o.Keys == nil && o.Directory.Settings.Flavour == "" {
		keys, err := sharedKeys()
		check(tb, err)
		o.Keys = keys
	}
	s, err := Serve(context.Background(), o)
	check(tb, err)
	tb.Cleanup(func() { _ = s.Close() })
	return &Test{s, tb}
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatalf("mock IdP: %v", err)
	}
}

// User finds a user by login; one who is not there fails the test. It is not to be changed: see Update.
func (t *Test) User(login string) *directory.User {
	t.tb.Helper()
	u := t.Directory().Login(login)
	if u == nil {
		t.tb.Fatalf("mock IdP: %v", idp.Missing("user", login))
	}
	return u
}

// IDToken mints an honest ID token (OpenID Connect Core 2) for a user, by login, at a client, by id, without a sign-in.
// Change its claims, then Sign it. A user who is not there fails the test.
func (t *Test) IDToken(login, clientID string) *Token {
	t.tb.Helper()
	token, err := t.NewIDToken(login, clientID)
	check(t.tb, err)
	return token
}

// IDJAG mints an honest ID-JAG (ID-JAG draft-04 section 3.1) for a user, by login, at a client and for a connector, by
// their ids, with the connector's first resource and all of its scopes, whatever the policies say. Change its claims,
// then Sign it. Who or what is not there fails the test.
func (t *Test) IDJAG(login, clientID, connector string) *Token {
	t.tb.Helper()
	token, err := t.NewIDJAG(login, clientID, connector)
	check(t.tb, err)
	return token
}

// Must fails the test when err is not nil: idp.Must(idp.SetStatus("alice@acme.example", directory.Suspended)).
func (t *Test) Must(err error) {
	t.tb.Helper()
	check(t.tb, err)
}

// Login signs a user in to a client, by login and id, as a browser and the client would, and returns the tokens; scopes
// are added to openid. A sign-in that is refused fails the test.
func (t *Test) Login(login, clientID string, scopes ...string) Tokens {
	t.tb.Helper()
	tokens, err := t.SignIn(login, clientID, scopes...)
	check(t.tb, err)
	return tokens
}

// TokenRequest posts a form to the token endpoint with the client's secret (RFC 6749 section 3.2) and returns the
// status and the members of the answer, whether that is a token or an error. A client that is not there, and an answer
// that is no JSON object, fail the test.
func (t *Test) TokenRequest(clientID string, form url.Values) (int, map[string]any) {
	t.tb.Helper()
	client := t.Directory().Client(clientID)
	if client == nil {
		t.tb.Fatalf("mock IdP: there is no client %q", clientID)
	}
	var answer map[string]any
	status, err := t.Post(client, form, &answer)
	check(t.tb, err)
	return status, answer
}

// SAMLAssertion makes an honest assertion (SAML 2.0 core section 2.3.3) of a user, by login, for a client with SAML, by
// id, without a sign-on. Change it, then have it signed: IdP.SAML or IdP.SAMLResponse. Who or what is not there fails
// the test.
func (t *Test) SAMLAssertion(login, clientID string) *saml.Assertion {
	t.tb.Helper()
	assertion, err := t.NewSAMLAssertion(login, clientID)
	check(t.tb, err)
	return assertion
}
