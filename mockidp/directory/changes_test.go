package directory_test

import (
	"slices"
	"testing"

	"github.com/emaconform/emaconform/mockidp/directory"
)

func TestChangesNameEachObject(t *testing.T) {
	before := directory.Default()
	for want, change := range map[string]func(*directory.Directory){
		"user alice@acme.example: changed": func(d *directory.Directory) {
			d.Users[0].Groups = append(d.Users[0].Groups, "Finance")
		},
		"user zoe@acme.example: added": func(d *directory.Directory) {
			d.Users = append(d.Users, directory.User{Login: "zoe@acme.example"})
		},
		"client 0oa1acmeagent0000000: changed": func(d *directory.Directory) { d.Clients[0].RequirePKCE = true },
		"connector notes: changed": func(d *directory.Directory) {
			d.Connectors[0].Scopes = []string{"notes.read"}
		},
		"connection 0oa1acmeagent0000000~notes: removed": func(d *directory.Directory) {
			d.Connections = slices.DeleteFunc(d.Connections, func(k directory.Connection) bool {
				return k.Client == "0oa1acmeagent0000000" && k.Connector == "notes"
			})
		},
		"policy no contractors: added": func(d *directory.Directory) {
			d.Policies = append(d.Policies, directory.Policy{Name: "no contractors", Effect: directory.Deny})
		},
		"settings: changed": func(d *directory.Directory) { d.Settings.ExcessScopes = directory.RefuseScopes },
	} {
		next := before.Clone()
		change(next)
		if got := directory.Changes(before, next); !slices.Equal(got, []string{want}) {
			t.Errorf("said %q, expected %q alone", got, want)
		}
	}
	two := before.Clone()
	two.Policies = []directory.Policy{{Name: "first"}, {Name: "second", Effect: directory.Deny}}
	swapped := two.Clone()
	slices.Reverse(swapped.Policies)
	if got := directory.Changes(two, swapped); !slices.Equal(got, []string{"policies: in another order"}) {
		t.Errorf("policies in another order: %q", got)
	}
	next := before.Clone()
	next.Users[0].Status = directory.Suspended
	if got := directory.Changes(before, next); len(got) != 0 {
		t.Errorf("a change of status, which the lifecycle entries tell, is told again: %q", got)
	}
}
