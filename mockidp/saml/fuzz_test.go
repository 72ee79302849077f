package saml_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/emaconform/emaconform/mockidp/mutate"
)

// fuzzIdP has the key and the time of the corpus, so that the signatures in it are valid.
func fuzzIdP(f *testing.F) *idp {
	f.Helper()
	cert, err := tls.LoadX509KeyPair("testdata/idp.pem", "testdata/idp.pem")
	if err != nil {
		f.Fatal(err)
	}
	i := newIdPWith(f, "https://idp.example", cert)
	i.now = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	return i
}

// Whatever the document, nobody but the user of the honest assertion gets in.
func FuzzVerify(f *testing.F) {
	i := fuzzIdP(f)
	mutate.Add(f, i.signed(f))
	f.Fuzz(func(t *testing.T, document []byte) {
		clear(i.used)
		subject, _, err := i.verify(document)
		if (err == nil) != (subject != nil) {
			t.Fatal("neither accepted nor refused")
		}
		if err == nil && (subject.NameID != alice || subject.Issuer != i.EntityID("agent")) {
			t.Errorf("accepted as %q of %q", subject.NameID, subject.Issuer)
		}
	})
}

// Whatever the message, an answer goes to the app's own addresses or nowhere.
func FuzzSignOn(f *testing.F) {
	i := fuzzIdP(f)
	handler := i.Handler(i.session)
	f.Fuzz(func(t *testing.T, message []byte, relayState string) {
		query := url.Values{"SAMLRequest": {deflated(t, message)}, "RelayState": {relayState}}
		r := httptest.NewRequest(http.MethodGet, i.SSOURL("agent")+"?"+query.Encode(), nil)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusBadRequest:
			if action.MatchString(w.Body.String()) {
				t.Error("the error page has a form")
			}
		case http.StatusOK:
			if to := formIn(t, w.Body.String()).Get("action"); !slices.Contains(i.app.ACS, to) {
				t.Errorf("the answer goes to %q", to)
			}
		default:
			t.Errorf("status %d", w.Code)
		}
		i.asked = nil
	})
}
