package endpoint

import (
	"cmp"
	"errors"
	"maps"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/flavour"
	"github.com/emaconform/emaconform/mockidp/mint"
)

// mintIDJAG makes the grant that was decided on (ID-JAG draft-04 section 3.1; Okta's members:
// https://developer.okta.com/docs/guides/xaa-validate-id-jag/main/), encrypted when the connector says to whom.
func (c *call) mintIDJAG(q directory.Request, d directory.Decision, s subject, details []map[string]any, jkt string) (
	token, jti string, lifetime time.Duration, err error) {
	lifetime = cmp.Or(time.Duration(c.dir.Settings.IDJAGLifetime), c.Flavour.IDJAGLifetime)
	jti = c.Flavour.IDJAGJTI + identifier()
	claims := map[string]any{
		"iss": c.Issuer, "sub": c.ResourceSubject(s.user, d.Connector), "aud": d.Connector.Audience,
		"client_id": d.Connection.ClientID,
		"jti":       jti, "iat": c.now.Unix(), "exp": c.now.Add(lifetime).Unix(),
	}
	switch len(q.Resources) {
	case 0:
	case 1:
		claims["resource"] = q.Resources[0]
	default:
		claims["resource"] = q.Resources
	}
	if len(d.Scopes) > 0 {
		claims["scope"] = join(d.Scopes)
	}
	if details != nil {
		claims["authorization_details"] = details
	}
	if jkt != "" {
		claims["cnf"] = map[string]string{"jkt": jkt}
	}
	if s.acts {
		claims["act"] = map[string]any{"sub": q.Client.ID}
	}
	maps.Copy(claims, c.Flavour.ActorClaims(q.Client.ID))
	maps.Copy(claims, c.accountClaims(s, d.Connector))
	maps.Copy(claims, c.contextClaims(s))
	signed, err := c.sign(mint.TokenIDJAG, mint.TypeIDJAG, claims, q.Client.ID, s.user.ID)
	if err == nil && d.Connector.EncryptTo != nil {
		signed, err = encrypt(signed, d.Connector.EncryptTo.JSONWebKey)
	}
	return signed, jti, lifetime, err
}

// accountClaims are about the user's account at the resource application.
func (c *call) accountClaims(s subject, r *directory.Connector) map[string]any {
	claims := map[string]any{}
	account := s.user.Accounts[r.ID]
	if tenant := cmp.Or(account.Tenant, r.AudTenant); tenant != "" {
		claims["aud_tenant"] = tenant
	}
	if account.Sub != "" {
		claims["aud_sub"] = account.Sub
	}
	if issuer := r.SAMLIssuer; issuer != "" || c.Flavour.SAMLSubject {
		id := flavour.SAMLSubject(cmp.Or(issuer, c.Issuer), cmp.Or(s.user.Email, s.user.Login), "")
		if s.saml != nil {
			id["nameid"], id["nameid_format"] = s.saml.Value, s.saml.Format
		}
		claims["sub_id"] = id
	}
	return claims
}

// contextClaims are about the identity provider and the sign-in. The e-mail address is there by the flavour's rule and
// no oftener (EMA section 7.4.3).
func (c *call) contextClaims(s subject) map[string]any {
	claims := map[string]any{}
	if t := c.Tenant(); t != "" && !c.Flavour.TenantSilent {
		claims["tenant"] = t
	}
	rule := c.Flavour.Email
	if s.user.Email != "" && (rule == flavour.EmailAlways || rule == flavour.EmailByScope && s.email) {
		claims["email"] = s.user.Email
	}
	if c.Flavour.NotBefore {
		claims["nbf"] = c.now.Unix()
	}
	if authenticated := c.dir.Settings.AuthClaims; authenticated == nil && c.Flavour.Authenticated ||
		authenticated != nil && *authenticated {
		claims["auth_time"], claims["amr"] = s.auth.Time.Unix(), s.auth.AMR
		if s.auth.ACR != "" {
			claims["acr"] = s.auth.ACR
		}
	}
	return claims
}

// encrypt puts a signed grant into a JWE for the RAS's key (EMA section 7.4.3, RFC 7519 section 5.2 for cty).
func encrypt(signed string, to jose.JSONWebKey) (string, error) {
	alg := jose.KeyAlgorithm(to.Algorithm)
	if alg == "" {
		return "", errors.New("encrypt_to: the key needs an alg such as RSA-OAEP-256 or ECDH-ES+A256KW")
	}
	e, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: alg, Key: to.Key, KeyID: to.KeyID},
		(&jose.EncrypterOptions{}).WithContentType(mint.TypeIDJAG))
	if err != nil {
		return "", err
	}
	object, err := e.Encrypt([]byte(signed))
	if err != nil {
		return "", err
	}
	return object.CompactSerialize()
}
