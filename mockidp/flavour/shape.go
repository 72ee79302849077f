package flavour

import (
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/mint"
)

// Account is what the shape of an ID-JAG says of whom it is for, besides what is in it already. Empty members are
// unknown.
type Account struct {
	Client     string // the client's id at the identity provider: who acts
	Email      string // the user's
	Tenant     string // of the user's account at the resource application: aud_tenant
	NameID     string // the user's name in SAML assertions for the resource application
	SAMLIssuer string // the issuer of these; a RAS that wants sub_id knows it

	EmailIsSubject bool // the RAS knows the user by the e-mail address, where the identity provider can say that
}

// Shape makes an honest ID-JAG one as this identity provider mints it: it changes claims, and grants neither more nor
// less. What names the user, the client, the resource and the scope stays, and so do times and the key: a RAS that
// grants the token before has to grant it afterwards. It does not sign. See SigningAlgorithms for the keys.
func (f *Flavour) Shape(t *mint.Token, a Account) {
	claims := t.Claims
	if f.IDJAGJTI != "" {
		var b [32]byte
		rand.Read(b[:])
		claims["jti"] = f.IDJAGJTI + base64.RawURLEncoding.EncodeToString(b[:])
	}
	delete(claims, "email")
	if f.Email != EmailNever && a.Email != "" {
		claims["email"] = a.Email
	}
	if a.EmailIsSubject && a.Email != "" {
		claims["sub"] = a.Email
	}
	for name, value := range f.ActorClaims(a.Client) {
		claims[name] = value
	}
	if f.NotBefore {
		claims["nbf"] = claims["iat"]
	}
	if aud, ok := claims["aud"].(string); ok && f.AudienceArray {
		claims["aud"] = []string{aud}
	}
	if f.Authenticated {
		claims["auth_time"], claims["amr"], claims["acr"] = authTime(claims["iat"]), []string{"pwd"}, "urn:okta:loa:1fa:any"
	}
	if a.Tenant != "" {
		claims["aud_tenant"] = a.Tenant
	}
	if f.SAMLSubject && a.NameID != "" && a.SAMLIssuer != "" {
		claims["sub_id"] = SAMLSubject(a.SAMLIssuer, a.NameID, "")
	}
}

// authTime is a sign-in a minute before the token was issued.
func authTime(iat any) any {
	if seconds, ok := iat.(int64); ok {
		return seconds - int64(time.Minute/time.Second)
	}
	return iat
}

// ActorClaims are what an ID-JAG says of the client that acts for the user, by its id at the identity provider, and of
// the user: act (RFC 8693 section 4.1) and sub_profile. They are nil where the flavour has none, or the client is not
// known.
func (f *Flavour) ActorClaims(client string) map[string]any {
	if f.ActorProfile == "" || client == "" {
		return nil
	}
	return map[string]any{"act": map[string]any{"sub": client, "sub_profile": f.ActorProfile},
		"sub_profile": f.SubjectProfile}
}

// SAMLSubject is a sub_id that names a user as SAML assertions do (ID-JAG draft-04 section 3.2.2). Format "" is that of
// e-mail addresses.
func SAMLSubject(issuer, nameID, format string) map[string]any {
	if format == "" {
		format = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	}
	return map[string]any{"format": "saml-nameid", "issuer": issuer, "nameid": nameID, "nameid_format": format}
}

// SigningAlgorithms are those that the identity provider signs ID-JAGs with, its usual one first.
func (f *Flavour) SigningAlgorithms() []jose.SignatureAlgorithm {
	if len(f.Algorithms) > 0 {
		return f.Algorithms
	}
	return []jose.SignatureAlgorithm{f.Algorithm}
}
