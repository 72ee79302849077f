// Package directory is what an enterprise identity provider knows: people in groups, the applications that sign them
// in, the resource applications that those may reach, and the rules of who may reach what. It is data and decisions: it
// serves nothing and signs nothing.
//
// A Directory is read from YAML (Load, Parse) or built in Go, then compiled, which validates it. A compiled Directory
// is not to be changed: Clone it, change the clone and compile that.
package directory

import (
	"encoding/json"
	"time"
)

// Directory is the whole configuration of an identity provider.
type Directory struct {
	Settings    Settings     `json:"settings,omitzero"`
	Groups      []string     `json:"groups,omitempty"` // those that nobody is in; the others need not be listed
	Users       []User       `json:"users"`
	Clients     []Client     `json:"clients"`
	Connectors  []Connector  `json:"connectors"`
	Connections []Connection `json:"connections"`
	Policies    []Policy     `json:"policies,omitempty"` // in their order of evaluation; see Decide

	index *index
}

// Settings are those of the identity provider itself.
type Settings struct {
	Issuer          string                `json:"issuer,omitempty"`            // "" derives it from the listener
	Listen          string                `json:"listen,omitempty"`            // TCP address, "" is 127.0.0.1:0
	Flavour         string                `json:"flavour,omitempty"`           // "" is okta
	Tenant          string                `json:"tenant,omitempty"`            // tenant claim of a multi-tenant issuer
	IDTokenLifetime Duration              `json:"id_token_lifetime,omitempty"` // 0 is the flavour's
	IDJAGLifetime   Duration              `json:"id_jag_lifetime,omitempty"`   // 0 is the flavour's
	RefreshLifetime Duration              `json:"refresh_token_lifetime,omitempty"`
	Servers         []AuthorizationServer `json:"authorization_servers,omitempty"` // none listed is one, "default"
	ExcessScopes    ExcessScopes          `json:"excess_scopes,omitempty"`         // "" is drop
	MissingScope    MissingScope          `json:"missing_scope,omitempty"`         // "" is none
	RequireResource bool                  `json:"require_resource,omitempty"`
	// overrides whether the flavour's metadata names ID-JAGs
	Announce *bool `json:"announce_id_jag,omitempty"`
	// overrides whether ID-JAGs say auth_time, acr, amr
	AuthClaims *bool `json:"authentication_claims,omitempty"`
	// the login signed in without a page; see README
	SilentLogin string `json:"silent_login,omitempty"`
}

// AuthorizationServer is a custom authorization server beside the org's: it signs people in for an API and issues
// access tokens for it, and no ID-JAGs (https://developer.okta.com/docs/concepts/auth-servers/).
type AuthorizationServer struct {
	ID       string   `json:"id"`               // its issuer is the org's, /oauth2/ and this
	Audience string   `json:"audience"`         // aud of its access tokens
	Scopes   []string `json:"scopes,omitempty"` // besides those of OpenID Connect
}

// ExcessScopes says what happens to scopes that were asked for and are not allowed.
type ExcessScopes string

// What happens to scopes that are not allowed.
const (
	DropScopes   ExcessScopes = "drop"   // what is left is granted; nothing left is invalid_scope
	RefuseScopes ExcessScopes = "refuse" // invalid_scope
)

// MissingScope says what a request without scope gets.
type MissingScope string

// What a request without scope gets.
const (
	NoScopes      MissingScope = "none"   // a grant without a scope claim
	AllScopes     MissingScope = "all"    // every scope that is allowed
	MissingRefuse MissingScope = "refuse" // invalid_scope
)

// Status is where a user, client, connector or connection is in its life.
type Status string

// Statuses: only Active lets its holder act.
const (
	Active        Status = "active" // the zero value means it too
	Staged        Status = "staged"
	Suspended     Status = "suspended"
	Deprovisioned Status = "deprovisioned"
	Inactive      Status = "inactive"
)

// OK reports whether the status lets its holder act.
func (s Status) OK() bool { return s == "" || s == Active }

// User is a person.
type User struct {
	ID     string   `json:"id,omitempty"` // sub; made from the login when left out
	Login  string   `json:"login"`        // unique, as a rule an e-mail address
	Email  string   `json:"email,omitempty"`
	Name   string   `json:"name,omitempty"`
	Groups []string `json:"groups,omitempty"`
	Status Status   `json:"status,omitempty"`
	// EmailVerified is true unless set.
	EmailVerified *bool `json:"email_verified,omitempty"`
	// Factors are what the user can sign in with, as amr values; the first is a password. No more than one is single
	// factor.
	Factors []string `json:"factors,omitempty"`
	// Accounts say how resource applications know the user, by connector id.
	Accounts map[string]Account `json:"accounts,omitempty"`
	// Claims are added to the user's ID tokens.
	Claims map[string]any `json:"claims,omitempty"`
}

// Account is a user's account at a resource application.
type Account struct {
	Subject string `json:"subject,omitempty"` // sub of ID-JAGs for this connector instead of the connector's style
	Sub     string `json:"aud_sub,omitempty"` // the application's own id of the account (ID-JAG draft-04 section 3.1)
	Tenant  string `json:"aud_tenant,omitempty"`
}

// Assignment is who may use an application: everyone, or members of a group, or users by login.
type Assignment struct {
	Everyone bool     `json:"everyone,omitempty"`
	Groups   []string `json:"groups,omitempty"`
	Users    []string `json:"users,omitempty"`
}

// Client is a requesting application: it signs users in and asks for ID-JAGs.
type Client struct {
	ID     string     `json:"id"`
	Name   string     `json:"name,omitempty"`
	Auth   AuthMethod `json:"auth,omitempty"` // "" is client_secret with a secret, private_key_jwt with a jwks, else none
	Secret string     `json:"secret,omitempty"`
	// JWKS holds the public keys of private_key_jwt, as a JWK set.
	JWKS            *JWKS      `json:"jwks,omitempty"`
	RedirectURIs    []string   `json:"redirect_uris,omitempty"`
	LogoutURIs      []string   `json:"post_logout_redirect_uris,omitempty"`
	Assigned        Assignment `json:"assigned,omitzero"`
	Status          Status     `json:"status,omitempty"`
	Rotation        Rotation   `json:"refresh_rotation,omitempty"`  // "" is rotate
	RotationLeeway  *Duration  `json:"rotation_leeway,omitempty"`   // nil is 30 seconds
	RequirePKCE     bool       `json:"require_pkce,omitempty"`      // public clients always need it
	AnyLoopbackPort bool       `json:"any_loopback_port,omitempty"` // RFC 8252 section 7.3
	SAML            *SAML      `json:"saml,omitempty"`              // sign-on by SAML 2.0; nil has none
}

// SAML is a client as a SAML 2.0 service provider.
type SAML struct {
	EntityID string   `json:"entity_id"`
	ACS      []string `json:"acs"` // assertion consumer service URLs (HTTP POST); the first is the default
	// NameID is how assertions name the user. "" is email.
	NameID NameID `json:"name_id,omitempty"`
}

// NameID is a form of a SAML name identifier.
type NameID string

// Forms of a SAML name identifier.
const (
	NameEmail      NameID = "email"      // format emailAddress: the user's e-mail address, else the login
	NamePersistent NameID = "persistent" // the user's id
	NameLogin      NameID = "login"      // format unspecified
)

// AuthMethod is a client authentication method by its registered name (RFC 7591 section 2).
type AuthMethod string

// Client authentication methods.
const (
	Secret        AuthMethod = "client_secret" // Basic or in the form, as the client likes
	SecretBasic   AuthMethod = "client_secret_basic"
	SecretPost    AuthMethod = "client_secret_post"
	PrivateKeyJWT AuthMethod = "private_key_jwt"
	Public        AuthMethod = "none"
)

// Rotation says what becomes of a refresh token that is used
// (https://developer.okta.com/docs/guides/refresh-tokens/main/).
type Rotation string

// A refresh token that is used is replaced by another one, or stays.
const (
	Rotate Rotation = "rotate"
	Static Rotation = "static"
)

// Connector is a resource application: a Resource Authorization Server and the MCP servers it guards.
type Connector struct {
	ID        string     `json:"id"`
	Name      string     `json:"name,omitempty"`
	Audience  string     `json:"audience"`          // issuer identifier of the RAS: aud of the ID-JAG
	Aliases   []string   `json:"aliases,omitempty"` // other values that clients may send as audience
	Resources []string   `json:"resources,omitempty"`
	Scopes    []string   `json:"scopes,omitempty"`
	Assigned  Assignment `json:"assigned,omitzero"`
	Status    Status     `json:"status,omitempty"`
	// Subject is how sub of an ID-JAG names the user: the RAS's view from single sign-on. "" is the flavour's.
	Subject   SubjectStyle `json:"subject,omitempty"`
	AudTenant string       `json:"aud_tenant,omitempty"` // the RAS's tenant, when it is multi-tenant
	// SAMLIssuer, when set, puts a sub_id of format saml-nameid with this issuer into ID-JAGs.
	SAMLIssuer  string   `json:"saml_issuer,omitempty"`
	DetailTypes []string `json:"authorization_details_types,omitempty"` // RFC 9396
	// EncryptTo is the RAS's public key: ID-JAGs for it are encrypted (a JWS within a JWE).
	EncryptTo *JWK   `json:"encrypt_to,omitempty"`
	StepUp    StepUp `json:"step_up,omitzero"`
}

// StepUp is how strong and how fresh a user's authentication must be.
type StepUp struct {
	MaxAge Duration `json:"max_age,omitempty"`
	ACR    []string `json:"acr_values,omitempty"` // one of these
	AMR    []string `json:"amr,omitempty"`        // all of these
}

// SubjectStyle is a form of sub.
type SubjectStyle string

// Forms of sub.
const (
	SubjectID       SubjectStyle = "id" // the user's id at the identity provider
	SubjectLogin    SubjectStyle = "login"
	SubjectEmail    SubjectStyle = "email"
	SubjectUUID     SubjectStyle = "uuid"
	SubjectNumeric  SubjectStyle = "numeric"  // 21 digits
	SubjectPairwise SubjectStyle = "pairwise" // another one at each audience
)

// Connection lets a client ask for ID-JAGs for a connector.
type Connection struct {
	Client    string `json:"client"`
	Connector string `json:"connector"`
	ClientID  string `json:"client_id"` // the client's id at the RAS
	// Scopes are the only ones allowed; none listed allows all of the connector's. Deny takes some of them away.
	Scopes []string `json:"scopes,omitempty"`
	Deny   []string `json:"deny_scopes,omitempty"`
	Status Status   `json:"status,omitempty"`
}

// Policy is a rule. Every condition that is given must hold; one that is left out always holds.
type Policy struct {
	Name       string   `json:"name"`
	Effect     Effect   `json:"effect,omitempty"` // "" is allow
	Groups     []string `json:"groups,omitempty"`
	Users      []string `json:"users,omitempty"`
	Clients    []string `json:"clients,omitempty"`
	Connectors []string `json:"connectors,omitempty"`
	Scopes     []string `json:"scopes,omitempty"` // allow: no others are granted; none listed limits nothing
	StepUp     StepUp   `json:"step_up,omitzero"`
	Reason     string   `json:"reason,omitempty"` // of a denial, for the audit log
}

// Effect is what a policy does when its conditions hold.
type Effect string

// Effects.
const (
	Allow Effect = "allow"
	Deny  Effect = "deny"
)

// Duration is written as in "5m" or "1h30m".
type Duration time.Duration

// MarshalText writes the duration as Go does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a duration that is not negative.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return &badValue{string(text), `a duration such as "5m"`}
	}
	*d = Duration(v)
	return nil
}

type badValue struct{ got, want string }

func (b *badValue) Error() string { return "got " + quote(b.got) + ", expected " + b.want }

func quote(s string) string {
	raw, _ := json.Marshal(s) // a string always has a JSON form
	return string(raw)
}
