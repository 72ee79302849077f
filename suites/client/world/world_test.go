package world

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/wire"
)

func served(t *testing.T, o Options) *World {
	t.Helper()
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	if err := w.Serve(context.Background()); err != nil {
		t.Fatal(err)
	}
	return w
}

func send(t *testing.T, method, url string, header map[string]string, body string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

// TestLeaks puts secrets where they belong, and where they do not.
func TestLeaks(t *testing.T) {
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	for name, c := range map[string]struct {
		send func(t *testing.T, w *World, idToken string)
		text string
		want string // in the one leak; "" is none
	}{
		"at home": {send: func(t *testing.T, w *World, token string) {
			send(t, "POST", w.IdP.URL+"/token", form, url.Values{"subject_token": {token}}.Encode())
		}},
		"at another party": {send: func(t *testing.T, w *World, token string) {
			send(t, "POST", w.RAS.URL+"/token", form, url.Values{"assertion": {token}}.Encode())
		}, want: "a request to RAS"},
		"in a URL at home": {send: func(t *testing.T, w *World, token string) {
			send(t, "GET", w.IdP.URL+"/token?subject_token="+token, nil, "")
		}, want: "the URL"},
		"as a hint at home": {send: func(t *testing.T, w *World, token string) {
			send(t, "GET", w.IdP.URL+"/authorize?id_token_hint="+token, nil, "")
		}},
		"as a hint elsewhere": {send: func(t *testing.T, w *World, token string) {
			send(t, "GET", w.Consent.URL+"/authorize?id_token_hint="+token, nil, "")
		}, want: "the URL"},
		"in a Referer": {send: func(t *testing.T, w *World, token string) {
			send(t, "GET", w.Consent.URL+"/", map[string]string{"Referer": "https://app.example/?t=" + token}, "")
		}, want: "the Referer"},
		"in a header": {send: func(t *testing.T, w *World, token string) {
			send(t, "GET", w.Attacker.URL+"/", map[string]string{"X-Token": token}, "")
		}, want: "a request to attacker"},
		"in Basic credentials": {send: func(t *testing.T, w *World, _ string) {
			r, err := http.NewRequest(http.MethodPost, w.Attacker.URL+"/token", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.SetBasicAuth(ClientID, w.ClientSecret)
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}, want: "the client secret stood in a request to attacker"},
		"printed": {text: "TOKEN", want: "standard output"},
	} {
		t.Run(name, func(t *testing.T) {
			w := served(t, Options{})
			token := w.Context()["idp_id_token"].(string)
			if c.send != nil {
				c.send(t, w, token)
			}
			leaks := w.Leaks(map[string][]byte{"standard output": []byte(strings.ReplaceAll(c.text, "TOKEN", token))})
			switch {
			case c.want == "" && len(leaks) > 0:
				t.Errorf("seen as leaks: %v", leaks)
			case c.want != "" && (len(leaks) != 1 || !strings.Contains(leaks[0].String(), c.want)):
				t.Errorf("want one leak with %q, got %v", c.want, leaks)
			}
		})
	}
}

// TestExchangesAreRedacted wants no secret of a world in what leaves it.
func TestExchangesAreRedacted(t *testing.T) {
	w := served(t, Options{Confidential: true})
	settings := w.Context()
	token := settings["idp_id_token"].(string)
	send(t, "POST", w.IdP.URL+"/token", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, url.Values{
		"grant_type": {
			GrantExchange,
		}, "requested_token_type": {TypeIDJAG}, "audience": {w.RAS.Issuer}, "subject_token": {token},
		"subject_token_type": {TypeIDToken}, "client_id": {IdPClientID}, "client_secret": {w.IdPClientSecret},
	}.Encode())
	rec := wire.NewRecorder(nil)
	w.Record(rec, reports.Setup)
	exchanges := rec.Exchanges()
	raw, err := json.Marshal(exchanges)
	if err != nil {
		t.Fatal(err)
	}
	if len(exchanges) != 1 || !strings.Contains(string(raw), "‹id-jag 1›") {
		t.Errorf("the exchange is not there, or has no ID-JAG: %d exchanges", len(exchanges))
	}
	for _, s := range w.Secrets() {
		if strings.Contains(string(raw), s.Value) {
			t.Errorf("the %s stands in the record", s.Kind)
		}
	}
}
