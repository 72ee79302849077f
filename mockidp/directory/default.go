package directory

// Default is a small company: people in groups, one of them deactivated and one without access, two clients and three
// connectors. Its secrets are known to everyone, for it is for development.
func Default() *Directory {
	d := &Directory{
		Users: []User{
			{Login: "alice@acme.example", Name: "Alice Adams", Groups: []string{"Engineering"}, Factors: []string{"pwd", "otp"}},
			{Login: "bob@acme.example", Name: "Bob Brown", Groups: []string{"Engineering", "Finance"},
				Factors: []string{"pwd", "hwk"}},
			{Login: "carol@acme.example", Name: "Carol Clark", Groups: []string{"Contractors"}},
			{Login: "dave@acme.example", Name: "Dave Davis", Groups: []string{"Engineering"}, Status: Deprovisioned},
			{Login: "erin@acme.example", Name: "Erin Evans", Groups: []string{"Engineering"}, Status: Suspended},
		},
		Clients: []Client{
			{ID: "0oa1acmeagent0000000", Name: "Acme Agent", Secret: "acme-agent-development-secret",
				RedirectURIs: []string{"http://127.0.0.1/callback", "http://localhost/callback"}, AnyLoopbackPort: true,
				Assigned: Assignment{Everyone: true}},
			{ID: "0oa2acmecodepilot000", Name: "Acme Codepilot", Auth: SecretPost, Secret: "acme-codepilot-development-secret",
				RedirectURIs: []string{"http://127.0.0.1/callback", "http://localhost/callback"}, AnyLoopbackPort: true,
				Assigned: Assignment{Groups: []string{"Engineering"}}},
		},
		Connectors: []Connector{
			{ID: "notes", Name: "Notes", Audience: "https://auth.notes.example", Aliases: []string{"urn:acme:notes"},
				Resources: []string{"https://mcp.notes.example/mcp"}, Scopes: []string{"notes.read", "notes.write"},
				Assigned: Assignment{Groups: []string{"Engineering"}}},
			{ID: "tickets", Name: "Tickets", Audience: "https://tickets.example/oauth",
				Resources: []string{"https://tickets.example/mcp", "https://tickets.example/mcp/admin"},
				Scopes:    []string{"tickets.read", "tickets.write", "tickets.admin"}, Subject: SubjectEmail,
				Assigned: Assignment{Groups: []string{"Engineering", "Finance"}}},
			{ID: "ledger", Name: "Ledger", Audience: "https://ledger.example", Resources: []string{"https://ledger.example/mcp"},
				Scopes: []string{"ledger.read", "ledger.post"}, Assigned: Assignment{Groups: []string{"Finance"}},
				StepUp: StepUp{AMR: []string{"mfa"}}},
		},
		Connections: []Connection{
			{Client: "0oa1acmeagent0000000", Connector: "notes", ClientID: "acme-agent-at-notes"},
			{Client: "0oa1acmeagent0000000", Connector: "tickets", ClientID: "acme-agent-at-tickets",
				Deny: []string{"tickets.admin"}},
			{Client: "0oa1acmeagent0000000", Connector: "ledger", ClientID: "acme-agent-at-ledger",
				Scopes: []string{"ledger.read"}},
			{Client: "0oa2acmecodepilot000", Connector: "notes", ClientID: "codepilot-at-notes", Scopes: []string{"notes.read"}},
		},
	}
	for n := range d.Users {
		d.Users[n].Email = d.Users[n].Login
	}
	if err := d.Compile(); err != nil {
		panic(err) // a test compiles it
	}
	return d
}
