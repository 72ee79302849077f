package mockidp

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
)

// AccessTokenLifetime is that of Okta's org authorization server.
const AccessTokenLifetime = time.Hour

// idToken mints the ID token of a grant (OpenID Connect Core section 2). Its members are those that Okta documents at
// https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/ (ID token payload).
func (c *call) idToken(k *directory.Client, u *directory.User, g vault.Grant, scopes []string, access string) (token, jti string, err error) {
	claims := c.identity(k, u, g.Auth)
	claims["at_hash"] = accessHash(access, c.server.keys.set().Signing())
	if g.Nonce != "" {
		claims["nonce"] = g.Nonce
	}
	if g.ACRAsked || c.flavour.Authenticated {
		claims["acr"] = g.Auth.ACR
	}
	maps.Copy(claims, c.profile(u, scopes, c.flavour.Thin))
	maps.Copy(claims, u.Claims)
	jti, _ = claims["jti"].(string)
	c.vault.Load().Issue(jti, c.idTokenLifetime(), c.now)
	token, err = c.sign(TokenID, c.flavour.IDTokenTyp, claims, k.ID, u.ID)
	return token, jti, err
}

// identity is what every ID token says.
func (c *call) identity(k *directory.Client, u *directory.User, auth directory.Authentication) map[string]any {
	claims := map[string]any{
		"iss": c.server.issuer, "sub": Subject(c.flavour.Subject, u, k.ID), "aud": k.ID, "jti": c.flavour.IDTokenJTI + identifier(),
		"iat": c.now.Unix(), "exp": c.now.Add(c.idTokenLifetime()).Unix(), "auth_time": auth.Time.Unix(), "amr": auth.AMR,
	}
	maps.Copy(claims, c.flavourClaims(k, u))
	return claims
}

func (p *IdP) idTokenLifetime() time.Duration {
	return orDefault(time.Duration(p.directory.Load().Settings.IDTokenLifetime), p.flavour.IDTokenLifetime)
}

// flavourClaims is what makes an ID token one of its flavour.
func (c *call) flavourClaims(k *directory.Client, u *directory.User) map[string]any {
	claims := maps.Clone(c.flavour.IDTokenClaims)
	if claims == nil {
		claims = map[string]any{}
	}
	set := func(name, value string) {
		if name != "" && value != "" {
			claims[name] = value
		}
	}
	_, domain, _ := strings.Cut(u.Email, "@")
	set(c.flavour.OrgClaim, directory.MakeID("00o", c.issuer))
	set(c.flavour.ObjectClaim, Subject(directory.SubjectUUID, u, ""))
	set(c.flavour.DomainClaim, domain)
	set(c.tenantClaim(), c.tenant())
	if c.flavour.PartyClaim {
		claims["azp"] = k.ID
	}
	if c.flavour.NotBefore {
		claims["nbf"] = c.now.Unix()
	}
	return claims
}

// tenant is the tenant of a multi-tenant issuer, "" for another one.
func (p *IdP) tenant() string { return orText(p.directory.Load().Settings.Tenant, p.flavour.Tenant) }

func (c *call) tenantClaim() string {
	if c.flavour.TenantClaim != "" {
		return c.flavour.TenantClaim
	}
	return "tenant"
}

// profile is the claims that scopes ask for (OpenID Connect Core section 5.4). Thin leaves to userinfo what Okta leaves to
// it when an access token comes with the ID token.
func (c *call) profile(u *directory.User, scopes []string, thin bool) map[string]any {
	claims := map[string]any{}
	if slices.Contains(scopes, "profile") {
		claims["name"], claims["preferred_username"] = orText(u.Name, u.Login), u.Login
		if !thin {
			claims["updated_at"] = c.now.Unix()
		}
	}
	if slices.Contains(scopes, "email") && u.Email != "" {
		claims["email"] = u.Email
		if !thin {
			claims["email_verified"] = u.Verified()
		}
	}
	if slices.Contains(scopes, "groups") {
		claims["groups"] = append([]string{"Everyone"}, u.Groups...)
	}
	return claims
}

// accessToken makes an access token and remembers it. The org server's is for its own endpoints and opaque to everyone else;
// a custom server's is a JWT of the layout in https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/.
func (c *call) accessToken(k *directory.Client, u *directory.User, g vault.Grant, scopes []string) (string, time.Duration, error) {
	jti := "AT." + identifier()
	token := rand.Text() + rand.Text()
	if !c.server.isOrg() {
		signed, err := c.sign(TokenAccess, "", map[string]any{
			"ver": 1, "jti": jti, "iss": c.server.issuer, "aud": c.server.audience, "sub": u.Login, "cid": k.ID, "uid": u.ID,
			"scp": scopes, "iat": c.now.Unix(), "exp": c.now.Add(AccessTokenLifetime).Unix(), "auth_time": g.Auth.Time.Unix(),
		}, k.ID, u.ID)
		if err != nil {
			return "", 0, err
		}
		token = signed
	}
	c.vault.Load().KeepAccess(token, vault.Access{Grant: g.ID, ID: jti, Client: k.ID, User: u.ID, Server: c.server.id, Scopes: scopes,
		Issued: c.now, Ends: c.now.Add(AccessTokenLifetime)}, c.now)
	return token, AccessTokenLifetime, nil
}

// sign makes a token of this kind with the key in use, changed by the edits in force.
func (c *call) sign(kind TokenKind, typ string, claims map[string]any, client, user string) (string, error) {
	t := NewToken(c.server.keys.set().Signing(), typ, claims)
	c.edits.apply(kind, t, client, user)
	return t.Sign()
}

// accessHash is at_hash (OpenID Connect Core section 3.1.3.6): half of the hash that the ID token's algorithm uses.
func accessHash(token string, key *Key) string {
	if key.Algorithm == "EdDSA" { // Ed25519 hashes with SHA-512
		sum := sha512.Sum512([]byte(token))
		return encode(sum[:32])
	}
	sum := sha256.Sum256([]byte(token))
	return encode(sum[:16])
}

// Subject is how sub names a user in this style. audience is what pairwise subjects depend on.
func Subject(style directory.SubjectStyle, u *directory.User, audience string) string {
	switch style {
	case directory.SubjectLogin:
		return u.Login
	case directory.SubjectEmail:
		return orText(u.Email, u.Login)
	case directory.SubjectUUID:
		sum := sha256.Sum256([]byte("uuid\x00" + u.ID))
		sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // version 8 (RFC 9562 section 5.8): made our own way
		return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	case directory.SubjectNumeric:
		sum := sha256.Sum256([]byte("numeric\x00" + u.ID))
		return new(big.Int).SetBytes(sum[:]).Text(10)[:21]
	case directory.SubjectPairwise:
		sum := sha256.Sum256([]byte("pairwise\x00" + audience + "\x00" + u.ID))
		return encode(sum[:])
	}
	return u.ID
}

// userOf finds the user whom a sub of this style names.
func userOf(d *directory.Directory, style directory.SubjectStyle, sub, audience string) *directory.User {
	switch style {
	case directory.SubjectID, "":
		return d.User(sub)
	case directory.SubjectLogin:
		return d.Login(sub)
	}
	for n := range d.Users {
		if Subject(style, &d.Users[n], audience) == sub {
			return &d.Users[n]
		}
	}
	return nil
}

// identifier is 43 characters that come once, as Okta's have them.
func identifier() string {
	var b [32]byte
	rand.Read(b[:])
	return encode(b[:])
}

func join(scopes []string) string { return strings.Join(scopes, " ") }

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
