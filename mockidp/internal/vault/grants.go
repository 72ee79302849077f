package vault

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/emaconform/emaconform/mockidp/directory"
)

// Code is an authorization code's memory.
type Code struct {
	Client, User, RedirectURI string
	Server                    string // id of the authorization server, "" for the org's
	Scopes                    []string
	Nonce, Challenge          string
	ACRAsked                  bool
	Session                   string
	Auth                      directory.Authentication

	ends  time.Time
	grant *Grant // of the redemption
}

// IssueCode remembers c and returns the code.
func (v *Vault) IssueCode(c Code, now time.Time) string {
	code := rand.Text() + rand.Text()
	c.ends = now.Add(CodeLifetime)
	// It is remembered for longer than it can be redeemed, so that a second use is noticed.
	v.codes.put(KeyOf(code), &c, now.Add(2*CodeLifetime), now)
	return code
}

// Why a code or a refresh token is not taken.
var (
	ErrUnknown = errors.New("unknown, or expired")
	ErrUsed    = errors.New("used before: everything issued for it is revoked")
	ErrRevoked = errors.New("revoked")
	ErrClient  = errors.New("issued to another client")
)

// RedeemCode makes the grant of a code, good until ends: once, when the client is the code's and check finds nothing
// wrong with it. A failed check does not use the code up; a second use revokes what came of the first (RFC 6749 section
// 4.1.2).
func (v *Vault) RedeemCode(code, client string, check func(Code) error, ends, now time.Time) (Grant, error) {
	c, found := v.codes.get(KeyOf(code), now)
	if !found {
		return Grant{}, ErrUnknown
	}
	v.codes.mu.Lock()
	defer v.codes.mu.Unlock()
	switch {
	case c.Client != client:
		return Grant{}, ErrClient
	case c.grant != nil:
		v.Revoke(*c.grant)
		return Grant{}, ErrUsed
	case now.After(c.ends):
		return Grant{}, ErrUnknown
	}
	if err := check(*c); err != nil {
		return Grant{}, err
	}
	g := NewGrant(c.Client, c.User, c.Scopes, c.Auth, ends)
	g.Server, g.ACRAsked, g.Session, g.Nonce = c.Server, c.ACRAsked, c.Session, c.Nonce
	c.grant = &g
	v.Keep(g, now)
	return g, nil
}

// Grant is what a user lets a client have: one sign-in, with every token that came of it.
type Grant struct {
	ID           [16]byte
	Client, User string
	Server       string
	Scopes       []string
	ACRAsked     bool
	Session      string
	Auth         directory.Authentication
	Nonce        string
	Ends         time.Time   // of its refresh tokens; rotation does not move it
	SAML         *SAMLNameID // of the assertion that led to it

	generation uint32
	rotated    time.Time
	revoked    bool
}

// SAMLNameID is how an assertion named the user.
type SAMLNameID struct{ Value, Format string }

// NewGrant is a grant that no code led to.
func NewGrant(client, user string, scopes []string, auth directory.Authentication, ends time.Time) Grant {
	g := Grant{Client: client, User: user, Scopes: scopes, Auth: auth, Ends: ends}
	rand.Read(g.ID[:])
	return g
}

// Keep remembers a grant.
func (v *Vault) Keep(g Grant, now time.Time) { v.grants.put(Key(g.ID), &g, g.Ends, now) }

// RefreshToken makes a refresh token of the grant's current generation.
func (v *Vault) RefreshToken(g Grant) string { return v.refreshToken(g.ID, g.generation) }

// refreshToken is grant, generation and a MAC over both: tokens need no memory of their own, and one of an earlier
// generation is recognized as such for as long as the grant lives.
func (v *Vault) refreshToken(grant [16]byte, generation uint32) string {
	raw := binary.BigEndian.AppendUint32(grant[:], generation)
	return base64.RawURLEncoding.EncodeToString(append(raw, v.sum(raw)...))
}

func (v *Vault) sum(raw []byte) []byte {
	mac := hmac.New(sha256.New, v.mac[:])
	mac.Write(raw)
	return mac.Sum(nil)[:24]
}

// Refresh uses a refresh token of the client. With rotate the answer holds the token that takes its place; without, the
// same token stays good. One of an earlier generation is taken for leeway after its rotation; later its use revokes the
// grant (ErrUsed).
func (v *Vault) Refresh(token, client string, rotate bool, leeway time.Duration, now time.Time) (Grant, string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != 44 || !hmac.Equal(v.sum(raw[:20]), raw[20:]) {
		return Grant{}, "", ErrUnknown
	}
	g, found := v.grants.get(Key(raw[:16]), now)
	if !found {
		return Grant{}, "", ErrUnknown
	}
	generation := binary.BigEndian.Uint32(raw[16:20])
	v.grants.mu.Lock()
	defer v.grants.mu.Unlock()
	switch late := g.generation - generation; {
	case g.Client != client:
		return Grant{}, "", ErrClient
	case g.revoked:
		return *g, "", ErrRevoked
	case late > 1 || late == 1 && now.Sub(g.rotated) > leeway:
		g.revoked = true
		return *g, "", ErrUsed
	case rotate && late == 0:
		g.generation++
		g.rotated = now
	}
	if !rotate {
		return *g, token, nil
	}
	return *g, v.refreshToken(g.ID, g.generation), nil
}

// FindRefresh finds the grant of a refresh token without using it.
func (v *Vault) FindRefresh(token string, now time.Time) (g Grant, live bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != 44 || !hmac.Equal(v.sum(raw[:20]), raw[20:]) {
		return Grant{}, false
	}
	found, ok := v.grants.get(Key(raw[:16]), now)
	if !ok {
		return Grant{}, false
	}
	v.grants.mu.Lock()
	defer v.grants.mu.Unlock()
	return *found, !found.revoked && found.generation == binary.BigEndian.Uint32(raw[16:20])
}

// Revoke ends a grant and every token of it.
func (v *Vault) Revoke(g Grant) {
	v.grants.mu.Lock()
	defer v.grants.mu.Unlock()
	if kept, found := v.grants.entries[Key(g.ID)]; found {
		kept.value.revoked = true
	}
}

// RevokeWhere ends every grant for which f holds, and says how many it were.
func (v *Vault) RevokeWhere(f func(Grant) bool) (n int) {
	v.grants.each(func(g *Grant) bool {
		if !g.revoked && f(*g) {
			g.revoked = true
			n++
		}
		return true
	})
	return n
}

// Access is an access token's memory.
type Access struct {
	Grant        [16]byte
	ID           string // jti
	Client, User string
	Server       string
	Scopes       []string
	Issued, Ends time.Time
}

// KeepAccess remembers an access token.
func (v *Vault) KeepAccess(token string, a Access, now time.Time) {
	v.access.put(KeyOf(token), a, a.Ends, now)
}

// Access finds an access token that is neither expired nor revoked.
func (v *Vault) Access(token string, now time.Time) (Access, bool) {
	a, found := v.access.get(KeyOf(token), now)
	if !found {
		return Access{}, false
	}
	g, found := v.grants.get(Key(a.Grant), now)
	if !found {
		return Access{}, false
	}
	v.grants.mu.Lock()
	defer v.grants.mu.Unlock()
	return a, !g.revoked
}

// RevokeAccess ends one access token.
func (v *Vault) RevokeAccess(token string) { v.access.remove(KeyOf(token)) }
