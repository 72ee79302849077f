package host_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

func TestDiscoveryIsWhereBothSpecificationsLookForIt(t *testing.T) {
	for _, path := range []string{"", "/tenant-1", "/tenant-1/"} {
		listener := harness.Serve(t, mockidp.ServerOptions{})
		issuer := listener.Issuer().URL + path
		idp, err := mockidp.NewIdP(mockidp.ServerOptions{URL: issuer})
		if err != nil {
			t.Fatal(err)
		}
		base := issuer
		if path == "/tenant-1/" {
			base = issuer[:len(issuer)-1]
		}
		host := listener.Issuer().URL
		inserted := base[len(host):]
		for _, url := range []string{
			base + "/.well-known/openid-configuration", base + "/.well-known/oauth-authorization-server",
			host + "/.well-known/oauth-authorization-server" + inserted,
		} {
			w := httptest.NewRecorder()
			idp.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
			var document struct {
				Issuer  string `json:"issuer"`
				JWKSURI string `json:"jwks_uri"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil {
				t.Fatalf("%s: %v", url, err)
			}
			if document.Issuer != issuer || document.JWKSURI != base+"/oauth2/v1/keys" {
				t.Errorf("%s: %+v", url, document)
			}
		}
	}
}

func TestServeRefusesWhatIsNoIssuer(t *testing.T) {
	for _, url := range []string{"idp.example", "ftp://idp.example", "https://idp.example?x=1", "https://idp.example#x",
		"https://u@idp.example"} {
		if _, err := mockidp.Serve(t.Context(), mockidp.ServerOptions{URL: url}); err == nil {
			t.Errorf("%s was taken", url)
		}
	}
}

func TestServerStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := mockidp.Serve(ctx, mockidp.ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	harness.Get(t, nil, s.JWKSURI())
	cancel()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if res, err := http.Get(s.JWKSURI()); err == nil {
		res.Body.Close()
		t.Error("still answers")
	}
}
