package directory_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emaconform/emaconform/mockidp/directory"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func decide(t *testing.T, d *directory.Directory, login string, change func(*directory.Request)) directory.Decision {
	t.Helper()
	if err := d.Compile(); err != nil {
		t.Fatal(err)
	}
	q := directory.Request{Client: d.Client("app"), User: d.Login(login), Audience: "https://as.example",
		Scopes: []string{"read"},
		Now:    now, Auth: directory.Authentication{Time: now.Add(-time.Minute), ACR: "low", AMR: []string{"pwd"}}}
	if change != nil {
		change(&q)
	}
	return d.Decide(q)
}

func TestDecideStepsInOrder(t *testing.T) {
	type edit = func(*directory.Directory)
	type ask = func(*directory.Request)
	for name, c := range map[string]struct {
		login  string
		edit   edit
		ask    ask
		rule   string
		code   string // "" is granted
		scopes []string
	}{
		"granted by assignment": {rule: "assignment", scopes: []string{"read"}},
		"by alias": {ask: func(q *directory.Request) { q.Audience = "urn:notes" }, rule: "assignment",
			scopes: []string{"read"}},
		"client inactive": {edit: func(d *directory.Directory) { d.Clients[0].Status = directory.Inactive },
			rule: "client", code: "invalid_request"},
		"user suspended before anything else of theirs": {login: "ben@x.example", rule: "user", code: "invalid_request"},
		"user not assigned to the client": {edit: func(d *directory.Directory) {
			d.Users[0].Groups = []string{"Interns"}
			d.Groups = []string{"Staff"}
		},
			rule: "client assignment", code: "invalid_request"},
		"unknown audience": {ask: func(q *directory.Request) { q.Audience = "https://as.example/" }, rule: "audience",
			code: "invalid_target"},
		"not connected": {edit: func(d *directory.Directory) { d.Connections = nil },
			rule: "connection", code: "invalid_target"},
		"connection inactive": {edit: func(d *directory.Directory) { d.Connections[0].Status = directory.Inactive },
			rule: "connection", code: "invalid_target"},
		"connector inactive": {edit: func(d *directory.Directory) { d.Connectors[0].Status = directory.Inactive },
			rule: "connection", code: "invalid_target"},
		"resource of nobody": {ask: func(q *directory.Request) { q.Resources = []string{"https://rs.example/mcp/"} },
			rule: "resource", code: "invalid_target"},
		"one of two resources is foreign": {ask: func(q *directory.Request) {
			q.Resources = []string{"https://rs.example/mcp", "https://x.example"}
		},
			rule: "resource", code: "invalid_target"},
		"resource required": {edit: func(d *directory.Directory) { d.Settings.RequireResource = true },
			rule: "resource", code: "invalid_target"},
		"user not assigned to the connector": {edit: func(d *directory.Directory) {
			d.Connectors[0].Assigned = directory.Assignment{Groups: []string{"Interns"}}
		},
			rule: "connector assignment", code: "invalid_target"},
		"first policy that holds decides": {edit: func(d *directory.Directory) {
			d.Policies = []directory.Policy{{Name: "interns out", Effect: directory.Deny, Groups: []string{"Interns"}},
				{Name: "staff in", Groups: []string{"Staff"}}, {Name: "all out", Effect: directory.Deny}}
		}, rule: "staff in", scopes: []string{"read"}},
		"policy denies": {edit: func(d *directory.Directory) {
			d.Policies = []directory.Policy{{Name: "all out", Effect: directory.Deny, Reason: "freeze"},
				{Name: "staff in", Groups: []string{"Staff"}}}
		}, rule: "all out", code: "access_denied"},
		"no policy holds": {edit: func(d *directory.Directory) {
			d.Policies = []directory.Policy{{Name: "interns in", Groups: []string{"Interns"}}}
		}, rule: "no policy", code: "access_denied"},
		"policy narrows scopes": {edit: func(d *directory.Directory) {
			d.Connections[0].Scopes = nil
			d.Policies = []directory.Policy{{Name: "readers", Scopes: []string{"read"}}}
		}, ask: func(q *directory.Request) { q.Scopes = []string{"write", "read", "read"} }, rule: "readers",
			scopes: []string{"read"}},
		"excess scope refused": {edit: func(d *directory.Directory) { d.Settings.ExcessScopes = directory.RefuseScopes },
			ask: func(q *directory.Request) { q.Scopes = []string{"read", "write"} }, rule: "scopes", code: "invalid_scope"},
		"nothing left of scopes": {ask: func(q *directory.Request) { q.Scopes = []string{"write"} }, rule: "scopes",
			code: "invalid_scope"},
		"denied scope": {edit: func(d *directory.Directory) { d.Connections[0].Deny = []string{"read"} },
			rule: "scopes", code: "invalid_scope"},
		"no scope, none granted": {ask: func(q *directory.Request) { q.Scopes = nil }, rule: "assignment"},
		"no scope, all allowed granted": {edit: func(d *directory.Directory) {
			d.Settings.MissingScope = directory.AllScopes
		},
			ask: func(q *directory.Request) { q.Scopes = nil }, rule: "assignment", scopes: []string{"read"}},
		"no scope, refused": {edit: func(d *directory.Directory) { d.Settings.MissingScope = directory.MissingRefuse },
			ask: func(q *directory.Request) { q.Scopes = nil }, rule: "scopes", code: "invalid_scope"},
		"too long ago": {edit: func(d *directory.Directory) {
			d.Connectors[0].StepUp.MaxAge = directory.Duration(30 * time.Second)
		},
			rule: "step-up", code: "insufficient_user_authentication"},
		"acr too low": {edit: func(d *directory.Directory) { d.Connectors[0].StepUp.ACR = []string{"high"} },
			rule: "step-up", code: "insufficient_user_authentication"},
		"amr too weak by policy": {edit: func(d *directory.Directory) {
			d.Policies = []directory.Policy{{Name: "strong", StepUp: directory.StepUp{AMR: []string{"mfa"}}}}
		}, rule: "step-up", code: "insufficient_user_authentication"},
		"unknown type of details": {ask: func(q *directory.Request) { q.Details = []string{"x"} },
			rule: "authorization_details", code: "invalid_authorization_details"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := directory.Parse([]byte(sample))
			if err != nil {
				t.Fatal(err)
			}
			if c.edit != nil {
				c.edit(d)
			}
			if c.login == "" {
				c.login = "ann@x.example"
			}
			got := decide(t, d, c.login, c.ask)
			code := ""
			if got.Denied != nil {
				code = got.Denied.Error
			}
			if got.Rule != c.rule || code != c.code {
				t.Errorf("rule %q, error %q; expected %q, %q", got.Rule, code, c.rule, c.code)
			}
			if diff := cmp.Diff(c.scopes, got.Scopes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDenialKeepsThePolicysReasonForTheLog(t *testing.T) {
	d, err := directory.Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	d.Policies = []directory.Policy{{Name: "freeze", Effect: directory.Deny, Reason: "quarter end"}}
	if got := decide(t, d, "ann@x.example", nil); got.Denied == nil || got.Denied.Reason != "quarter end" {
		t.Errorf("%+v", got.Denied)
	}
}
