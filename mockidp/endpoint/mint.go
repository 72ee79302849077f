package endpoint

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/state"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
	"github.com/emaconform/emaconform/mockidp/mint"
)

// AccessTokenLifetime is that of Okta's org authorization server.
const AccessTokenLifetime = time.Hour

// idToken mints the ID token of a grant (OpenID Connect Core section 2). Its members are those that Okta documents at
// https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/ (ID token payload).
func (c *call) idToken(k *directory.Client, u *directory.User, g vault.Grant, scopes []string,
	access string) (token, jti string, err error) {
	claims := c.identity(k, u, g.Auth)
	claims["at_hash"] = accessHash(access, c.server.Keys.Set().Signing())
	if g.Nonce != "" {
		claims["nonce"] = g.Nonce
	}
	if g.ACRAsked || c.Flavour.Authenticated {
		claims["acr"] = g.Auth.ACR
	}
	maps.Copy(claims, c.profile(u, scopes, c.Flavour.Thin))
	maps.Copy(claims, u.Claims)
	jti, _ = claims["jti"].(string)
	c.Vault.Load().Issue(jti, c.IDTokenLifetime(), c.now)
	token, err = c.sign(mint.TokenID, c.Flavour.IDTokenTyp, claims, k.ID, u.ID)
	return token, jti, err
}

// identity is what every ID token says.
func (c *call) identity(k *directory.Client, u *directory.User, auth directory.Authentication) map[string]any {
	claims := map[string]any{
		"iss": c.server.Issuer, "sub": directory.SubjectOf(c.Flavour.Subject, u, k.ID), "aud": k.ID,
		"jti": c.Flavour.IDTokenJTI + identifier(),
		"iat": c.now.Unix(), "exp": c.now.Add(c.IDTokenLifetime()).Unix(), "auth_time": auth.Time.Unix(), "amr": auth.AMR,
	}
	maps.Copy(claims, c.flavourClaims(k, u))
	return claims
}

// flavourClaims is what makes an ID token one of its flavour.
func (c *call) flavourClaims(k *directory.Client, u *directory.User) map[string]any {
	claims := maps.Clone(c.Flavour.IDTokenClaims)
	if claims == nil {
		claims = map[string]any{}
	}
	set := func(name, value string) {
		if name != "" && value != "" {
			claims[name] = value
		}
	}
	_, domain, _ := strings.Cut(u.Email, "@")
	set(c.Flavour.OrgClaim, directory.MakeID("00o", c.Issuer))
	set(c.Flavour.ObjectClaim, directory.SubjectOf(directory.SubjectUUID, u, ""))
	set(c.Flavour.DomainClaim, domain)
	if !c.Flavour.TenantSilent {
		set(c.tenantClaim(), c.Tenant())
	}
	if c.Flavour.PartyClaim {
		claims["azp"] = k.ID
	}
	if c.Flavour.NotBefore {
		claims["nbf"] = c.now.Unix()
	}
	return claims
}

func (c *call) tenantClaim() string {
	if c.Flavour.TenantClaim != "" {
		return c.Flavour.TenantClaim
	}
	return "tenant"
}

// profile is the claims that scopes ask for (OpenID Connect Core section 5.4). Thin leaves to userinfo what Okta leaves
// to it when an access token comes with the ID token.
func (c *call) profile(u *directory.User, scopes []string, thin bool) map[string]any {
	claims := map[string]any{}
	if slices.Contains(scopes, "profile") {
		claims["name"], claims["preferred_username"] = cmp.Or(u.Name, u.Login), u.Login
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

// accessToken makes an access token and remembers it. The org server's is for its own endpoints and opaque to everyone
// else; a custom server's is a JWT of the layout in
// https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/.
func (c *call) accessToken(k *directory.Client, u *directory.User, g vault.Grant,
	scopes []string) (string, time.Duration, error) {
	claims, jti := AccessClaims(c.server, u, k.ID, scopes, c.now, g.Auth.Time)
	token := rand.Text() + rand.Text()
	if !c.server.IsOrg() {
		signed, err := c.sign(mint.TokenAccess, "", claims, k.ID, u.ID)
		if err != nil {
			return "", 0, err
		}
		token = signed
	}
	c.Vault.Load().KeepAccess(token, vault.Access{Grant: g.ID, ID: jti, Client: k.ID, User: u.ID, Server: c.server.ID,
		Scopes: scopes,
		Issued: c.now, Ends: c.now.Add(AccessTokenLifetime)}, c.now)
	return token, AccessTokenLifetime, nil
}

// AccessClaims are those of an access token of a custom authorization server.
func AccessClaims(s *state.Server, u *directory.User, client string, scopes []string, now, signedIn time.Time) (
	claims map[string]any, jti string) {
	jti = "AT." + identifier()
	return map[string]any{
		"ver": 1, "jti": jti, "iss": s.Issuer, "aud": s.Audience, "sub": u.Login, "cid": client, "uid": u.ID,
		"scp": scopes, "iat": now.Unix(), "exp": now.Add(AccessTokenLifetime).Unix(), "auth_time": signedIn.Unix(),
	}, jti
}

// sign makes a token of this kind with the key in use, changed by the edits in force.
func (c *call) sign(kind mint.TokenKind, typ string, claims map[string]any, client, user string) (string, error) {
	t := mint.NewToken(c.server.Keys.Set().Signing(), typ, claims)
	c.Edits.Apply(kind, t, client, user)
	return t.Sign()
}

// accessHash is at_hash (OpenID Connect Core section 3.1.3.6): half of the hash that the ID token's algorithm uses.
func accessHash(token string, key *mint.Key) string {
	if key.Algorithm == "EdDSA" { // Ed25519 hashes with SHA-512
		sum := sha512.Sum512([]byte(token))
		return encode(sum[:32])
	}
	sum := sha256.Sum256([]byte(token))
	return encode(sum[:16])
}

// identifier is 43 characters that come once, as Okta's have them.
func identifier() string {
	var b [32]byte
	rand.Read(b[:])
	return encode(b[:])
}

func join(scopes []string) string { return strings.Join(scopes, " ") }

// encode is base64url without padding (RFC 7515 section 2).
func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
