package directory_test

import (
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp/directory"
)

func TestCompileChecksSAML(t *testing.T) {
	compile := func(id string, s directory.SAML) error {
		return (&directory.Directory{Clients: []directory.Client{{ID: id, SAML: &s}}}).Compile()
	}
	sound := directory.SAML{EntityID: "https://agent.example/saml", ACS: []string{"https://agent.example/acs"}}
	if err := compile("agent", sound); err != nil {
		t.Fatal(err)
	}
	for says, spoil := range map[string]func(id *string, s *directory.SAML){
		"clients[0].id: ":             func(id *string, _ *directory.SAML) { *id = "https://agent.example/client" },
		"clients[0].saml.entity_id: ": func(_ *string, s *directory.SAML) { s.EntityID = "" },
		"clients[0].saml.acs: ":       func(_ *string, s *directory.SAML) { s.ACS = nil },
		"clients[0].saml.acs[0]: ":    func(_ *string, s *directory.SAML) { s.ACS = []string{"acs"} },
		"clients[0].saml.name_id: ":   func(_ *string, s *directory.SAML) { s.NameID = "nickname" },
	} {
		id, s := "agent", sound
		spoil(&id, &s)
		if err := compile(id, s); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("expected an error at %s got %v", says, err)
		}
	}
}
