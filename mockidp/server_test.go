package mockidp_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/emaconform/emaconform/mockidp"
)

func serve(t *testing.T, o mockidp.ServerOptions) *mockidp.Server {
	t.Helper()
	s, err := mockidp.Serve(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func get(t *testing.T, url string) answer {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, body}
}

func TestDiscoveryIsWhereBothSpecificationsLookForIt(t *testing.T) {
	for _, path := range []string{"", "/tenant-1", "/tenant-1/"} {
		listener := serve(t, mockidp.ServerOptions{})
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
	for _, url := range []string{"idp.example", "ftp://idp.example", "https://idp.example?x=1", "https://idp.example#x", "https://u@idp.example"} {
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
	get(t, s.JWKSURI())
	cancel()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if res, err := http.Get(s.JWKSURI()); err == nil {
		res.Body.Close()
		t.Error("still answers")
	}
}

// controlled starts an identity provider and a control API over HTTP for it.
func controlled(t *testing.T) (*mockidp.Server, *mockidp.Control, string) {
	s := serve(t, mockidp.ServerOptions{})
	api := httptest.NewServer(mockidp.NewControlHandler("control-secret", map[string]*mockidp.Server{"idp": s}, nil))
	t.Cleanup(api.Close)
	return s, mockidp.NewControl(api.URL, "control-secret"), api.URL
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestControlChangesWhatIsPublished(t *testing.T) {
	s, control, _ := controlled(t)
	ctx := t.Context()
	honest := get(t, s.JWKSURI())
	other, err := mockidp.NewKey(jose.ES256)
	must(t, err)
	nameless := other.JSONWebKey
	nameless.KeyID = ""

	must(t, control.SetKeys(ctx, "idp", jose.JSONWebKeySet{Keys: []jose.JSONWebKey{other.JSONWebKey, nameless}}))
	must(t, control.SetMaxAge(ctx, "idp", 2*time.Second))
	changed := get(t, s.JWKSURI())
	var set struct{ Keys []map[string]any }
	must(t, json.Unmarshal(changed.body, &set))
	if len(set.Keys) != 2 || set.Keys[0]["kid"] != other.KeyID || set.Keys[1]["kid"] != nil {
		t.Errorf("published %s", changed.body)
	}
	if set.Keys[0]["d"] != nil {
		t.Error("a private key was published")
	}
	if got := changed.header.Get("Cache-Control"); got != "max-age=2, must-revalidate" {
		t.Error(got)
	}
	if s.Issuer().Keys.Signing().KeyID == other.KeyID {
		t.Error("what is signed with has changed")
	}

	must(t, control.Restore(ctx, "idp"))
	if diff := cmp.Diff(string(honest.body), string(get(t, s.JWKSURI()).body)); diff != "" {
		t.Error(diff)
	}
	if n, err := control.Fetches(ctx, "idp"); err != nil || n != 3 {
		t.Errorf("%d fetches, %v: expected 3", n, err)
	}
}

func TestControlSpoilsTheJWKS(t *testing.T) {
	s, control, _ := controlled(t)
	ctx := t.Context()
	must(t, control.SetJWKS(ctx, "idp", mockidp.Reply{Status: http.StatusTeapot, Body: `{"keys":[]}`, Repeat: 100_000,
		Header: map[string]string{"Content-Type": "text/html"}}))
	got := get(t, s.JWKSURI())
	if got.status != http.StatusTeapot || got.header.Get("Content-Type") != "text/html" || len(got.body) != 100_000 {
		t.Errorf("%d, %s, %d bytes", got.status, got.header.Get("Content-Type"), len(got.body))
	}
	if !json.Valid(got.body) {
		t.Error("padding has broken the JSON")
	}

	must(t, control.SetJWKS(ctx, "idp", mockidp.Reply{Drop: true}))
	if res, err := http.Get(s.JWKSURI()); err == nil {
		res.Body.Close()
		t.Error("the connection was not dropped")
	}

	must(t, control.SetJWKS(ctx, "idp", mockidp.Reply{Delay: time.Hour}))
	hurried, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(hurried, http.MethodGet, s.JWKSURI(), nil)
	if res, err := http.DefaultClient.Do(req); err == nil {
		res.Body.Close()
		t.Error("the reply was not delayed")
	}
	must(t, control.Restore(ctx, "idp"))
	if got := get(t, s.JWKSURI()); got.status != http.StatusOK {
		t.Error(got.status)
	}
}

func TestControlNeedsItsSecret(t *testing.T) {
	s, _, url := controlled(t)
	for _, secret := range []string{"", "wrong", "control-secret2"} {
		if mockidp.NewControl(url, secret).Restore(t.Context(), "idp") == nil {
			t.Errorf("%q was let in", secret)
		}
	}
	unguarded := httptest.NewServer(mockidp.NewControlHandler("", map[string]*mockidp.Server{"idp": s}, nil))
	defer unguarded.Close()
	if mockidp.NewControl(unguarded.URL, "").Restore(t.Context(), "idp") == nil {
		t.Error("an empty secret opens the control API")
	}
}

func TestControlNamesWhatIsWrong(t *testing.T) {
	_, control, _ := controlled(t)
	ctx := t.Context()
	for name, err := range map[string]error{
		"unknown identity provider": control.Restore(ctx, "nobody"),
		"bad status":                control.SetJWKS(ctx, "idp", mockidp.Reply{Status: 99}),
		"negative size":             control.SetJWKS(ctx, "idp", mockidp.Reply{Repeat: -1}),
		"negative age":              control.SetMaxAge(ctx, "idp", -time.Second),
	} {
		if err == nil {
			t.Error(name + " was taken")
		}
	}
}

func TestReplyRoundTripsAsJSON(t *testing.T) {
	want := mockidp.Reply{Status: 503, Header: map[string]string{"Retry-After": "1"}, Body: "x", Delay: 1500 * time.Millisecond, Repeat: 9, Drop: true}
	raw, err := json.Marshal(want)
	must(t, err)
	var got mockidp.Reply
	must(t, json.Unmarshal(raw, &got))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestControlPublishesOnTheCanary(t *testing.T) {
	key, err := mockidp.NewKey(jose.ES256)
	must(t, err)
	canary, err := mockidp.StartCanary(t.Context(), "127.0.0.1:0", key)
	must(t, err)
	defer canary.Close()
	api := httptest.NewServer(mockidp.NewControlHandler("s", nil, canary))
	defer api.Close()
	control := mockidp.NewControl(api.URL, "s")

	must(t, control.Publish(t.Context(), "one", "a/b.json", mockidp.Reply{Status: http.StatusAccepted, Body: "{}"}))
	if got := get(t, canary.URL()+"/one/a/b.json"); got.status != http.StatusAccepted || string(got.body) != "{}" {
		t.Errorf("%d %s", got.status, got.body)
	}
	hits, err := control.Hits(t.Context(), "one")
	must(t, err)
	if len(hits) != 1 || hits[0].Method != http.MethodGet {
		t.Errorf("%+v", hits)
	}
	if none, err := control.Hits(t.Context(), "two"); err != nil || len(none) != 0 {
		t.Errorf("%v, %v", none, err)
	}
}
