package endpoint

import (
	"net/url"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/oauth"
	"github.com/emaconform/emaconform/mockidp/internal/state"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
)

// subject is who a subject token is about.
type subject struct {
	user  *directory.User
	auth  directory.Authentication
	email bool              // the sign-in asked for the e-mail address
	saml  *vault.SAMLNameID // of a SAML sign-on
	acts  bool              // the client has named itself as who acts
}

// actor validates the actor token (RFC 8693 section 2.1). The one actor that can be proved is the client, by its client
// assertion sent again (https://developer.okta.com/docs/guides/xaa-request-token-ex/saml2/main/); acts is false
// without.
func actor(form url.Values) (acts bool, failed *oauth.Error) {
	switch {
	case form.Has("actor_token") != form.Has("actor_token_type"):
		return false, oauth.Fail("invalid_request", "invalid_actor_token_type",
			"actor_token and actor_token_type come together")
	case !form.Has("actor_token"):
		return false, nil
	case form.Get("actor_token_type") != oauth.TypeJWT:
		return false, oauth.Fail("invalid_request", "invalid_actor_token_type", "actor_token_type is to be "+oauth.TypeJWT)
	case form.Get("actor_token") == "" || form.Get("actor_token") != form.Get("client_assertion"):
		return false, oauth.Fail("invalid_request", "invalid_actor_token",
			"actor_token is to be the client assertion of this request")
	}
	return true, nil
}

// subject validates the subject token (ID-JAG draft-04 section 4.3.3): it was issued here, to this client, and lives.
func (c *call) subject(client *directory.Client, form url.Values) (subject, *oauth.Error) {
	if form.Get("subject_token") == "" {
		return subject{}, oauth.Invalid("subject_token is missing")
	}
	if kind := form.Get("subject_token_type"); c.Flavour.IDTokenOnly && kind != "" && kind != oauth.TypeIDToken {
		return subject{}, oauth.Fail("invalid_request", "invalid_subject_token_type", "subject_token_type is to be "+
			oauth.TypeIDToken)
	}
	switch form.Get("subject_token_type") {
	case oauth.TypeIDToken:
		return c.idTokenSubject(client, form.Get("subject_token"))
	case oauth.TypeRefresh:
		return c.refreshSubject(client, form.Get("subject_token"))
	case oauth.TypeSAML2:
		if c.Flavour.SAMLDirect {
			return c.samlSubject(client, form)
		}
		return subject{}, oauth.Fail("invalid_request", "invalid_subject_token_type",
			"exchange the SAML assertion for a refresh token first: requested_token_type "+oauth.TypeRefresh)
	case "":
		return subject{}, oauth.Invalid("subject_token_type is missing")
	}
	return subject{}, oauth.Fail("invalid_request", "invalid_subject_token_type", "subject_token_type is not supported")
}

type idTokenClaims struct {
	jwt.Claims
	AuthTime *jwt.NumericDate `json:"auth_time"`
	ACR      string           `json:"acr"`
	AMR      []string         `json:"amr"`
	Email    string           `json:"email"`
}

var subjectAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA}

// idTokenSubject validates an ID token of ours: by its signature and its typ, issuer, audience, times and user.
func (c *call) idTokenSubject(client *directory.Client, compact string) (subject, *oauth.Error) {
	invalid := func(description string) (subject, *oauth.Error) {
		return subject{}, oauth.Fail("invalid_request", "invalid_subject_token", "subject token: "+description)
	}
	token, err := jwt.ParseSigned(compact, subjectAlgorithms)
	if err != nil {
		return invalid("expected an ID token, signed")
	}
	header := token.Headers[0]
	// An ID-JAG, a logout token or a proof has another typ; an ID token has none, or JWT (RFC 8725 section 3.11).
	if typ, has := header.ExtraHeaders[jose.HeaderType]; has && typ != "JWT" {
		return invalid("its typ is not that of an ID token")
	}
	var claims idTokenClaims
	key := c.Org.Keys.Find(header.KeyID)
	if key == nil || key.Algorithm != header.Algorithm || token.Claims(key.Key, &claims) != nil {
		return invalid("it is not signed by this identity provider")
	}
	switch {
	case claims.Issuer != c.Issuer:
		return invalid("it is another issuer's")
	case len(claims.Audience) != 1 || claims.Audience[0] != client.ID:
		return invalid("it was issued to another client")
	case claims.Expiry == nil || claims.IssuedAt == nil || claims.Subject == "":
		return invalid("exp, iat or sub is missing")
	case c.now.After(claims.Expiry.Time().Add(state.Leeway)):
		return subject{}, oauth.Fail("invalid_grant", "token_exchange_subject_token_expired", "subject token: it has expired")
	case claims.IssuedAt.Time().After(c.now.Add(state.Leeway)):
		return invalid("its iat is in the future")
	}
	return c.idTokenUser(client, &claims)
}

func (c *call) idTokenUser(client *directory.Client, claims *idTokenClaims) (subject, *oauth.Error) {
	user := c.dir.Named(c.Flavour.Subject, claims.Subject, client.ID)
	if user == nil {
		return subject{}, oauth.Fail("invalid_request", "invalid_subject_token_user_inactive",
			"subject token: the user is not known")
	}
	s := subject{user: user, email: claims.Email != "", auth: directory.Authentication{ACR: claims.ACR, AMR: claims.AMR}}
	s.auth.Time = claims.IssuedAt.Time()
	if claims.AuthTime != nil {
		s.auth.Time = claims.AuthTime.Time()
	}
	if s.auth.ACR == "" {
		s.auth.ACR = directory.ImpliedACR(s.auth.AMR)
	}
	v := c.Vault.Load()
	if user.Status.OK() && v.EndedSince(user.ID, v.Issued(claims.ID, claims.IssuedAt.Time(), c.now), c.now) {
		return s, oauth.Fail("invalid_request", "invalid_subject_token_session_expired",
			"subject token: the user's sessions were ended since")
	}
	return s, nil
}

// refreshSubject validates a refresh token as a refresh would, and leaves it as it is: the answer to an exchange has no
// place for another one.
func (c *call) refreshSubject(client *directory.Client, token string) (subject, *oauth.Error) {
	grant, _, failed := c.useRefresh(client, token, false)
	if failed != nil {
		return subject{}, failed
	}
	return subject{user: c.dir.User(grant.User), auth: grant.Auth, email: slices.Contains(grant.Scopes, "email"),
		saml: grant.SAML}, nil
}
