// Package config is what the owner of an identity provider tells about it: where it is, which clients, users and
// resource servers it knows, how people sign in, and what can be done to it from outside. Every key enables checks;
// those whose key is missing are skipped, and say so.
package config

import (
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/suites/target"
)

// Config is the configuration file of `emaconform idp`. Required are the issuer, one client, one target and one user.
type Config struct {
	Name   string `yaml:"name,omitempty" json:"name,omitempty"`       // how reports call the identity provider
	CAFile string `yaml:"ca_file,omitempty" json:"ca_file,omitempty"` // PEM: trust these authorities, too

	AllowedHosts []string `yaml:"allowed_hosts,omitempty" json:"allowed_hosts,omitempty"` // secrets may go there, too
	// ask private addresses for documents
	AllowPrivate bool `yaml:"allow_private,omitempty" json:"allow_private,omitempty"`

	IdP      IdP      `yaml:"idp,omitempty" json:"idp"`
	Exchange Exchange `yaml:"exchange,omitempty" json:"exchange"`
	Clients  []Client `yaml:"clients,omitempty" json:"clients"`
	Targets  []Target `yaml:"targets,omitempty" json:"targets"`
	Users    []User   `yaml:"users,omitempty" json:"users"`

	// file: a token response of the first client, expired by now
	Expired string `yaml:"expired,omitempty" json:"expired,omitempty"`
	// id of a client whose ID tokens live seconds
	ShortLived string `yaml:"short_lived,omitempty" json:"short_lived,omitempty"`
	// id of a client that may be locked by guessing
	RateClient  string `yaml:"rate_client,omitempty" json:"rate_client,omitempty"`
	MultiTenant bool   `yaml:"multi_tenant,omitempty" json:"multi_tenant,omitempty"` // the issuer serves several tenants

	Hooks   Hooks   `yaml:"hooks,omitempty" json:"hooks"`
	SAML    *SAML   `yaml:"saml,omitempty" json:"saml,omitempty"`
	StepUp  *StepUp `yaml:"step_up,omitempty" json:"step_up,omitempty"`
	RAR     *RAR    `yaml:"rar,omitempty" json:"rar,omitempty"`
	LogFile string  `yaml:"log_file,omitempty" json:"log_file,omitempty"` // searched for whole tokens and secrets
	// a file, or a command or URL that prints the audit log
	Audit  string `yaml:"audit,omitempty" json:"audit,omitempty"`
	Timing Timing `yaml:"timing,omitempty" json:"timing"`
}

// IdP is where the identity provider is. Endpoints override what its metadata says.
type IdP struct {
	Issuer string `yaml:"issuer,omitempty" json:"issuer"`
	// okta, keycloak, entra: whose words to use in advice
	Vendor                string `yaml:"vendor,omitempty" json:"vendor,omitempty"`
	AuthorizationEndpoint string `yaml:"authorization_endpoint,omitempty" json:"authorization_endpoint,omitempty"`
	TokenEndpoint         string `yaml:"token_endpoint,omitempty" json:"token_endpoint,omitempty"`
	JWKSURI               string `yaml:"jwks_uri,omitempty" json:"jwks_uri,omitempty"`
	// of sign-ins whose tokens are used, e.g. consent, for which alone some give refresh tokens
	Prompt string `yaml:"prompt,omitempty" json:"prompt,omitempty"`
}

// Exchange is what this identity provider wants in each token exchange.
type Exchange struct {
	Resource         string            `yaml:"resource,omitempty" json:"resource,omitempty"` // always (default) or never
	Extra            map[string]string `yaml:"extra,omitempty" json:"extra,omitempty"`       // vendor parameters
	SubjectTokenType string            `yaml:"subject_token_type,omitempty" json:"subject_token_type,omitempty"`
	// SubjectToken is what is exchanged: id_token (default), refresh_token or access_token of a token response.
	SubjectToken string `yaml:"subject_token,omitempty" json:"subject_token,omitempty"`
}

// Client is a client registered with the identity provider.
type Client struct {
	target.Client `yaml:",inline"`

	RedirectURI string `yaml:"redirect_uri,omitempty" json:"redirect_uri,omitempty"`
	// people sign in, but no target is open to it
	Unconnected bool `yaml:"unconnected,omitempty" json:"unconnected,omitempty"`
}

// Target is a Resource Authorization Server and an MCP server behind it, as the identity provider knows them.
type Target struct {
	Audience       string   `yaml:"audience" json:"audience"`           // issuer identifier of the RAS
	Resource       string   `yaml:"resource,omitempty" json:"resource"` // resource identifier of the MCP server
	SecondResource string   `yaml:"second_resource,omitempty" json:"second_resource,omitempty"`
	Scopes         []string `yaml:"scopes,omitempty" json:"scopes,omitempty"` // allowed
	// known to the target, not allowed to the client
	ForbiddenScope string `yaml:"forbidden_scope,omitempty" json:"forbidden_scope,omitempty"`
	// the first client's id at the RAS
	ClientID string `yaml:"client_id,omitempty" json:"client_id,omitempty"`
	// an administrator asked for e-mail addresses here
	Email bool `yaml:"email,omitempty" json:"email,omitempty"`
	// SubID is the sub_id claim (format saml-nameid) of the first user's grants.
	SubID map[string]string `yaml:"sub_id,omitempty" json:"sub_id,omitempty"`
	// DecryptKeyFile is the RAS's private JWK, where grants are encrypted to it.
	DecryptKeyFile string           `yaml:"decrypt_key_file,omitempty" json:"-"`
	DecryptKey     *jose.JSONWebKey `yaml:"-" json:"decrypt_key,omitempty"`
}

// User is a person at the identity provider.
type User struct {
	Login    string `yaml:"login" json:"login"`
	SubAtRAS string `yaml:"sub_at_ras,omitempty" json:"sub_at_ras,omitempty"` // sub at the first target's own sign-on
	Tenant   string `yaml:"tenant,omitempty" json:"tenant,omitempty"`
	// can sign in, may not use the first target
	Unassigned bool   `yaml:"unassigned,omitempty" json:"unassigned,omitempty"`
	Leaver     bool   `yaml:"leaver,omitempty" json:"leaver,omitempty"` // whom hooks deactivate and reactivate
	SignIn     SignIn `yaml:"sign_in,omitempty" json:"sign_in"`
}

// SignIn is how a user's tokens are obtained: one of four ways.
type SignIn struct {
	Command string `yaml:"command" json:"command,omitempty"` // a shell command that prints a token response
	// files with token responses, by client id; "" is the first client
	Tokens   map[string]string `yaml:"tokens" json:"tokens,omitempty"`
	Form     *Form             `yaml:"form" json:"form,omitempty"`  // the code flow through HTML forms
	Attended bool              `yaml:"-" json:"attended,omitempty"` // a person, with a browser
}

// Form is what is filled into login pages.
type Form struct {
	Username     string            `yaml:"username,omitempty" json:"username,omitempty"` // default: the login
	Password     string            `yaml:"password,omitempty" json:"password,omitempty"`
	PasswordEnv  string            `yaml:"password_env,omitempty" json:"-"`
	PasswordFile string            `yaml:"password_file,omitempty" json:"-"`
	Fields       map[string]string `yaml:"fields,omitempty" json:"fields,omitempty"` // other fields, by name
	// of login pages elsewhere than the issuer's
	Origins []string `yaml:"origins,omitempty" json:"origins,omitempty"`
}

// Hooks change the identity provider: each is a shell command, or a URL that is POSTed to. They get the user's login in
// EMACONFORM_USER, or as the form parameter user.
type Hooks struct {
	Deactivate string `yaml:"deactivate,omitempty" json:"deactivate,omitempty"`
	Reactivate string `yaml:"reactivate,omitempty" json:"reactivate,omitempty"`
	Unassign   string `yaml:"unassign,omitempty" json:"unassign,omitempty"` // from the first target
	Assign     string `yaml:"assign,omitempty" json:"assign,omitempty"`
	Revoke     string `yaml:"revoke,omitempty" json:"revoke,omitempty"` // every session and refresh token of the user
	Rotate     string `yaml:"rotate,omitempty" json:"rotate,omitempty"` // sign with another key from now on
}

// SAML says where assertions for the first client and the first user come from: files, shell commands or URLs.
type SAML struct {
	Assertion     string `yaml:"assertion" json:"assertion"`
	OtherAudience string `yaml:"other_audience,omitempty" json:"other_audience,omitempty"` // for another application
	OtherRecip    string `yaml:"other_recipient,omitempty" json:"other_recipient,omitempty"`
	Expired       string `yaml:"expired,omitempty" json:"expired,omitempty"`
	Early         string `yaml:"early,omitempty" json:"early,omitempty"` // not valid yet
	// Named makes an assertion for whatever name EMACONFORM_USER, or the form parameter user, has.
	Named string `yaml:"named,omitempty" json:"named,omitempty"`
	// Refresh: an assertion buys a refresh token, which is then exchanged (ID-JAG draft-04 section 4.5).
	Refresh bool `yaml:"refresh,omitempty" json:"refresh,omitempty"`
}

// StepUp is a target that demands more than a password, or a fresh sign-in.
type StepUp struct {
	Strong *Target  `yaml:"strong,omitempty" json:"strong,omitempty"` // demands a second factor
	Fresh  *Target  `yaml:"fresh,omitempty" json:"fresh,omitempty"`   // demands a sign-in not older than max_age
	MaxAge Duration `yaml:"max_age,omitempty" json:"max_age,omitempty"`
	// who signs in with a password alone; default: the first user
	User *User `yaml:"user,omitempty" json:"user,omitempty"`
}

// RAR is authorization_details for the first target, as JSON.
type RAR struct {
	Granted string `yaml:"granted" json:"granted"`                   // an object that may be granted
	Denied  string `yaml:"denied,omitempty" json:"denied,omitempty"` // one of a known type that policy does not allow
}

// Timing says how patient to be.
type Timing struct {
	Request Duration `yaml:"request,omitempty" json:"request,omitempty"` // one exchange; default 10s
	SignIn  Duration `yaml:"sign_in,omitempty" json:"sign_in,omitempty"` // a sign-in command or form; default 60s
	Check   Duration `yaml:"check,omitempty" json:"check,omitempty"`     // one check; default 60s
	Run     Duration `yaml:"run,omitempty" json:"run,omitempty"`         // the whole run; default 15m
	Outage  Duration `yaml:"outage,omitempty" json:"outage,omitempty"`   // how long the provider may be away; default 60s
	// until a change by a hook must have its effect; default 0
	Settle Duration `yaml:"settle,omitempty" json:"settle,omitempty"`
	Leeway Duration `yaml:"leeway,omitempty" json:"leeway,omitempty"` // for clocks, behind exp; default 60s
}

// Duration is written as 500ms, 10s or 2m.
type Duration = time.Duration
