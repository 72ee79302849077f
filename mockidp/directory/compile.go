package directory

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/url"
	"slices"
	"strings"
)

// index finds what a Directory holds.
type index struct {
	users      map[string]*User // by id
	logins     map[string]*User // by login in lower case
	clients    map[string]*Client
	connectors map[string]*Connector
	audiences  map[string]*Connector // by audience and by alias
	links      map[[2]string]*Connection
	groups     map[string]bool
}

// Problem is a mistake in a directory; Path is where, as in $.users[2].login.
type Problem struct{ Path, Message string }

func (p *Problem) Error() string { return strings.TrimPrefix(p.Path, "$.") + ": " + p.Message }

// Compile fills in what was left out and checks that the directory is sound. The error joins one *Problem for each
// mistake.
func (d *Directory) Compile() error {
	c := &compiler{d: d, index: &index{
		users: map[string]*User{}, logins: map[string]*User{}, clients: map[string]*Client{},
		connectors: map[string]*Connector{},
		audiences:  map[string]*Connector{}, links: map[[2]string]*Connection{}, groups: map[string]bool{"Everyone": true},
	}}
	c.settings()
	c.users()
	for n := range d.Clients {
		c.client(fmt.Sprintf("$.clients[%d]", n), &d.Clients[n])
	}
	for n := range d.Connectors {
		c.connector(fmt.Sprintf("$.connectors[%d]", n), &d.Connectors[n])
	}
	for n := range d.Connections {
		c.connection(fmt.Sprintf("$.connections[%d]", n), &d.Connections[n])
	}
	for n := range d.Policies {
		c.policy(fmt.Sprintf("$.policies[%d]", n), &d.Policies[n])
	}
	for n, u := range d.Users {
		for _, id := range slices.Sorted(maps.Keys(u.Accounts)) {
			c.known(fmt.Sprintf("$.users[%d].accounts", n), "connector", id, c.index.connectors[id] != nil)
		}
	}
	if len(c.problems) > 0 {
		return errors.Join(c.problems...)
	}
	d.index = c.index
	return nil
}

type compiler struct {
	d        *Directory
	index    *index
	problems []error
}

func (c *compiler) fail(path, format string, args ...any) {
	c.problems = append(c.problems, &Problem{path, fmt.Sprintf(format, args...)})
}

func (c *compiler) known(path, kind, name string, ok bool) {
	if !ok {
		c.fail(path, "there is no %s %s", kind, quote(name))
	}
}

func (c *compiler) settings() {
	s := &c.d.Settings
	oneOf(c, "$.settings.excess_scopes", s.ExcessScopes, "", DropScopes, RefuseScopes)
	oneOf(c, "$.settings.missing_scope", s.MissingScope, "", NoScopes, AllScopes, MissingRefuse)
	if s.Issuer != "" {
		c.url("$.settings.issuer", s.Issuer)
	}
	ids := map[string]bool{}
	for n, server := range s.Servers {
		path := fmt.Sprintf("$.settings.authorization_servers[%d]", n)
		if server.ID == "" || server.ID == "v1" || strings.ContainsAny(server.ID, "/?#% ") {
			c.fail(path+".id", "%s cannot stand in the issuer's path", quote(server.ID))
		}
		add(c, path+".id", "authorization server", server.ID, ids, true)
		c.url(path+".audience", server.Audience)
		c.scopeTokens(path+".scopes", server.Scopes)
	}
}

func (c *compiler) users() {
	for _, name := range c.d.Groups {
		c.index.groups[name] = true
	}
	for n := range c.d.Users {
		u, path := &c.d.Users[n], fmt.Sprintf("$.users[%d]", n)
		if u.Login == "" {
			c.fail(path+".login", "every user needs a login, for instance an e-mail address")
			continue
		}
		if u.ID == "" {
			u.ID = MakeID("00u", u.Login)
		}
		oneOf(c, path+".status", u.Status, "", Active, Staged, Suspended, Deprovisioned)
		add(c, path+".login", "login", strings.ToLower(u.Login), c.index.logins, u)
		add(c, path+".id", "user id", u.ID, c.index.users, u)
		for _, g := range u.Groups {
			c.index.groups[g] = true
		}
	}
	if s := c.d.Settings.SilentLogin; s != "" {
		c.known("$.settings.silent_login", "user with the login", s, c.index.logins[strings.ToLower(s)] != nil)
	}
}

func (c *compiler) client(path string, k *Client) {
	if k.ID == "" {
		c.fail(path+".id", "every client needs an id")
		return
	}
	if k.Auth == "" {
		k.Auth = k.impliedAuth()
	}
	add(c, path+".id", "client id", k.ID, c.index.clients, k)
	oneOf(c, path+".auth", k.Auth, Secret, SecretBasic, SecretPost, PrivateKeyJWT, Public)
	oneOf(c, path+".status", k.Status, "", Active, Staged, Inactive)
	oneOf(c, path+".refresh_rotation", k.Rotation, "", Rotate, Static)
	switch {
	case k.UsesSecret() && k.Secret == "":
		c.fail(path+".secret", "a client that authenticates by %s needs a secret", k.Auth)
	case k.Auth == PrivateKeyJWT && k.JWKS == nil:
		c.fail(path+".jwks", "a client that authenticates by %s needs its public keys", k.Auth)
	}
	for n, uri := range k.RedirectURIs {
		c.url(fmt.Sprintf("%s.redirect_uris[%d]", path, n), uri)
	}
	for n, uri := range k.LogoutURIs {
		c.url(fmt.Sprintf("%s.post_logout_redirect_uris[%d]", path, n), uri)
	}
	c.assignment(path+".assigned", k.Assigned)
	if k.SAML != nil {
		c.saml(path, k)
	}
}

func (c *compiler) saml(path string, k *Client) {
	if url.PathEscape(k.ID) != k.ID {
		c.fail(path+".id", "a client with SAML needs an id that is one segment of a path: its sign-on is at "+
			"/app/<id>/sso/saml")
	}
	if k.SAML.EntityID == "" {
		c.fail(path+".saml.entity_id", "give the service provider's entity id: it is the audience of assertions")
	}
	if len(k.SAML.ACS) == 0 {
		c.fail(path+".saml.acs", "give an assertion consumer service URL: assertions are sent there")
	}
	for n, uri := range k.SAML.ACS {
		c.url(fmt.Sprintf("%s.saml.acs[%d]", path, n), uri)
	}
	oneOf(c, path+".saml.name_id", k.SAML.NameID, "", NameEmail, NamePersistent, NameLogin)
}

// UsesSecret reports whether the client authenticates with its secret.
func (k *Client) UsesSecret() bool {
	return k.Auth == Secret || k.Auth == SecretBasic || k.Auth == SecretPost
}

func (k *Client) impliedAuth() AuthMethod {
	switch {
	case k.Secret != "":
		return Secret
	case k.JWKS != nil:
		return PrivateKeyJWT
	}
	return Public
}

func (c *compiler) connector(path string, r *Connector) {
	if r.ID == "" {
		c.fail(path+".id", "every connector needs an id")
		return
	}
	add(c, path+".id", "connector id", r.ID, c.index.connectors, r)
	c.url(path+".audience", r.Audience)
	add(c, path+".audience", "audience", r.Audience, c.index.audiences, r)
	for n, alias := range r.Aliases {
		add(c, fmt.Sprintf("%s.aliases[%d]", path, n), "audience", alias, c.index.audiences, r)
	}
	for n, uri := range r.Resources {
		c.url(fmt.Sprintf("%s.resources[%d]", path, n), uri)
	}
	c.scopeTokens(path+".scopes", r.Scopes)
	oneOf(c, path+".subject", r.Subject, "", SubjectID, SubjectLogin, SubjectEmail, SubjectUUID, SubjectNumeric,
		SubjectPairwise)
	oneOf(c, path+".status", r.Status, "", Active, Inactive)
	c.assignment(path+".assigned", r.Assigned)
}

func (c *compiler) scopeTokens(path string, scopes []string) {
	for n, s := range scopes {
		if s == "" || strings.ContainsFunc(s, func(b rune) bool { return b <= ' ' || b > '~' || b == '"' || b == '\\' }) {
			c.fail(fmt.Sprintf("%s[%d]", path, n), "%s is no scope token (RFC 6749 section 3.3)", quote(s))
		}
	}
}

func (c *compiler) connection(path string, k *Connection) {
	c.known(path+".client", "client", k.Client, c.index.clients[k.Client] != nil)
	connector := c.index.connectors[k.Connector]
	c.known(path+".connector", "connector", k.Connector, connector != nil)
	if k.ClientID == "" {
		c.fail(path+".client_id", "give the client's id at the RAS: it becomes client_id in the ID-JAG")
	}
	oneOf(c, path+".status", k.Status, "", Active, Inactive)
	if connector != nil {
		c.scopes(path+".scopes", k.Scopes, connector.Scopes)
		c.scopes(path+".deny_scopes", k.Deny, connector.Scopes)
	}
	add(c, path, "connection", [2]string{k.Client, k.Connector}, c.index.links, k)
}

func (c *compiler) scopes(path string, list, known []string) {
	for n, s := range list {
		if !slices.Contains(known, s) {
			c.fail(fmt.Sprintf("%s[%d]", path, n), "the connector has no scope %s; it has %s", quote(s),
				strings.Join(known, ", "))
		}
	}
}

func (c *compiler) policy(path string, p *Policy) {
	if p.Name == "" {
		c.fail(path+".name", "name the policy: the audit log says which one decided")
	}
	oneOf(c, path+".effect", p.Effect, "", Allow, Deny)
	c.assignment(path, Assignment{Groups: p.Groups, Users: p.Users})
	for n, id := range p.Clients {
		c.known(fmt.Sprintf("%s.clients[%d]", path, n), "client", id, c.index.clients[id] != nil)
	}
	for n, id := range p.Connectors {
		c.known(fmt.Sprintf("%s.connectors[%d]", path, n), "connector", id, c.index.connectors[id] != nil)
	}
}

func (c *compiler) assignment(path string, a Assignment) {
	for n, g := range a.Groups {
		c.known(fmt.Sprintf("%s.groups[%d]", path, n), "group", g, c.index.groups[g])
	}
	for n, login := range a.Users {
		c.known(fmt.Sprintf("%s.users[%d]", path, n), "user with the login", login,
			c.index.logins[strings.ToLower(login)] != nil)
	}
}

func (c *compiler) url(path, value string) {
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" || u.Host == "" && u.Opaque == "" && u.Path == "" {
		c.fail(path, "%s is no absolute URI", quote(value))
	} else if u.Fragment != "" {
		c.fail(path, "%s has a fragment", quote(value))
	}
}

func oneOf[T ~string](c *compiler, path string, got T, allowed ...T) {
	if slices.Contains(allowed, got) {
		return
	}
	var names []string
	for _, a := range allowed {
		if a != "" {
			names = append(names, string(a))
		}
	}
	c.fail(path, "got %s, expected one of %s", quote(string(got)), strings.Join(names, ", "))
}

func add[K comparable, V any](c *compiler, path, kind string, key K, into map[K]V, value V) {
	if _, twice := into[key]; twice {
		c.fail(path, "the %s %v is there twice", kind, key)
		return
	}
	into[key] = value
}

// MakeID makes an id of Okta's form from a name: a prefix of three characters and 17 of base62
// (https://developer.okta.com/docs/reference/core-okta-api/ shows such ids). The same name always makes the same id.
func MakeID(prefix, name string) string {
	sum := sha256.Sum256([]byte(prefix + name))
	text := new(big.Int).SetBytes(sum[:]).Text(62)
	return prefix + text[:20-len(prefix)]
}
