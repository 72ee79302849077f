package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// Load reads a configuration file. Unknown keys are errors that name the line.
func Load(path string) (*Config, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	c, err := Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Parse reads a configuration. An error names the line and quotes nothing, for there may be secrets.
func Parse(raw []byte) (*Config, error) {
	var c Config
	if err := target.Decode(raw, &c); err != nil {
		return nil, err
	}
	return &c, nil
}

// resources are what exchange.resource can be: optional is sent, and an exchange without it is granted, too.
var resources = []string{"always", "optional", "never"}

// Schema is the JSON Schema of configuration files. comments are descriptions of keys by their paths.
func Schema(comments map[string]string) []byte {
	return target.SchemaOf(reflect.TypeFor[Config](), "Configuration of emaconform idp", comments, map[string][]string{
		"clients[].auth":         methods,
		"idp.vendor":             Vendors()[1:],
		"exchange.resource":      resources,
		"exchange.subject_token": {"id_token", "refresh_token", "access_token"},
	})
}

// Schema says that a way to sign in is one of four.
func (SignIn) Schema(path string, of func(reflect.Type, string) map[string]any) map[string]any {
	text := map[string]any{"type": "string"}
	return map[string]any{"oneOf": []any{
		map[string]any{"const": "attended"},
		map[string]any{
			"type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
			"properties": map[string]any{
				"command": text,
				"tokens":  map[string]any{"oneOf": []any{text, map[string]any{"type": "object", "additionalProperties": text}}},
				"form":    of(reflect.TypeFor[Form](), path+".form"),
			},
		},
	}}
}

// UnmarshalYAML reads one of the four ways to sign in.
func (s *SignIn) UnmarshalYAML(node ast.Node) error {
	if text, ok := node.(*ast.StringNode); ok {
		if text.Value != "attended" {
			line := text.GetToken().Position.Line
			return target.Mistake(fmt.Sprintf("line %d: sign_in: expected command, tokens, form or attended", line))
		}
		s.Attended = true
		return nil
	}
	var given struct {
		Command string   `yaml:"command"`
		Tokens  ast.Node `yaml:"tokens"`
		Form    *Form    `yaml:"form"`
	}
	if err := yaml.NodeToValue(node, &given, yaml.Strict()); err != nil {
		return err
	}
	s.Command, s.Form = given.Command, given.Form
	switch t := given.Tokens.(type) {
	case nil:
	case *ast.StringNode:
		s.Tokens = map[string]string{"": t.Value}
	default:
		return yaml.NodeToValue(t, &s.Tokens)
	}
	return nil
}

// ways are the ways to sign in that are given.
func (s *SignIn) ways() (list []string) {
	for name, given := range map[string]bool{
		"command": s.Command != "", "tokens": len(s.Tokens) > 0, "form": s.Form != nil, "attended": s.Attended,
	} {
		if given {
			list = append(list, name)
		}
	}
	return list
}

// Defaults fills in what was left out.
func (c *Config) Defaults() {
	c.Timing.defaults()
	if c.Exchange.Resource == "" {
		c.Exchange.Resource = "always"
	}
	if c.Exchange.SubjectToken == "" {
		c.Exchange.SubjectToken = "id_token"
	}
	if c.Exchange.SubjectTokenType == "" {
		c.Exchange.SubjectTokenType = "urn:ietf:params:oauth:token-type:" + c.Exchange.SubjectToken
	}
	for n := range c.Clients {
		if c.Clients[n].Auth == "" {
			c.Clients[n].Auth = "client_secret_basic"
		}
	}
}

// Resolve reads the secrets and keys that the configuration points at and checks the whole for sense. All problems come
// in one error, a line each.
func (c *Config) Resolve() error {
	r := &resolver{Config: c}
	r.provider()
	r.clients()
	r.targets()
	r.users()
	r.problems = append(r.problems, r.Timing.contradictions()...)
	return errors.Join(r.problems...)
}

type resolver struct {
	*Config
	problems []error
}

func (r *resolver) complain(format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf(format, args...))
}

func (r *resolver) url(key, value string) {
	if wire.HasPassword(value) {
		r.complain("%s: it holds a user name or a password, which would stand in every report: write %s", key,
			wire.WithoutPassword(value))
		return
	}
	if u, err := url.Parse(value); value != "" && (err != nil || u.Host == "" || u.Scheme != "http" &&
		u.Scheme != "https") {
		r.complain("%s: %q is no http or https URL", key, value)
	}
}

func (r *resolver) provider() {
	if r.IdP.Issuer == "" {
		r.complain("idp.issuer: missing: the issuer identifier of the identity provider to judge")
	}
	r.url("idp.issuer", r.IdP.Issuer)
	if strings.ContainsAny(r.IdP.Issuer, "?#") {
		r.complain("idp.issuer: %q has a query or a fragment, which no issuer has (RFC 8414 2)", r.IdP.Issuer)
	}
	for n, host := range r.AllowedHosts {
		if !wire.IsHost(host) {
			r.complain("allowed_hosts[%d]: %q is no host: write auth.example, or auth.example:8443", n,
				wire.WithoutPassword(host))
		}
	}
	r.url("idp.authorization_endpoint", r.IdP.AuthorizationEndpoint)
	r.url("idp.token_endpoint", r.IdP.TokenEndpoint)
	r.url("idp.jwks_uri", r.IdP.JWKSURI)
	if !slices.Contains(Vendors(), r.IdP.Vendor) {
		r.complain("idp.vendor: %q is none of %s", r.IdP.Vendor, strings.Join(Vendors()[1:], ", "))
	}
	if v := r.Exchange.Resource; !slices.Contains(resources, v) {
		r.complain("exchange.resource: %q is none of %s", v, strings.Join(resources, ", "))
	}
	if v := r.Exchange.SubjectToken; v != "id_token" && v != "refresh_token" && v != "access_token" {
		r.complain("exchange.subject_token: %q is none of id_token, refresh_token, access_token", v)
	}
}

// methods are those by which clients authenticate here.
var methods = []string{target.ClientSecretBasic, target.ClientSecretPost, target.PrivateKeyJWT, target.NoAuthentication}

// Vendors are the identity providers whose own words are known; "" is any other.
func Vendors() []string { return []string{"", "okta", "keycloak", "entra"} }

func (r *resolver) clients() {
	connected := 0
	for n := range r.Clients {
		k := &r.Clients[n]
		if !slices.Contains(methods, k.Auth) {
			r.complain("clients[%d] (%s): auth: %q is none of %s", n, k.ID, k.Auth, strings.Join(methods, ", "))
			continue
		}
		if k.Audience != "" || k.CIMD || k.CAFile != "" || k.CertificateFile != "" {
			r.complain("clients[%d] (%s): audience, cimd, ca_file and certificate_file are for emaconform server", n, k.ID)
		}
		if k.Auth == target.NoAuthentication { // a public client: what it is granted is for IDP-CLIENT-AUTH to judge
			if k.ID == "" {
				r.complain("clients[%d]: id is missing", n)
			}
		} else if err := k.Resolve(); err != nil {
			r.complain("clients[%d] (%s): %w", n, k.ID, err)
		}
		if !k.Unconnected {
			connected++
		}
	}
	if connected == 0 {
		r.complain("clients: none that is connected to the targets: at least one is needed")
	} else if r.Clients[0].Unconnected {
		r.complain("clients[0]: unconnected: the first client is the one that honest exchanges are made by")
	}
	for key, id := range map[string]string{"short_lived": r.ShortLived, "rate_client": r.RateClient} {
		if id != "" && r.Client(id) == nil {
			r.complain("%s: there is no client %q", key, id)
		}
	}
}

// Client returns the client of this id, or nil.
func (c *Config) Client(id string) *Client {
	for n := range c.Clients {
		if c.Clients[n].ID == id {
			return &c.Clients[n]
		}
	}
	return nil
}

func (r *resolver) targets() {
	if len(r.Targets) == 0 {
		r.complain("targets: none: at least one resource authorization server that the identity provider knows is needed")
	}
	list := map[string]*Target{}
	for n := range r.Targets {
		list[fmt.Sprintf("targets[%d]", n)] = &r.Targets[n]
	}
	if s := r.StepUp; s != nil {
		list["step_up.strong"], list["step_up.fresh"] = s.Strong, s.Fresh
		if s.Fresh != nil && s.MaxAge <= 0 {
			r.complain("step_up.max_age: missing: how old a sign-in may be for step_up.fresh")
		}
	}
	for key, t := range list {
		if t == nil {
			continue
		}
		if t.Audience == "" {
			r.complain("%s.audience: missing: the issuer identifier of the resource authorization server", key)
		}
		if t.DecryptKeyFile != "" {
			var err error
			if t.DecryptKey, err = readKey(t.DecryptKeyFile); err != nil {
				r.complain("%s.decrypt_key_file: %w", key, err)
			}
		}
	}
}

func readKey(path string) (*jose.JSONWebKey, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key := new(jose.JSONWebKey)
	if err := key.UnmarshalJSON(raw); err != nil || key.IsPublic() {
		return nil, fmt.Errorf("%s is no private JWK", path)
	}
	return key, nil
}

func (r *resolver) users() {
	if len(r.Users) == 0 || r.Users[0].Unassigned {
		r.complain("users: the first one is to be a person who may use the first target")
	}
	for n := range r.Users {
		r.user(fmt.Sprintf("users[%d]", n), &r.Users[n])
	}
	if s := r.StepUp; s != nil && s.User != nil {
		r.user("step_up.user", s.User)
	}
}

func (r *resolver) user(key string, u *User) {
	if u.Login == "" {
		r.complain("%s.login: missing", key)
	}
	if ways := u.SignIn.ways(); len(ways) != 1 {
		r.complain("%s.sign_in: expected one of command, tokens, form, attended, got %d", key, len(ways))
	}
	form := u.SignIn.Form
	if form == nil {
		return
	}
	if form.Username == "" {
		form.Username = u.Login
	}
	if form.PasswordEnv != "" {
		if form.Password = os.Getenv(form.PasswordEnv); form.Password == "" {
			r.complain("%s.sign_in.form.password_env: the environment variable %s is empty", key, form.PasswordEnv)
		}
	}
	if form.PasswordFile != "" {
		raw, err := os.ReadFile(form.PasswordFile)
		if err != nil {
			r.complain("%s.sign_in.form.password_file: %w", key, err)
		}
		form.Password = strings.TrimSpace(string(raw))
	}
	if r.Clients != nil && r.Clients[0].RedirectURI == "" {
		r.complain("clients[0].redirect_uri: missing: a form sign-in is a code flow, which ends there")
	}
}

// Loopback reports whether the identity provider is on this machine.
func (c *Config) Loopback() bool { return target.Loopback(c.IdP.Issuer) }

// Hosts are those that the configuration names: credentials and tokens go to no other.
func (c *Config) Hosts() *wire.Hosts {
	h := &wire.Hosts{Target: c.IdP.Issuer, Private: c.AllowPrivate, Named: slices.Clone(c.AllowedHosts)}
	named := []string{c.IdP.AuthorizationEndpoint, c.IdP.TokenEndpoint, c.IdP.JWKSURI, c.Audit,
		c.Hooks.Deactivate, c.Hooks.Reactivate, c.Hooks.Unassign, c.Hooks.Assign, c.Hooks.Revoke, c.Hooks.Rotate}
	if s := c.SAML; s != nil {
		named = append(named, s.Assertion, s.OtherAudience, s.OtherRecip, s.Expired, s.Early, s.Named)
	}
	for _, u := range c.Users {
		if u.SignIn.Form != nil {
			named = append(named, u.SignIn.Form.Origins...)
		}
	}
	for _, u := range named {
		if strings.HasPrefix(u, "http://") || strings.HasPrefix(u, "https://") { // others are files and commands
			h.Named = append(h.Named, u)
		}
	}
	return h
}
