package saml_test

import (
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

// certificates are the identity provider's and somebody else's, the same for all tests: RSA keys take their time.
var certificates = sync.OnceValues(func() (pair [2]tls.Certificate, err error) {
	for n := range pair {
		if pair[n], err = saml.NewCertificate(); err != nil {
			return pair, err
		}
	}
	return pair, nil
})

// newIdP makes one for the base URL.
func newIdP(t testing.TB, url string) *idp {
	t.Helper()
	cert, err := certificates()
	if err != nil {
		t.Fatal(err)
	}
	return newIdPWith(t, url, cert[0])
}

// newStranger makes another one, with a key of its own.
func newStranger(t testing.TB, url string) *idp {
	t.Helper()
	cert, err := certificates()
	if err != nil {
		t.Fatal(err)
	}
	return newIdPWith(t, url, cert[1])
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
