package endpoint_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

func TestPrivateKeyJWT(t *testing.T) {
	key, err := mockidp.NewKey(jose.ES256)
	harness.Must(t, err)
	stranger, err := mockidp.NewKey(jose.ES256)
	harness.Must(t, err)
	stranger.KeyID = key.KeyID
	d := directory.Default().Clone()
	d.Clients[0].Auth, d.Clients[0].Secret = directory.PrivateKeyJWT, ""
	d.Clients[0].JWKS = &directory.JWKS{JSONWebKeySet: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}}
	idp := mockidp.New(t, mockidp.WithDirectory(d))
	subject, err := idp.IDToken(alice, agent).Sign()
	harness.Must(t, err)
	send := func(signer *mockidp.Key, changes map[string]any) (int, string, any) {
		now := time.Now().Unix()
		token := mockidp.NewToken(signer, "", map[string]any{"iss": agent, "sub": agent,
			"aud": idp.TokenURL(), "jti": rand.Text(), "iat": now, "exp": now + 60})
		for name, value := range changes {
			if value == nil {
				delete(token.Claims, name)
			} else {
				token.Claims[name] = value
			}
		}
		compact, err := token.Sign()
		harness.Must(t, err)
		status, answer := idp.TokenRequest(agent, exchange(subject, "client_assertion", compact,
			"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
		entries := idp.Audit().Entries()
		return status, entries[len(entries)-1].Reason, answer["error"]
	}
	if status, reason, code := send(key, map[string]any{"jti": "once"}); status != http.StatusOK {
		t.Fatalf("the honest twin: %d %v %s", status, code, reason)
	}
	for name, c := range map[string]struct {
		signer  *mockidp.Key
		changes map[string]any
		reason  string
	}{
		"replayed":      {key, map[string]any{"jti": "once"}, "client_assertion_replayed"},
		"wrong key":     {stranger, nil, "client_assertion_signature_invalid"},
		"issuer as aud": {key, map[string]any{"aud": idp.URL()}, "client_assertion_aud_invalid"},
		"two audiences": {key, map[string]any{"aud": []string{idp.TokenURL(), "https://x.example"}},
			"client_assertion_aud_invalid"},
		"another iss":      {key, map[string]any{"iss": codepilot}, "client_assertion_iss_mismatch"},
		"another client":   {key, map[string]any{"iss": codepilot, "sub": codepilot}, "client_assertion_sub_mismatch"},
		"expired":          {key, map[string]any{"exp": time.Now().Unix() - 120}, "client_assertion_expired"},
		"no exp":           {key, map[string]any{"exp": nil}, "client_assertion_exp_missing"},
		"exp too far":      {key, map[string]any{"exp": time.Now().Unix() + 7200}, "client_assertion_exp_too_far"},
		"iat in future":    {key, map[string]any{"iat": time.Now().Unix() + 600}, "client_assertion_iat_in_future"},
		"nbf in future":    {key, map[string]any{"nbf": time.Now().Unix() + 600}, "client_assertion_nbf_in_future"},
		"exp is no number": {key, map[string]any{"exp": "tomorrow"}, "client_assertion_claims_invalid"},
	} {
		if status, reason, code := send(c.signer, c.changes); status != http.StatusUnauthorized ||
			code != "invalid_client" || reason != c.reason {
			t.Errorf("%s: %d %v %s, expected %s", name, status, code, reason, c.reason)
		}
	}
	secret := exchange(subject, "client_id", agent, "client_secret", "guess")
	if res := request(t, http.MethodPost, idp.TokenURL(), "", secret); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a secret in place of the key: %d", res.StatusCode)
	}
}

func TestClientAuthentication(t *testing.T) {
	idp := mockidp.New(t, mockidp.WithClient(directory.Client{ID: "open", RedirectURIs: []string{callback},
		Assigned: directory.Assignment{Everyone: true}}),
		mockidp.WithClient(directory.Client{ID: "basic", Auth: directory.SecretBasic, Secret: "p:w %",
			Assigned: directory.Assignment{Everyone: true}}))
	honest, err := idp.IDToken(alice, agent).Sign()
	harness.Must(t, err)
	secret := idp.Directory().Client(agent).Secret
	type auth struct {
		basic [2]string
		form  []string
	}
	for name, c := range map[string]struct {
		auth
		status int
		code   any
	}{
		"basic":            {auth{basic: [2]string{agent, secret}}, 200, nil},
		"form":             {auth{form: []string{"client_id", agent, "client_secret", secret}}, 200, nil},
		"none":             {auth{}, 401, "invalid_client"},
		"id alone":         {auth{form: []string{"client_id", agent}}, 401, "invalid_client"},
		"wrong secret":     {auth{basic: [2]string{agent, secret + "x"}}, 401, "invalid_client"},
		"empty secret":     {auth{basic: [2]string{agent, ""}}, 401, "invalid_client"},
		"another's secret": {auth{basic: [2]string{codepilot, secret}}, 401, "invalid_client"},
		"unknown client":   {auth{basic: [2]string{"nobody", secret}}, 401, "invalid_client"},
		"both": {auth{[2]string{agent, secret}, []string{"client_id", agent, "client_secret", secret}},
			401, "invalid_request"},
		"ids differ": {auth{[2]string{agent, secret}, []string{"client_id", codepilot}}, 401, "invalid_client"},
		"assertion type": {auth{form: []string{"client_assertion", honest, "client_assertion_type", "x"}}, 401,
			"invalid_client"},
		"ID token as assertion": {auth{form: []string{"client_assertion", honest, "client_assertion_type",
			"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}, 401, "invalid_client"},
		// authenticated, but the ID token is another's
		"escaped Basic": {auth{basic: [2]string{"basic", "p%3Aw+%25"}}, 400, "invalid_request"},
		"Basic client by form": {auth{form: []string{"client_id", "basic", "client_secret", "p:w %"}}, 401,
			"invalid_client"},
		// taken, but the ID token is another's
		"public client": {auth{form: []string{"client_id", "open"}}, 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequest(http.MethodPost, idp.TokenURL(), strings.NewReader(exchange(honest, c.form...).Encode()))
			harness.Must(t, err)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if c.basic[0] != "" {
				req.SetBasicAuth(c.basic[0], c.basic[1])
			}
			res, err := http.DefaultClient.Do(req)
			harness.Must(t, err)
			defer res.Body.Close()
			var answer map[string]any
			harness.Must(t, json.NewDecoder(res.Body).Decode(&answer))
			if res.StatusCode != c.status || answer["error"] != c.code {
				t.Errorf("%d %v, expected %d %v", res.StatusCode, answer["error"], c.status, c.code)
			}
			challenged := strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Basic ")
			if c.status == 401 && c.basic[0] != "" && !challenged {
				t.Error("a failed Basic authentication is not challenged")
			}
		})
	}
}
