package saml_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/emaconform/emaconform/mockidp/saml"
)

const alice = "alice@acme.example"

// idp is a provider with one app, a clock that stands still and a user who is signed on.
type idp struct {
	*saml.Provider
	app  saml.App
	cert tls.Certificate

	mu    sync.Mutex
	now   time.Time
	user  *saml.User
	err   error
	asked []saml.Request // what Session was asked
	used  map[string]time.Time
}

// newIdP makes one for the base URL. The certificate is ECDSA, which is quick to make.
func newIdP(t testing.TB, url string) *idp {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := saml.NewCertificate(key)
	if err != nil {
		t.Fatal(err)
	}
	return newIdPWith(t, url, cert)
}

func newIdPWith(t testing.TB, url string, cert tls.Certificate) *idp {
	t.Helper()
	i := &idp{
		app: saml.App{ID: "agent", EntityID: "https://agent.example/saml",
			ACS: []string{"https://agent.example/acs", "https://agent.example/acs2"}},
		cert: cert, now: time.Now().Truncate(time.Second), used: map[string]time.Time{},
		user: &saml.User{NameID: alice, SessionIndex: "session-1"},
	}
	p, err := saml.NewProvider(saml.Options{
		URL: url, Certificate: cert, Now: i.clock, FirstUse: i.firstUse,
		App: func(id string) (saml.App, bool) { return i.app, id == i.app.ID },
	})
	if err != nil {
		t.Fatal(err)
	}
	i.Provider = p
	return i
}

// serveIdP starts one.
func serveIdP(t *testing.T) *idp {
	t.Helper()
	var i *idp
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.Handler(i.session).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	i = newIdP(t, server.URL)
	return i
}

func (i *idp) clock() time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.now
}

func (i *idp) sleep(d time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.now = i.now.Add(d)
}

func (i *idp) firstUse(id string, until time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	_, seen := i.used[id]
	i.used[id] = until
	return !seen
}

func (i *idp) session(w http.ResponseWriter, _ *http.Request, q saml.Request) (*saml.User, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked = append(i.asked, q)
	if i.user == nil && i.err == nil {
		http.Error(w, "log in", http.StatusUnauthorized)
	}
	return i.user, i.err
}

// signed is a signed assertion of alice as XML.
func (i *idp) signed(t testing.TB) []byte {
	t.Helper()
	raw, err := i.Sign(i.Assertion(i.app, *i.user))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// verify presents an XML document and returns why it was refused, "" when it was not.
func (i *idp) verify(document []byte) (*saml.Subject, saml.Reason, error) {
	subject, err := i.Verify(base64.StdEncoding.EncodeToString(document), i.app)
	var refusal *saml.Refusal
	if errors.As(err, &refusal) {
		return subject, refusal.Reason, err
	}
	return subject, "", err
}
