package endpoint_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
		"okta-agent": {issuer: `:\d+$`, sub: id, idToken: []string{"ver", "idp"}, idJAG: []string{"act", "sub_profile",
			"email"},
			absent: []string{"auth_time", "nbf", "tenant", "sub_id"}},
		"okta-saml": {issuer: `:\d+$`, sub: id, idJAG: []string{"act", "sub_profile", "sub_id"}, absent: []string{"nbf"}},
		"okta-mcp":  {issuer: `:\d+$`, sub: id, idJAG: []string{"email", "resource"}, absent: []string{"act", "sub_profile"}},
		"xaa.dev":   {issuer: `:\d+$`, sub: `^alice@acme\.example$`, idJAG: []string{"nbf"}, absent: []string{"act"}},
		"claude":    {issuer: `/issuers/acme$`, sub: uuid, idJAG: []string{"email"}, absent: []string{"auth_time", "tenant"}},
		"generic":   {issuer: `:\d+$`, sub: uuid, idJAG: []string{"email", "auth_time", "amr"}, absent: []string{"nbf"}},
		"entra": {issuer: `/[0-9a-f-]{36}/v2\.0$`, sub: `^[\w-]{43}$`, idToken: []string{"tid", "oid", "nbf", "ver"},
			idJAG: []string{"nbf", "tenant", "auth_time"}, absent: []string{"email"}},
		"google": {issuer: `:\d+$`, sub: `^\d{21}$`, idToken: []string{"hd", "azp"}, idJAG: []string{"email"},
			absent: []string{"auth_time"}},
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
			if d.What == "" || !d.Guess() && (!strings.HasPrefix(d.Source, "https://") || d.Date == "") {
				t.Errorf("%s: %+v", f.Name, d)
			}
		}
	}
	if _, err := flavour.Find("mint"); err == nil || !strings.Contains(err.Error(), "okta") {
		t.Errorf("%v", err)
	}
}

// What a flavour makes of an honest grant says of the user, the client and the resource what it said before.
func TestShapesKeepWhatIsGranted(t *testing.T) {
	idp := mockidp.New(t)
	for _, f := range flavour.All() {
		token := idp.IDJAG(alice, agent, "notes")
		before := token.Clone().Claims
		f.Shape(token, flavour.Account{Client: agent, Email: alice, Tenant: "acme", NameID: alice,
			SAMLIssuer: "https://idp.example/saml"})
		for _, name := range []string{"iss", "sub", "aud", "client_id", "resource", "scope", "iat", "exp"} {
			if diff := cmp.Diff(before[name], token.Claims[name]); diff != "" {
				t.Errorf("%s changes %s: %s", f.Name, name, diff)
			}
		}
		if _, err := token.Sign(); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		act, _ := token.Claims["act"].(map[string]any)
		if agent := strings.HasPrefix(f.Name, "okta-") &&
			f.Name != "okta-mcp"; agent != (act["sub_profile"] == "ai_agent web_app") {
			t.Errorf("%s: act %v", f.Name, act)
		}
		if saml := token.Claims["sub_id"] != nil; saml != (f.Name == "okta-saml") {
			t.Errorf("%s: sub_id %v", f.Name, token.Claims["sub_id"])
		}
	}
}
