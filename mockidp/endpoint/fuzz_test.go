package endpoint_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/mutate"
)

// FuzzTokenEndpoint sends any body, with any credentials, to the token endpoint. It answers with an OAuth error, or
// with a token when the body holds the secret and a good token; never with a 5xx, never with something that is not
// JSON.
func FuzzTokenEndpoint(f *testing.F) {
	keys, err := mockidp.NewKeySet(jose.ES256)
	if err != nil {
		f.Fatal(err)
	}
	idp, err := mockidp.NewIdP(mockidp.ServerOptions{URL: "http://idp.example", Keys: keys,
		Directory: directory.Default()})
	if err != nil {
		f.Fatal(err)
	}
	token, err := idp.NewIDToken(alice, agent)
	if err != nil {
		f.Fatal(err)
	}
	subject, err := token.Sign()
	if err != nil {
		f.Fatal(err)
	}
	secret := idp.Directory().Client(agent).Secret
	credentials := []string{"client_id", agent, "client_secret", secret}
	for _, form := range []url.Values{
		exchange(subject, credentials...), exchange("x.y.z", credentials...),
		exchange(subject, append(credentials, "authorization_details", `[{"type":"x"}]`)...),
		exchange("AAAA", append(credentials, "subject_token_type", "urn:ietf:params:oauth:token-type:refresh_token")...),
		exchange("PHg+", append(credentials, "subject_token_type", "urn:ietf:params:oauth:token-type:saml2",
			"requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")...),
		{"grant_type": {"authorization_code"}, "code": {"x"}, "client_id": {agent}, "client_secret": {secret}},
		{"grant_type": {"refresh_token"}, "refresh_token": {"x"}, "client_assertion": {subject},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}},
	} {
		mutate.Add(f, form.Encode(), "", "")
		mutate.Add(f, form.Encode(), "Basic eDp5", "eyJhbGciOiJFUzI1NiJ9.e30.AA")
	}
	f.Fuzz(func(t *testing.T, body, authorization, proof string) {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/oauth2/v1/token", strings.NewReader(body))
		r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		if authorization != "" {
			r.Header["Authorization"] = []string{authorization}
		}
		if proof != "" {
			r.Header["Dpop"] = []string{proof}
		}
		w := httptest.NewRecorder()
		idp.ServeHTTP(w, r)
		raw, err := io.ReadAll(w.Result().Body)
		if err != nil {
			t.Fatal(err)
		}
		var answer map[string]any
		if err := json.Unmarshal(raw, &answer); err != nil {
			t.Fatalf("%d: not JSON: %v", w.Code, err)
		}
		switch {
		case w.Code >= 500:
			t.Errorf("%d %v", w.Code, answer["error"])
		case w.Code == http.StatusOK && (!strings.Contains(body, secret) || answer["access_token"] == nil):
			t.Error("granted without the secret, or without a token")
		case w.Code != http.StatusOK && (answer["error"] == nil || answer["access_token"] != nil):
			t.Errorf("%d: no OAuth error, or a token with it", w.Code)
		}
		if description, _ := answer["error_description"].(string); strings.ContainsFunc(description, func(r rune) bool {
			return r < ' ' || r > '~'
		}) {
			t.Error("error_description is not printable ASCII")
		}
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Error("the answer may be cached")
		}
	})
}
