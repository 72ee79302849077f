package clientauth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/clientauth"
)

const secret = "p@ss: word+%"

func clients(t *testing.T) *directory.Directory {
	t.Helper()
	d := &directory.Directory{}
	for id, auth := range map[string]directory.AuthMethod{"any": directory.Secret, "basic": directory.SecretBasic,
		"post": directory.SecretPost, "public": directory.Public} {
		k := directory.Client{ID: id, Auth: auth, RedirectURIs: []string{"http://127.0.0.1/callback"}}
		if auth != directory.Public {
			k.Secret = secret
		}
		d.Clients = append(d.Clients, k)
	}
	d.Clients = append(d.Clients, directory.Client{ID: "off", Secret: secret, Status: directory.Inactive,
		RedirectURIs: []string{"http://127.0.0.1/callback"}})
	if err := d.Compile(); err != nil {
		t.Fatal(err)
	}
	return d
}

// A request authenticates by the method of its client, in one way, and by nothing else (RFC 6749 section 2.3).
func TestAuthenticate(t *testing.T) {
	d := clients(t)
	basic := func(id, secret string) []string {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
		return r.Header.Values("Authorization")
	}
	form := func(pairs ...string) url.Values {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	for name, c := range map[string]struct {
		header []string
		form   url.Values
		client string // "" is a refusal
		reason string
	}{
		"basic":                  {basic("basic", secret), nil, "basic", ""},
		"basic, client_id again": {basic("basic", secret), form("client_id", "basic"), "basic", ""},
		"post":                   {nil, form("client_id", "post", "client_secret", secret), "post", ""},
		"any by basic":           {basic("any", secret), nil, "any", ""},
		"any by post":            {nil, form("client_id", "any", "client_secret", secret), "any", ""},
		"public":                 {nil, form("client_id", "public"), "public", ""},

		"nothing":               {nil, nil, "", "missing_client_credentials"},
		"no secret":             {nil, form("client_id", "any"), "", "missing_client_credentials"},
		"empty secret by basic": {basic("basic", ""), nil, "", "missing_client_credentials"},
		"wrong secret":          {basic("basic", secret+"x"), nil, "", "invalid_client_secret"},
		"unknown":               {basic("nobody", secret), nil, "", "invalid_client_id"},
		"inactive":              {nil, form("client_id", "off", "client_secret", secret), "", "client_inactive"},
		"post client by basic":  {basic("post", secret), nil, "", "client_auth_method_not_allowed"},
		"basic client by post": {nil, form("client_id", "basic", "client_secret", secret), "",
			"client_auth_method_not_allowed"},
		"public with a secret": {nil, form("client_id", "public", "client_secret", "x"), "",
			"client_auth_method_not_allowed"},
		"another client_id": {basic("basic", secret), form("client_id", "any"), "", "client_id_mismatch"},
		"basic and post": {basic("any", secret), form("client_id", "any", "client_secret", secret), "",
			"multiple_client_credentials"},
		"basic and assertion": {basic("any", secret), form("client_assertion", "x"), "", "multiple_client_credentials"},
		"post and assertion": {nil, form("client_secret", secret, "client_assertion", "x"), "",
			"multiple_client_credentials"},
		"bearer": {[]string{"Bearer x"}, nil, "", "invalid_client_credentials"},
		"two headers": {append(basic("any", secret), basic("any", secret)...), nil, "",
			"invalid_client_credentials"},
		"bad escape": {[]string{"Basic JTo="}, nil, "", "invalid_client_credentials"}, // "%:"
		"assertion, no type": {nil, form("client_id", "any", "client_assertion", "x"), "",
			"client_assertion_type_invalid"},
		"assertion, no JWT":      {nil, assertion("x.y.z"), "", "client_assertion_invalid"},
		"assertion, alg none":    {nil, assertion("eyJhbGciOiJub25lIn0.e30."), "", "client_assertion_invalid"},
		"assertion, HMAC of key": {nil, assertion("eyJhbGciOiJIUzI1NiJ9.e30.AAAA"), "", "client_assertion_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/token", nil)
			r.Header["Authorization"] = c.header
			v := clientauth.Verifier{Audiences: []string{"https://idp.example/token"}, Now: time.Now()}
			client, failed := v.Authenticate(r, c.form, d)
			switch {
			case c.client != "" && (failed != nil || client == nil || client.ID != c.client):
				t.Errorf("refused: %+v", failed)
			case c.client == "" && failed == nil:
				t.Errorf("taken for %s", client.ID)
			case c.client == "" && (failed.ID != c.reason || failed.Status != http.StatusUnauthorized):
				t.Errorf("%d %s, expected 401 %s", failed.Status, failed.ID, c.reason)
			}
		})
	}
}

func assertion(compact string) url.Values {
	return url.Values{"client_assertion": {compact},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}
}
