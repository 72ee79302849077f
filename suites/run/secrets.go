package run

import (
	"encoding/json"
	"slices"

	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// privateMembers are the members of an assignment that hold secrets: of clients, of keys (RFC 7517, RFC 7518 6), and of
// the control API.
var privateMembers = map[string]string{
	"secret": "secret", "d": "private key", "p": "private key", "q": "private key", "dp": "private key",
	"dq": "private key",
	"qi": "private key", "k": "key",
}

// hide adds what is secret in an assignment to the secrets of the run, after what is public in it.
func (a *assignment) hide(secrets *redact.Set) {
	secrets.Publish(public(a.Config)...)
	clients := slices.Clone(a.Config.Clients)
	for _, single := range []*target.Client{a.Config.RevokedClient, a.Config.DPoPClient} {
		if single != nil {
			clients = append(clients, *single)
		}
	}
	for _, c := range clients {
		secrets.Hide("secret of client "+c.ID, c.Secret)
		secrets.Hide("private key of client "+c.ID, string(c.Certificate))
	}
	raw, err := json.Marshal(a)
	if err != nil {
		return // it was JSON, or becomes JSON, elsewhere: there the error is told
	}
	var value any
	if json.Unmarshal(raw, &value) == nil {
		hideMembers(secrets, value)
	}
}

func hideMembers(secrets *redact.Set, value any) {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			hideMembers(secrets, element)
		}
	case map[string]any:
		for name, member := range v {
			if s, ok := member.(string); ok && privateMembers[name] != "" {
				secrets.Hide(privateMembers[name], s)
			} else {
				hideMembers(secrets, member)
			}
		}
	}
}

// public lists what may be shown though a secret have it in itself: a secret may well begin with the name of its
// client.
func public(c *target.Config) []string {
	list := []string{
		c.Name, c.URL, c.Resource, c.AuthorizationServer.Issuer, c.AuthorizationServer.TokenEndpoint, c.IdP.Issuer,
		c.SecondServer,
		c.PublicClient, c.LinkableEmail, c.SharedEmail, c.ForbiddenScope,
		server.GrantJWTBearer, server.GrantProfileIDJAG, server.ClientAssertionType,
		"client_secret_basic", "client_secret_post", "private_key_jwt", "access_token", "authorization_code", "Bearer",
		"notes",
	}
	list = append(list, c.Scopes...)
	for _, client := range c.Clients {
		list = append(list, client.ID)
	}
	for _, user := range append(c.Users, c.IdP.Users...) {
		list = append(list, user.Sub, user.Email)
	}
	for _, idp := range []*target.IdP{c.SecondIdP, c.DisabledIdP} {
		if idp != nil {
			list = append(list, idp.Issuer)
		}
	}
	return list
}
