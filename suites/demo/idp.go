package demo

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"time"

	fixture "github.com/emaconform/emaconform/fixtures/idp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/idp/config"
	idprun "github.com/emaconform/emaconform/suites/idp/judge"
	"github.com/emaconform/emaconform/suites/target"
)

// IdP is the reference identity provider in this process.
type IdP struct {
	Defects   []string
	Variants  []string
	RoundTrip time.Duration
	Skew      time.Duration // how far its clock is ahead
	Known     bool          // the run is told what it would discover, so that broken discovery does not end it
	Around    func(http.Handler) http.Handler
	provider  *fixture.Provider
	dir       string
	log       *os.File
}

// Close stops it.
func (e *IdP) Close() {
	if e.provider != nil {
		e.provider.Close()
	}
	if e.log != nil {
		_ = e.log.Close()
	}
	if e.dir != "" {
		_ = os.RemoveAll(e.dir)
	}
}

// Configure starts it and lets a run judge it, with every optional part of the configuration in place.
func (e *IdP) Configure(ctx context.Context, o *idprun.Options) (err error) {
	if e.dir, err = os.MkdirTemp("", "emaconform-"); err != nil {
		return err
	}
	if e.log, err = os.Create(filepath.Join(e.dir, "audit.log")); err != nil {
		return err
	}
	e.provider, err = fixture.Start(context.WithoutCancel(ctx), fixture.Options{
		Defects: e.Defects, Variants: e.Variants, RoundTrip: e.RoundTrip, Skew: e.Skew, Log: e.log, Around: e.Around})
	if err != nil {
		return err
	}
	if o.Config, err = e.describe(); err != nil {
		return err
	}
	o.Describe = func(t *reports.Target) {
		t.Name, t.Embedded, t.Defects = "reference identity provider", true, e.Defects
	}
	return nil
}

// write keeps something in a file and returns its path.
func (e *IdP) write(name string, content []byte) (string, error) {
	path := filepath.Join(e.dir, name)
	return path, os.WriteFile(path, content, 0o600)
}

func (e *IdP) describe() (*config.Config, error) {
	p := e.provider
	ca, err := e.write("ca.pem", p.CA)
	if err != nil {
		return nil, err
	}
	tokens, err := p.ExpiredTokens()
	if err != nil {
		return nil, err
	}
	expired, err := e.write("expired.json", tokens)
	if err != nil {
		return nil, err
	}
	key, err := json.Marshal(p.VaultKey)
	if err != nil {
		return nil, err
	}
	vault, err := e.write("vault.jwk", key)
	if err != nil {
		return nil, err
	}
	c := &config.Config{
		CAFile: ca, IdP: config.IdP{Issuer: p.URL}, Clients: e.clients(), Targets: e.targets(vault),
		Users: e.users(), Expired: expired,
		RateClient: fixture.Guessed, MultiTenant: true, LogFile: e.log.Name(), Audit: e.log.Name(),
		Hooks: config.Hooks{Deactivate: p.Hook("deactivate"), Reactivate: p.Hook("reactivate"), Unassign: p.Hook("unassign"),
			Assign: p.Hook("assign"), Revoke: p.Hook("revoke"), Rotate: p.Hook("rotate")},
		SAML: &config.SAML{Assertion: p.Hook("saml"), OtherAudience: p.Hook("saml-other"),
			OtherRecip: p.Hook("saml-recipient"),
			Expired:    p.Hook("saml-expired"), Early: p.Hook("saml-early"), Named: p.Hook("saml-named"), Refresh: true},
		StepUp: &config.StepUp{
			Strong: &config.Target{Audience: fixture.LedgerAudience, Resource: fixture.LedgerResource,
				Scopes: []string{"ledger.read"}},
			Fresh: &config.Target{Audience: fixture.PayrollAudience, Resource: fixture.PayrollResource,
				Scopes: []string{"payroll.read"}},
			MaxAge: fixture.MaxAge,
		},
		RAR: &config.RAR{Granted: `{"type":"` + fixture.DetailType + `","actions":["read"]}`,
			Denied: `{"type":"notes_administration","actions":["delete"]}`},
	}
	if e.Known {
		c.IdP.AuthorizationEndpoint, c.IdP.TokenEndpoint = p.URL+"/oauth2/v1/authorize", p.URL+"/oauth2/v1/token"
		c.IdP.JWKSURI = p.URL + "/oauth2/v1/keys"
	}
	return c, nil
}

func (e *IdP) clients() []config.Client {
	secret := func(id, auth string) config.Client {
		return config.Client{Client: target.Client{ID: id, Auth: auth, Secret: e.provider.Secret(id)},
			RedirectURI: fixture.RedirectURI}
	}
	loner := secret(fixture.Loner, "client_secret_basic")
	loner.Unconnected = true
	return []config.Client{secret(fixture.Agent, "client_secret_basic"), secret(fixture.Codepilot, "client_secret_post"),
		{Client: target.Client{ID: fixture.Keyed, Auth: "private_key_jwt", Key: e.provider.ClientKey},
			RedirectURI: fixture.RedirectURI},
		loner, secret(fixture.Guessed, "client_secret_basic")}
}

func (*IdP) targets(vaultKey string) []config.Target {
	at := func(connector string) string { return fixture.ClientIDAt(fixture.Agent, connector) }
	return []config.Target{
		{Audience: fixture.NotesAudience, Resource: fixture.NotesResource, SecondResource: fixture.NotesSecond,
			Scopes: []string{"notes.read", "notes.write"}, ForbiddenScope: "notes.admin", ClientID: at("notes")},
		{Audience: fixture.TicketsAudience, Resource: fixture.TicketsResource, Scopes: []string{"tickets.read"},
			ClientID: at("tickets"),
			SubID: map[string]string{"format": "saml-nameid", "issuer": fixture.SAMLIssuer, "nameid": fixture.Alice,
				"nameid_format": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"}},
		{Audience: fixture.VaultAudience, Resource: fixture.VaultResource, Scopes: []string{"vault.open"},
			ClientID:       at("vault"),
			DecryptKeyFile: vaultKey},
	}
}

func (e *IdP) users() (list []config.User) {
	for _, login := range []string{fixture.Alice, fixture.Bob, fixture.Carol, fixture.Dave} {
		list = append(list, config.User{Login: login, SubAtRAS: e.provider.Subject(login), Tenant: fixture.Tenant,
			Unassigned: login == fixture.Carol, Leaver: login == fixture.Dave, SignIn: config.SignIn{Form: &config.Form{}}})
	}
	return list
}
