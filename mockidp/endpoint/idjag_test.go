package endpoint_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

// grantFor exchanges alice's ID token at a directory that edit has changed, and returns the answer.
func grantFor(t *testing.T, edit func(*directory.Directory), changes ...string) (int, map[string]any) {
	t.Helper()
	d := directory.Default().Clone()
	edit(d)
	idp := mockidp.New(t, mockidp.WithDirectory(d))
	honest, err := idp.IDToken(alice, agent).Sign()
	harness.Must(t, err)
	return idp.TokenRequest(agent, exchange(honest, changes...))
}

func TestIDJAGClaimsByConfiguration(t *testing.T) {
	yes := true
	for name, c := range map[string]struct {
		edit    func(*directory.Directory)
		changes []string
		want    map[string]any // nil: the claim is absent
	}{
		"by default": {func(*directory.Directory) {}, nil,
			map[string]any{"tenant": nil, "auth_time": nil, "amr": nil, "nbf": nil,
				"aud_tenant": nil, "cnf": nil, "authorization_details": nil, "email": alice, "sub_profile": "user",
				"act": map[string]any{"sub": agent, "sub_profile": "ai_agent web_app"}}},
		"alias": {func(*directory.Directory) {}, []string{"audience", "urn:acme:notes"}, map[string]any{"aud": notes}},
		"no resource, no scope": {func(*directory.Directory) {}, []string{"resource", "", "scope", ""}, map[string]any{
			"resource": nil, "scope": nil}},
		"tenant": {func(d *directory.Directory) { d.Settings.Tenant = "acme" }, nil, map[string]any{"tenant": "acme"}},
		"subject": {func(d *directory.Directory) { d.Connectors[0].Subject = directory.SubjectEmail }, nil,
			map[string]any{"sub": alice}},
		"own subject": {func(d *directory.Directory) {
			d.Users[0].Accounts = map[string]directory.Account{"notes": {Subject: "u-17", Sub: "acct-17", Tenant: "t-1"}}
		}, nil, map[string]any{"sub": "u-17", "aud_sub": "acct-17", "aud_tenant": "t-1"}},
		"SAML issuer": {func(d *directory.Directory) { d.Connectors[0].SAMLIssuer = "http://idp/exk1" }, nil, map[string]any{
			"sub_id": map[string]any{"format": "saml-nameid", "issuer": "http://idp/exk1", "nameid": alice,
				"nameid_format": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"}}},
		"authentication": {func(d *directory.Directory) { d.Settings.AuthClaims = &yes }, nil, map[string]any{
			"amr": []any{"pwd"}, "acr": mockidp.ACROneFactor}},
		"lifetime": {func(d *directory.Directory) { d.Settings.IDJAGLifetime = directory.Duration(time.Minute) }, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := grantFor(t, c.edit, c.changes...)
			if status != http.StatusOK {
				t.Fatalf("%d %v %v", status, answer["error"], answer["error_description"])
			}
			claims := claimsOf(t, answer["access_token"])
			for claim, want := range c.want {
				if diff := cmp.Diff(want, claims[claim]); diff != "" {
					t.Errorf("%s: %s", claim, diff)
				}
			}
			if lifetime := claims["exp"].(float64) - claims["iat"].(float64); lifetime != answer["expires_in"] {
				t.Errorf("lives for %v s, expires_in %v", lifetime, answer["expires_in"])
			}
		})
	}
}

func TestScopesDroppedAreReported(t *testing.T) {
	status, answer := grantFor(t, func(d *directory.Directory) { d.Connections[0].Scopes = []string{"notes.read"} },
		"scope", "notes.write notes.read")
	if status != http.StatusOK || answer["scope"] != "notes.read" || claimsOf(t, answer["access_token"])["scope"] !=
		"notes.read" {
		t.Errorf("%d %v", status, answer["scope"])
	}
	if status, answer := grantFor(t, func(d *directory.Directory) {
		d.Connections[0].Scopes, d.Settings.ExcessScopes = []string{"notes.read"}, directory.RefuseScopes
	}, "scope", "notes.write notes.read"); status != http.StatusBadRequest || answer["error"] != "invalid_scope" {
		t.Errorf("%d %v", status, answer["error"])
	}
}

func TestAuthorizationDetails(t *testing.T) {
	details := `[{"type":"note","actions":["read"]}]`
	status, answer := grantFor(t, func(d *directory.Directory) { d.Connectors[0].DetailTypes = []string{"note"} },
		"authorization_details", details)
	if status != http.StatusOK {
		t.Fatal(status, answer["error"])
	}
	want := []any{map[string]any{"type": "note", "actions": []any{"read"}}}
	if diff := cmp.Diff(want, claimsOf(t, answer["access_token"])["authorization_details"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, answer["authorization_details"]); diff != "" {
		t.Error(diff)
	}
}

func TestStepUp(t *testing.T) {
	now := time.Now()
	d := directory.Default().Clone()
	d.Connectors[0].StepUp = directory.StepUp{MaxAge: directory.Duration(time.Minute),
		ACR: []string{mockidp.ACRTwoFactors}}
	idp := mockidp.New(t, mockidp.WithDirectory(d), mockidp.WithClock(func() time.Time { return now }))
	weak, err := idp.IDToken(alice, agent).Sign()
	harness.Must(t, err)
	status, answer := idp.TokenRequest(agent, exchange(weak))
	if status != http.StatusBadRequest || answer["error"] != "insufficient_user_authentication" ||
		answer["max_age"] != 60.0 ||
		answer["acr_values"] != mockidp.ACRTwoFactors {
		t.Errorf("%d %v", status, answer)
	}
	strong := idp.Login(alice, agent).IDToken
	if status, answer := idp.TokenRequest(agent, exchange(strong)); status != http.StatusOK {
		t.Errorf("after a strong sign-in: %d %v", status, answer)
	}
	idp.Advance(2 * time.Minute)
	if status, answer := idp.TokenRequest(agent, exchange(strong)); status != http.StatusBadRequest ||
		answer["error"] != "insufficient_user_authentication" {
		t.Errorf("two minutes later: %d %v", status, answer["error"])
	}
}

func TestEncryptedIDJAG(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	harness.Must(t, err)
	status, answer := grantFor(t, func(d *directory.Directory) {
		d.Connectors[0].EncryptTo = &directory.JWK{JSONWebKey: jose.JSONWebKey{Key: &private.PublicKey, KeyID: "ras-1",
			Algorithm: "ECDH-ES+A256KW"}}
	})
	if status != http.StatusOK {
		t.Fatal(status, answer["error"])
	}
	object, err := jose.ParseEncryptedCompact(answer["access_token"].(string), []jose.KeyAlgorithm{jose.ECDH_ES_A256KW},
		[]jose.ContentEncryption{jose.A256GCM})
	harness.Must(t, err)
	if object.Header.KeyID != "ras-1" || object.Header.ExtraHeaders["cty"] != "oauth-id-jag+jwt" {
		t.Errorf("%+v", object.Header)
	}
	inner, err := object.Decrypt(private)
	harness.Must(t, err)
	if claimsOf(t, string(inner))["aud"] != notes {
		t.Error("it does not hold the grant")
	}
}

// proofOf makes a DPoP proof with changes to its claims; a nil value takes a claim away.
func proofOf(t *testing.T, key *mockidp.Key, url string, changes map[string]any) string {
	t.Helper()
	public := key.Public()
	token := mockidp.NewToken(key, "dpop+jwt", map[string]any{"htm": "POST", "htu": url, "iat": time.Now().Unix(),
		"jti": rand.Text()})
	token.Header["jwk"] = public
	delete(token.Header, "kid")
	for name, value := range changes {
		if value == nil {
			delete(token.Claims, name)
		} else {
			token.Claims[name] = value
		}
	}
	compact, err := token.Sign()
	harness.Must(t, err)
	return compact
}

func TestDPoPBindsTheGrant(t *testing.T) {
	idp := mockidp.New(t)
	client := idp.Directory().Client(agent)
	honest, err := idp.IDToken(alice, agent).Sign()
	harness.Must(t, err)
	key, err := mockidp.NewKey(jose.ES256)
	harness.Must(t, err)
	send := func(proofs ...string) (int, map[string]any) {
		req, err := http.NewRequest(http.MethodPost,
			idp.TokenURL(), strings.NewReader(exchange(honest, "client_id", client.ID, "client_secret", client.Secret).Encode()))
		harness.Must(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header["Dpop"] = proofs
		res, err := http.DefaultClient.Do(req)
		harness.Must(t, err)
		defer res.Body.Close()
		var answer map[string]any
		harness.Must(t, json.NewDecoder(res.Body).Decode(&answer))
		return res.StatusCode, answer
	}
	good := proofOf(t, key, idp.TokenURL(), nil)
	status, answer := send(good)
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, answer)
	}
	if diff := cmp.Diff(map[string]any{"jkt": key.KeyID}, claimsOf(t, answer["access_token"])["cnf"]); diff != "" {
		t.Error(diff)
	}
	if answer["token_type"] != "N_A" {
		t.Error(answer["token_type"])
	}
	for name, proofs := range map[string][]string{
		"replayed": {good}, "two": {proofOf(t, key, idp.TokenURL(), nil), proofOf(t, key, idp.TokenURL(), nil)},
		"htu":    {proofOf(t, key, idp.URL()+"/oauth2/v1/authorize", nil)},
		"htm":    {proofOf(t, key, idp.TokenURL(), map[string]any{"htm": "GET"})},
		"old":    {proofOf(t, key, idp.TokenURL(), map[string]any{"iat": time.Now().Unix() - 3600})},
		"no jti": {proofOf(t, key, idp.TokenURL(), map[string]any{"jti": nil})},
		"no iat": {proofOf(t, key, idp.TokenURL(), map[string]any{"iat": nil})}, "garbage": {"garbage"},
		"an ID token": {honest},
	} {
		if status, answer := send(proofs...); status != http.StatusBadRequest || answer["error"] != "invalid_dpop_proof" {
			t.Errorf("%s: %d %v", name, status, answer["error"])
		}
	}
}

func TestIDsAreUnique(t *testing.T) {
	idp := mockidp.New(t, mockidp.WithAlgorithm(jose.ES256))
	honest, err := idp.IDToken(alice, agent).Sign()
	harness.Must(t, err)
	seen := map[any]bool{}
	for range 1000 {
		_, answer := idp.TokenRequest(agent, exchange(honest))
		seen[claimsOf(t, answer["access_token"])["jti"]] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d different jti in 1000 grants", len(seen))
	}
}

func TestGrantVerifiesAgainstThePublishedKeys(t *testing.T) {
	for _, alg := range mockidp.Algorithms() {
		idp := mockidp.New(t, mockidp.WithAlgorithm(alg))
		tokens := idp.Login(alice, agent)
		rotated, err := idp.RotateKeys(false)
		harness.Must(t, err)
		status, answer := idp.TokenRequest(agent, exchange(tokens.IDToken)) // signed with the key before
		if status != http.StatusOK {
			t.Fatalf("%s: %d %v", alg, status, answer)
		}
		var set jose.JSONWebKeySet
		harness.Must(t, json.Unmarshal(harness.Get(t, nil, idp.JWKSURI()).Body, &set))
		token, err := jwt.ParseSigned(answer["access_token"].(string), []jose.SignatureAlgorithm{alg})
		harness.Must(t, err)
		if token.Headers[0].KeyID != rotated.KeyID {
			t.Errorf("%s: not signed with the new key", alg)
		}
		if err := token.Claims(&set, new(jwt.Claims)); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if _, err := idp.RotateKeys(true); err != nil {
			t.Fatal(err)
		}
		if status, _ := idp.TokenRequest(agent, exchange(tokens.IDToken)); status != http.StatusBadRequest {
			t.Errorf("%s: an ID token of a withdrawn key is taken", alg)
		}
	}
}
