package control_test

import (
	"encoding/base64"
	"testing"

	"github.com/beevik/etree"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

func TestControlAPIMintsSAMLResponses(t *testing.T) {
	d := described(t)
	harness.Must(t, d.idp.Update(func(all *directory.Directory) error {
		for n := range all.Clients {
			if all.Clients[n].ID == harness.Agent {
				all.Clients[n].SAML = &directory.SAML{EntityID: "https://sp.example", ACS: []string{"https://sp.example/acs"}}
			}
		}
		return nil
	}))
	order := func(status int, more map[string]any) *etree.Element {
		t.Helper()
		body := map[string]any{"kind": "saml_response", "user": harness.Alice, "client": harness.Agent}
		for name, value := range more {
			body[name] = value
		}
		var minted struct{ Token string }
		d.do("POST", "/tokens", body, status, &minted)
		raw, err := base64.StdEncoding.DecodeString(minted.Token)
		harness.Must(t, err)
		document := etree.NewDocument()
		harness.Must(t, document.ReadFromBytes(raw))
		return document.Root()
	}
	text := func(response *etree.Element, path string) string {
		if found := response.FindElement(path); found != nil {
			return found.Text()
		}
		return ""
	}
	honest := order(200, nil)
	if honest.SelectAttrValue("Destination", "") != "https://sp.example/acs" ||
		text(honest, "./Assertion/Subject/NameID") != harness.Alice ||
		honest.FindElement("./Signature") == nil {
		t.Error("the honest response is not for the application, not of the user, or not signed")
	}
	provider, err := d.idp.SAML()
	harness.Must(t, err)
	app, _ := d.idp.SAMLApp(harness.Agent)
	assertion := etree.NewDocumentWithRoot(honest.FindElement("./Assertion").Copy())
	raw, err := assertion.WriteToBytes()
	harness.Must(t, err)
	if _, err := provider.Verify(base64.StdEncoding.EncodeToString(raw), app); err != nil {
		t.Errorf("the honest assertion is refused: %v", err)
	}
	edited := order(200, map[string]any{"set": map[string]any{"name_id": "mallory@evil.example",
		"audience":       "https://other.example",
		"in_response_to": "_1", "not_on_or_after": "2020-01-01T00:00:00Z",
		"attributes": map[string]any{"groups": []string{"Finance"}}},
		"delete": []string{"session_index"}})
	conditions := edited.FindElement("./Assertion/Conditions")
	if text(edited, "./Assertion/Subject/NameID") != "mallory@evil.example" || text(edited, "./Assertion//Audience") !=
		"https://other.example" ||
		edited.SelectAttrValue("InResponseTo", "") != "_1" || text(edited, "./Assertion//AttributeValue") != "Finance" ||
		conditions == nil || conditions.SelectAttrValue("NotOnOrAfter", "")[:4] != "2020" ||
		edited.FindElement("./Assertion/AuthnStatement").SelectAttr("SessionIndex") != nil {
		t.Error("the response is not as it was ordered")
	}
	if audience := order(200, map[string]any{"delete": []string{"audience",
		"name_id"}}); audience.FindElement(".//Audience") != nil ||
		audience.FindElement(".//NameID") != nil {
		t.Error("what was to be left out is there")
	}
	for name, more := range map[string]map[string]any{
		"an unknown member": {"set": map[string]any{"aud": "x"}}, "no time": {"set": map[string]any{"not_before": "now"}},
		"no list": {"set": map[string]any{"attributes": "x"}}, "gone": {"delete": []string{"issuer"}},
		"a header": {"header": map[string]any{"a": 1}},
		"a number": {"set": map[string]any{"audience": 1}},
	} {
		body := map[string]any{"kind": "saml_response", "user": harness.Alice, "client": harness.Agent}
		for k, v := range more {
			body[k] = v
		}
		t.Log(name)
		d.do("POST", "/tokens", body, 400, nil)
	}
	d.do("POST", "/tokens", map[string]any{"kind": "saml_response", "user": harness.Alice, "client": "nobody"}, 404, nil)
}
