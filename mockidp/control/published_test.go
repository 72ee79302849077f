package control_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

// controlled starts an identity provider and a control API over HTTP for it.
func controlled(t *testing.T) (*mockidp.Server, *mockidp.Control, string) {
	s := harness.Serve(t, mockidp.ServerOptions{})
	api := httptest.NewServer(mockidp.NewControlHandler("control-secret", map[string]*mockidp.Server{"idp": s}, nil))
	t.Cleanup(api.Close)
	return s, mockidp.NewControl(api.URL, "control-secret"), api.URL
}

func TestControlChangesWhatIsPublished(t *testing.T) {
	s, control, _ := controlled(t)
	ctx := t.Context()
	honest := harness.Get(t, nil, s.JWKSURI())
	other, err := mockidp.NewKey(jose.ES256)
	harness.Must(t, err)
	nameless := other.JSONWebKey
	nameless.KeyID = ""

	harness.Must(t, control.SetKeys(ctx, "idp", jose.JSONWebKeySet{Keys: []jose.JSONWebKey{other.JSONWebKey, nameless}}))
	harness.Must(t, control.SetMaxAge(ctx, "idp", 2*time.Second))
	changed := harness.Get(t, nil, s.JWKSURI())
	var set struct{ Keys []map[string]any }
	harness.Must(t, json.Unmarshal(changed.Body, &set))
	if len(set.Keys) != 2 || set.Keys[0]["kid"] != other.KeyID || set.Keys[1]["kid"] != nil {
		t.Errorf("published %s", changed.Body)
	}
	if set.Keys[0]["d"] != nil {
		t.Error("a private key was published")
	}
	if got := changed.Header.Get("Cache-Control"); got != "max-age=2, must-revalidate" {
		t.Error(got)
	}
	if s.Issuer().Keys.Signing().KeyID == other.KeyID {
		t.Error("what is signed with has changed")
	}

	harness.Must(t, control.Restore(ctx, "idp"))
	if diff := cmp.Diff(string(honest.Body), string(harness.Get(t, nil, s.JWKSURI()).Body)); diff != "" {
		t.Error(diff)
	}
	if n, err := control.Requests(ctx, "idp", mockidp.EndpointKeys); err != nil || n != 3 {
		t.Errorf("%d fetches, %v: expected 3", n, err)
	}
}

func TestControlSpoilsTheJWKS(t *testing.T) {
	s, control, _ := controlled(t)
	ctx := t.Context()
	harness.Must(t, control.SetAnswer(ctx, "idp", mockidp.EndpointKeys, mockidp.Reply{
		Status: http.StatusTeapot, Body: `{"keys":[]}`, Repeat: 100_000,
		Header: map[string]string{"Content-Type": "text/html"}}))
	got := harness.Get(t, nil, s.JWKSURI())
	if got.Status != http.StatusTeapot || got.Header.Get("Content-Type") != "text/html" || len(got.Body) != 100_000 {
		t.Errorf("%d, %s, %d bytes", got.Status, got.Header.Get("Content-Type"), len(got.Body))
	}
	if !json.Valid(got.Body) {
		t.Error("padding has broken the JSON")
	}

	harness.Must(t, control.SetAnswer(ctx, "idp", mockidp.EndpointKeys, mockidp.Reply{Drop: true}))
	if res, err := http.Get(s.JWKSURI()); err == nil {
		res.Body.Close()
		t.Error("the connection was not dropped")
	}

	harness.Must(t, control.SetAnswer(ctx, "idp", mockidp.EndpointKeys, mockidp.Reply{Delay: time.Hour}))
	hurried, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(hurried, http.MethodGet, s.JWKSURI(), nil)
	if res, err := http.DefaultClient.Do(req); err == nil {
		res.Body.Close()
		t.Error("the reply was not delayed")
	}
	harness.Must(t, control.Restore(ctx, "idp"))
	if got := harness.Get(t, nil, s.JWKSURI()); got.Status != http.StatusOK {
		t.Error(got.Status)
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
		"bad status":                control.SetAnswer(ctx, "idp", mockidp.EndpointKeys, mockidp.Reply{Status: 99}),
		"negative size":             control.SetAnswer(ctx, "idp", mockidp.EndpointKeys, mockidp.Reply{Repeat: -1}),
		"negative age":              control.SetMaxAge(ctx, "idp", -time.Second),
	} {
		if err == nil {
			t.Error(name + " was taken")
		}
	}
}

func TestReplyRoundTripsAsJSON(t *testing.T) {
	want := mockidp.Reply{Status: 503, Header: map[string]string{"Retry-After": "1"}, Body: "x",
		Delay: 1500 * time.Millisecond, Repeat: 9, Drop: true}
	raw, err := json.Marshal(want)
	harness.Must(t, err)
	var got mockidp.Reply
	harness.Must(t, json.Unmarshal(raw, &got))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestControlPublishesOnTheCanary(t *testing.T) {
	key, err := mockidp.NewKey(jose.ES256)
	harness.Must(t, err)
	canary, err := mockidp.StartCanary(t.Context(), "127.0.0.1:0", key)
	harness.Must(t, err)
	defer canary.Close()
	api := httptest.NewServer(mockidp.NewControlHandler("s", nil, canary))
	defer api.Close()
	control := mockidp.NewControl(api.URL, "s")

	harness.Must(t, control.Publish(t.Context(), "one", "a/b.json", mockidp.Reply{Status: http.StatusAccepted,
		Body: "{}"}))
	if got := harness.Get(t, nil, canary.URL()+"/one/a/b.json"); got.Status != http.StatusAccepted ||
		string(got.Body) != "{}" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	hits, err := control.Hits(t.Context(), "one")
	harness.Must(t, err)
	if len(hits) != 1 || hits[0].Method != http.MethodGet {
		t.Errorf("%+v", hits)
	}
	if none, err := control.Hits(t.Context(), "two"); err != nil || len(none) != 0 {
		t.Errorf("%v, %v", none, err)
	}
}
