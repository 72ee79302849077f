package endpoint_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/flavour"
)

// TestFlavours signs in and exchanges at each of them, and looks for what makes it what it is.
func TestFlavours(t *testing.T) {
	type shape struct {
		issuer, sub    string // patterns
		idToken, idJAG []string
		absent         []string // from the ID-JAG
	}
	const id, uuid = `^00u\w{17}$`, `^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$`
	shapes := map[string]shape{
		"okta":    {issuer: `:\d+$`, sub: id, idToken: []string{"ver", "idp"}, absent: []string{"auth_time", "nbf", "tenant", "email"}},
		"claude":  {issuer: `:\d+$`, sub: id, idToken: []string{"ver", "idp"}, idJAG: []string{"email"}, absent: []string{"auth_time"}},
		"generic": {issuer: `:\d+$`, sub: uuid, idJAG: []string{"email", "auth_time", "amr"}, absent: []string{"nbf"}},
		"entra": {issuer: `/[0-9a-f-]{36}/v2\.0$`, sub: `^[\w-]{43}$`, idToken: []string{"tid", "oid", "nbf", "ver"},
			idJAG: []string{"nbf", "tenant", "auth_time"}, absent: []string{"email"}},
		"google": {issuer: `:\d+$`, sub: `^\d{21}$`, idToken: []string{"hd", "azp"}, idJAG: []string{"email"}, absent: []string{"auth_time"}},
	}
	for _, name := range flavour.Names() {
		t.Run(name, func(t *testing.T) {
			want, known := shapes[name]
			if !known {
				t.Fatal("a flavour without a test")
			}
			idp := mockidp.New(t, mockidp.WithFlavour(name), mockidp.WithAlgorithm("ES256"))
			if !regexp.MustCompile(want.issuer).MatchString(idp.URL()) {
				t.Errorf("issuer %s", idp.URL())
			}
			tokens := idp.Login(alice, agent)
			status, answer := idp.TokenRequest(agent, exchange(tokens.IDToken))
			if status != http.StatusOK {
				t.Fatalf("%d %v", status, answer)
			}
			idToken, idJAG := claimsOf(t, tokens.IDToken), claimsOf(t, answer["access_token"])
			for _, claims := range []map[string]any{idToken, idJAG} {
				if sub, _ := claims["sub"].(string); !regexp.MustCompile(want.sub).MatchString(sub) {
					t.Errorf("sub %q", sub)
				}
			}
			for _, claim := range want.idToken {
				if idToken[claim] == nil {
					t.Errorf("the ID token lacks %s", claim)
				}
			}
			for _, claim := range want.idJAG {
				if idJAG[claim] == nil {
					t.Errorf("the ID-JAG lacks %s", claim)
				}
			}
			for _, claim := range want.absent {
				if idJAG[claim] != nil {
					t.Errorf("the ID-JAG has %s", claim)
				}
			}
			if pairwise := idToken["sub"] != idJAG["sub"]; pairwise != (name == "entra") {
				t.Errorf("the subject is another at the RAS: %t", pairwise)
			}
		})
	}
}

func TestDifferencesNameTheirSources(t *testing.T) {
	for _, f := range flavour.All() {
		if len(f.Differences) == 0 {
			t.Errorf("%s says nothing of itself", f.Name)
		}
		for _, d := range f.Differences {
			if d.What == "" || !d.Guess() && !strings.HasPrefix(d.Source, "https://") {
				t.Errorf("%s: %+v", f.Name, d)
			}
		}
	}
	if _, err := flavour.Find("mint"); err == nil || !strings.Contains(err.Error(), "okta") {
		t.Errorf("%v", err)
	}
}
