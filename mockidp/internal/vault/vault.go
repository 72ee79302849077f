// Package vault remembers what an identity provider has issued and seen: sessions, authorization codes, grants with
// their refresh tokens, access tokens, and identifiers that must not come twice. Everything in it expires and is
// bounded, and nothing in it is a secret that could be used: secrets are remembered by their hashes.
package vault

import (
	"crypto/rand"
	"errors"
	"time"

	"github.com/emaconform/emaconform/mockidp/directory"
)

// How much is remembered: some 100 MB when all of it is full.
const (
	MaxSessions = 1 << 16
	MaxCodes    = 1 << 15
	MaxGrants   = 1 << 16
	MaxAccess   = 1 << 16
	MaxSeen     = 1 << 19
)

// CodeLifetime is how long an authorization code can be redeemed, as Okta has it
// (https://developer.okta.com/docs/api/openapi/okta-oauth/).
const CodeLifetime = 5 * time.Minute

// Vault is safe for concurrent use.
type Vault struct {
	sessions *expiring[Session]
	pending  *expiring[Pending]
	codes    *expiring[*Code]
	grants   *expiring[*Grant]
	access   *expiring[Access]
	seen     *expiring[struct{}]
	ended    *expiring[time.Time] // by user id: when all sessions of the user were ended
	issued   *expiring[time.Time] // by jti: when ID tokens were issued, for iat counts in seconds
	mac      [32]byte             // key of refresh tokens
}

// New makes an empty vault.
func New() *Vault {
	v := &Vault{
		sessions: newExpiring[Session](MaxSessions, 10*time.Minute), pending: newExpiring[Pending](MaxCodes, time.Minute),
		codes: newExpiring[*Code](MaxCodes, time.Minute), grants: newExpiring[*Grant](MaxGrants, time.Hour),
		access: newExpiring[Access](MaxAccess, time.Minute), seen: newExpiring[struct{}](MaxSeen, time.Minute),
		ended: newExpiring[time.Time](MaxSessions, time.Hour), issued: newExpiring[time.Time](MaxAccess, time.Minute),
	}
	rand.Read(v.mac[:]) // never fails: crypto/rand ends the program first
	return v
}

// Session is a browser's sign-in.
type Session struct {
	ID   string // not the cookie: safe to show
	User string
	Auth directory.Authentication
	Ends time.Time
}

// StartSession remembers a session and returns the cookie value that finds it.
func (v *Vault) StartSession(s Session, now time.Time) (cookie string) {
	cookie = rand.Text() + rand.Text()
	v.sessions.put(KeyOf(cookie), s, s.Ends, now)
	return cookie
}

// Session finds a session by its cookie.
func (v *Vault) Session(cookie string, now time.Time) (Session, bool) {
	return v.sessions.get(KeyOf(cookie), now)
}

// EndSession forgets the session of a cookie.
func (v *Vault) EndSession(cookie string) { v.sessions.remove(KeyOf(cookie)) }

// ClearUser ends everything that the user has: sessions, grants with their tokens, and the use of ID tokens issued
// before.
func (v *Vault) ClearUser(user string, now time.Time) {
	v.sessions.each(func(s Session) bool { return s.User != user })
	v.RevokeWhere(func(g Grant) bool { return g.User == user })
	v.codes.each(func(c *Code) bool { return c.User != user })
	v.ended.put(KeyOf(user), now, now.Add(24*time.Hour), now)
}

// Issue remembers, for lifetime, when an ID token was issued.
func (v *Vault) Issue(jti string, lifetime time.Duration, now time.Time) {
	v.issued.put(KeyOf(jti), now, now.Add(lifetime), now)
}

// Issued is when an ID token was issued: to the second, as iat has it, unless more is remembered.
func (v *Vault) Issued(jti string, iat, now time.Time) time.Time {
	if t, found := v.issued.get(KeyOf(jti), now); found {
		return t
	}
	return iat
}

// EndedSince reports whether the user's sessions were all ended after the authentication at t.
func (v *Vault) EndedSince(user string, t, now time.Time) bool {
	ended, found := v.ended.get(KeyOf(user), now)
	return found && !t.After(ended)
}

// Pending is an authorization request that waits for a sign-in.
type Pending struct{ Since time.Time }

// Wait remembers an authorization request and returns the handle that ends its wait.
func (v *Vault) Wait(request string, now time.Time) (handle string) {
	handle = rand.Text()
	v.pending.put(KeyOf(handle, request), Pending{now}, now.Add(30*time.Minute), now)
	return handle
}

// Waited ends the wait of a request and returns when it began. The handle counts for this request only, and once.
func (v *Vault) Waited(handle, request string, now time.Time) (time.Time, bool) {
	k := KeyOf(handle, request)
	p, found := v.pending.get(k, now)
	v.pending.remove(k)
	return p.Since, found
}

// Seen remembers identifiers that must not come twice until ends. ErrFull says that it can take no more: refuse then.
func (v *Vault) Seen(ends, now time.Time, parts ...string) (before bool, err error) {
	fresh, ok := v.seen.add(KeyOf(parts...), struct{}{}, ends.Add(time.Second), now)
	if !ok {
		return false, ErrFull
	}
	return !fresh, nil
}

// ErrFull says that no more identifiers can be remembered.
var ErrFull = errors.New("too many identifiers are remembered already")

// Sizes is how much of each kind is remembered.
func (v *Vault) Sizes() map[string]int {
	return map[string]int{"sessions": v.sessions.len(), "codes": v.codes.len(), "grants": v.grants.len(),
		"access_tokens": v.access.len(), "seen": v.seen.len()}
}
