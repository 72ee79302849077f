package idp

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/endpoint"
	"github.com/emaconform/emaconform/mockidp/fault"
	"github.com/emaconform/emaconform/mockidp/flavour"
	"github.com/emaconform/emaconform/mockidp/internal/state"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
	"github.com/emaconform/emaconform/mockidp/mint"
	"github.com/emaconform/emaconform/mockidp/observe"
)

// Directory is who and what the identity provider knows now. It is not to be changed: see Update.
func (p *IdP) Directory() *directory.Directory { return p.state.Directory.Load() }

// Update changes the directory: change gets a copy, which takes effect as a whole when it compiles; else the error says
// why and all stays as it was. Sessions and tokens are kept, but for those of users who may not sign in to a client any
// more: theirs are revoked, and do not come back.
func (p *IdP) Update(change func(*directory.Directory) error) error {
	p.updating.Lock()
	defer p.updating.Unlock()
	next := p.state.Directory.Load().Clone()
	if err := change(next); err != nil {
		return err
	}
	return p.replace(next)
}

// Replace puts another directory in the place of the present one, as Update does.
func (p *IdP) Replace(next *directory.Directory) error {
	p.updating.Lock()
	defer p.updating.Unlock()
	return p.replace(next)
}

func (p *IdP) replace(next *directory.Directory) error {
	if err := next.Compile(); err != nil {
		return err
	}
	before := p.state.Directory.Swap(next)
	for _, change := range directory.Changes(before, next) {
		p.state.Record(audit.Entry{Type: audit.ConfigChanged, Outcome: audit.Success, Detail: change})
	}
	p.lifecycle(before, next)
	return nil
}

// lifecycle logs what has become of users, and revokes what users may not have any more
// (https://developer.okta.com/docs/guides/revoke-tokens/main/).
func (p *IdP) lifecycle(before, next *directory.Directory) {
	for n := range before.Users {
		old := &before.Users[n]
		u := next.User(old.ID)
		switch {
		case u == nil:
			p.state.Record(audit.Entry{Type: audit.UserLifecycle + "delete", Outcome: audit.Success, User: old.ID,
				Login: old.Login})
		case u.Status != old.Status:
			p.state.Record(audit.Entry{Type: audit.UserLifecycle + verb(old.Status, u.Status), Outcome: audit.Success,
				User: u.ID})
		}
		if u == nil || !u.Status.OK() && old.Status.OK() {
			p.state.Vault.Load().ClearUser(old.ID, p.Now())
		}
	}
	p.state.Vault.Load().RevokeWhere(func(g vault.Grant) bool {
		k := next.Client(g.Client)
		if k == nil {
			return true
		}
		_, denied := directory.MaySignIn(k, next.User(g.User))
		return denied != nil
	})
}

func verb(from, to directory.Status) string {
	switch {
	case to == directory.Suspended:
		return "suspend"
	case to == directory.Deprovisioned:
		return "deactivate"
	case from == directory.Suspended && to.OK():
		return "unsuspend"
	case to.OK():
		return "activate"
	}
	return "update"
}

// SetStatus changes a user's status, by login. Anything but Active ends their sessions and tokens at once. The error is
// a user who is not there (*MissingError), or a status that is none.
func (p *IdP) SetStatus(login string, s directory.Status) error {
	return p.Update(func(d *directory.Directory) error {
		i := slices.IndexFunc(d.Users, func(u directory.User) bool { return u.Login == login })
		if i < 0 {
			return Missing("user", login)
		}
		d.Users[i].Status = s
		return nil
	})
}

// EndSessions ends every session and token of a user, by login; the user may sign in again. The error is a user who is
// not there (*MissingError).
func (p *IdP) EndSessions(login string) error {
	u := p.Directory().Login(login)
	if u == nil {
		return Missing("user", login)
	}
	p.state.Vault.Load().ClearUser(u.ID, p.Now())
	p.state.Record(audit.Entry{Type: audit.SessionClear, Outcome: audit.Success, User: u.ID})
	return nil
}

// Advance moves the clock forward, or back when d is negative. Tokens that live by the clock age with it.
func (p *IdP) Advance(d time.Duration) { p.state.Clock.Offset.Add(int64(d)) }

// SetClock makes the time t, from where it goes on.
func (p *IdP) SetClock(t time.Time) { p.Advance(t.Sub(p.Now())) }

// NewIDToken mints an honest ID token (OpenID Connect Core 2) for a user, by login, at a client, by id, without a
// sign-in. Change it before Sign, or hand it to package hostile. The error is a user who is not there (*MissingError).
func (p *IdP) NewIDToken(login, clientID string) (*mint.Token, error) {
	u := p.Directory().Login(login)
	if u == nil {
		return nil, Missing("user", login)
	}
	token := p.Issuer().IDToken(directory.SubjectOf(p.state.Flavour.Subject, u, clientID), clientID)
	if u.Email != "" {
		token.Claims["email"] = u.Email
	}
	p.state.Vault.Load().Issue(token.Claims["jti"].(string), mint.IDTokenLifetime, p.Now())
	return token, nil
}

// NewIDJAG mints an honest ID-JAG (ID-JAG draft-04 section 3.1) for a user, by login, at a client and a connector, by
// their ids, with the connector's first resource and all of its scopes, whatever the policies say. Change it before
// Sign, or hand it to package hostile. The error is what is not there (*MissingError): user, connector, or their
// connection.
func (p *IdP) NewIDJAG(login, clientID, connector string) (*mint.Token, error) {
	d := p.Directory()
	u, r, k := d.Login(login), d.Connector(connector), d.Connection(clientID, connector)
	switch {
	case u == nil:
		return nil, Missing("user", login)
	case r == nil:
		return nil, Missing("connector", connector)
	case k == nil:
		return nil, Missing("connection", clientID+"~"+connector)
	}
	g := mint.Grant{Subject: p.state.ResourceSubject(u, r), Audience: r.Audience, ClientID: k.ClientID, Email: u.Email,
		Scope: strings.Join(r.Scopes, " ")}
	if len(r.Resources) > 0 {
		g.Resource = r.Resources[0]
	}
	return p.Issuer().IDJAG(g), nil
}

// NewAccessToken mints an honest access token of a custom authorization server, "" is default, for a user, by login, at
// a client, without a sign-in; it has no scopes. The org's server has none to mint: its access tokens are opaque.
func (p *IdP) NewAccessToken(login, clientID, server string) (*mint.Token, error) {
	u, s := p.Directory().Login(login), p.state.Servers[cmp.Or(server, "default")]
	switch {
	case u == nil:
		return nil, Missing("user", login)
	case p.Directory().Client(clientID) == nil:
		return nil, Missing("client", clientID)
	case s == nil:
		return nil, Missing("authorization server", cmp.Or(server, "default"))
	}
	claims, _ := endpoint.AccessClaims(s, u, clientID, []string{}, p.Now(), p.Now())
	return mint.NewToken(s.Keys.Set().Signing(), "", claims), nil
}

// Fault spoils answers of an endpoint until ClearFaults, or for as many requests as it says. The error is a fault that
// makes no sense, such as one of an endpoint that is none.
func (p *IdP) Fault(f fault.Fault) error {
	defer p.faulted()
	return p.state.Faults.Add(f)
}

// ClearFaults removes the faults of an endpoint, of all when it is "".
func (p *IdP) ClearFaults(endpoint string) {
	p.state.Faults.Clear(endpoint)
	p.faulted()
}

// Requests counts the requests to an endpoint.
func (p *IdP) Requests(endpoint string) int { return p.state.Faults.Count(endpoint) }

// Edit changes tokens before they are signed, until ClearEdits or for as many as it says. The error is an edit that
// makes no sense, such as one of a kind of token that is none.
func (p *IdP) Edit(e mint.Edit) error { return p.state.Edits.Add(e) }

// ClearEdits removes every edit.
func (p *IdP) ClearEdits() { p.state.Edits.Clear() }

// PrepareKey publishes a new key that is not used yet; RotateKeys uses it.
func (p *IdP) PrepareKey() (*mint.Key, error) {
	k, err := p.newKey()
	if err == nil {
		p.state.Org.Keys.Prepare(k)
	}
	return k, err
}

// RotateKeys signs with another key from now on: the prepared one, else a new one. The old keys stay in the JWKS for as
// long as tokens signed with them can be valid, unless withdraw takes them out.
func (p *IdP) RotateKeys(withdraw bool) (*mint.Key, error) {
	k, err := p.newKey()
	if err != nil {
		return nil, err
	}
	k = p.state.Org.Keys.Rotate(k, withdraw, p.Now(), p.state.IDTokenLifetime()+state.Leeway)
	p.state.Record(audit.Entry{Type: audit.KeyRollover, Outcome: audit.Success, Detail: "kid " + k.KeyID})
	return k, nil
}

func (p *IdP) newKey() (*mint.Key, error) {
	return mint.NewKey(p.state.Org.Keys.Algorithm(p.state.Flavour.Algorithm))
}

// Flavour is whose tokens the identity provider imitates.
func (p *IdP) Flavour() *flavour.Flavour { return p.state.Flavour }

// Audit is the log of decisions.
func (p *IdP) Audit() *audit.Log { return p.state.Audit }

// Exchanges are the last requests and answers, the oldest first, without secrets.
func (p *IdP) Exchanges() []observe.Exchange { return p.state.Exchanges.List() }

// Sizes is how many sessions, codes, grants, access tokens and identifiers are remembered.
func (p *IdP) Sizes() map[string]int { return p.state.Vault.Load().Sizes() }

// Reset goes back to the beginning: the directory that the identity provider was started with, no sessions, tokens,
// faults, edits or log entries, the clock at the time that it is. Keys stay.
func (p *IdP) Reset() error {
	p.Restore()
	p.state.Edits.Clear()
	p.state.Clock.Offset.Store(0)
	p.state.Vault.Store(vault.New())
	if err := p.Replace(p.state.Started.Clone()); err != nil {
		return err
	}
	p.state.Exchanges.Clear()
	p.state.Unknown.Clear()
	p.state.Audit.Clear()
	return nil
}
