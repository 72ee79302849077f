package server

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// OAuth names.
const (
	GrantJWTBearer      = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	GrantJWTDPoP        = "urn:ietf:params:oauth:grant-type:jwt-dpop"
	GrantProfileIDJAG   = "urn:ietf:params:oauth:grant-profile:id-jag"
	ClientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// Token is a token under construction: header, claims and key, all editable.
type Token = mockidp.Token

// Edit changes a token before it is signed.
type Edit func(*Token)

// Grant makes an honest ID-JAG: Alice, the first client, the MCP server, all scopes, five minutes, a fresh jti.
// Edits then make it dishonest, or honest for somebody else.
func (t *T) Grant(edits ...Edit) *Token {
	return t.GrantFrom(t.IdP, t.Alice(), edits...)
}

// GrantFrom is Grant by another trusted issuer and for another user.
func (t *T) GrantFrom(idp *mockidp.Issuer, user target.User, edits ...Edit) *Token {
	g := mockidp.Grant{
		Subject: user.Sub, Email: user.Email, Audience: t.Issuer(), ClientID: t.Client(0).ID,
		Resource: t.Resource(), Scope: strings.Join(t.Config.Scopes, " "),
	}
	issuer := *idp
	issuer.Now = t.Now
	token := issuer.IDJAG(g)
	if tenant := t.tenantOf(idp); tenant != "" {
		token.Claims["tenant"] = tenant
	}
	if user.SubID != nil {
		token.Claims["sub_id"] = user.SubID
	}
	maps.Copy(token.Claims, t.Config.Claims)
	for _, e := range edits {
		e(token)
	}
	return token
}

func (t *T) tenantOf(idp *mockidp.Issuer) string {
	switch idp {
	case t.SecondIdP:
		return t.Config.SecondIdP.Tenant
	case t.DisabledIdP:
		return t.Config.DisabledIdP.Tenant
	}
	return t.Config.IdP.Tenant
}

// IssuedAt is the moment at which an honest token was issued, on the target's clock (iat).
func IssuedAt(j *Token) time.Time {
	seconds, _ := j.Claims["iat"].(int64)
	return time.Unix(seconds, 0)
}

// Set returns an edit that gives a claim this value.
func Set(claim string, value any) Edit { return func(j *Token) { j.Claims[claim] = value } }

// Remove returns an edit that takes a claim away.
func Remove(claim string) Edit { return func(j *Token) { delete(j.Claims, claim) } }

// SetHeader returns an edit that gives a header member this value.
func SetHeader(name string, value any) Edit { return func(j *Token) { j.Header[name] = value } }

// Redemption is a token request about to be sent; options change anything in it.
type Redemption struct {
	wire.Request
	Client *target.Client // who authenticates; nil: nobody

	order    func([]reports.Field) // puts its form into another order; nil leaves it
	unproved bool                  // it has no DPoP proof, whatever the target wants
}

// RedeemOption changes a redemption.
type RedeemOption func(*Redemption)

// As lets another client present the grant.
func As(c *target.Client) RedeemOption { return func(r *Redemption) { r.Client = c } }

// Unproved sends no DPoP proof.
func Unproved(r *Redemption) { r.unproved = true }

// Param sets a form parameter.
func Param(name, value string) RedeemOption {
	return func(r *Redemption) { r.SetField(name, value) }
}

// Without drops a form parameter.
func Without(name string) RedeemOption { return func(r *Redemption) { r.DropField(name) } }

// HeaderField sets a header of the request.
func HeaderField(name, value string) RedeemOption {
	return func(r *Redemption) { r.Header.Set(name, value) }
}

// redemption is the request for this assertion: a *Token (signed here) or a string (sent as it is).
func (t *T) redemption(assertion any, options []RedeemOption) *Redemption {
	r := &Redemption{Client: t.Client(0)}
	r.URL = t.Target.TokenEndpoint
	r.Header = http.Header{"Accept": {"application/json"}}
	r.AddField("grant_type", GrantJWTBearer)
	r.AddField("assertion", t.compact(assertion))
	if t.Config.Redeem.Resource {
		r.AddField("resource", t.resourceOf(assertion))
	}
	if t.Config.Redeem.Scope && len(t.Config.Scopes) > 0 {
		r.AddField("scope", strings.Join(t.Config.Scopes, " "))
	}
	for _, o := range options {
		o(r)
	}
	if t.Prover != nil && r.Header.Get("DPoP") == "" && !r.unproved {
		t.Prover.Proving(t)(r)
	}
	t.Authenticate(&r.Request, r.Client)
	if r.Certificate != nil {
		t.aliased(&r.Request)
	}
	if r.order != nil {
		r.order(r.Form)
	}
	return r
}

// resourceOf is the resource that an assertion names, so that the parameter does not contradict the claim.
func (t *T) resourceOf(assertion any) string {
	if token, ok := assertion.(*Token); ok {
		if resource, ok := token.Claims["resource"].(string); ok {
			return resource
		}
	}
	return t.Resource()
}

func (t *T) compact(assertion any) string {
	switch a := assertion.(type) {
	case string:
		return a
	case *Token:
		compact, err := a.Sign()
		if err != nil {
			panic(fmt.Errorf("cannot sign the token: %w", err)) // our own error
		}
		return compact
	}
	panic("an assertion is a *Token or a string")
}

// Authenticate adds a client's credentials to a token request as the client is registered (RFC 6749 2.3, RFC 7523 2.2).
func (t *T) Authenticate(r *wire.Request, c *target.Client) {
	if c == nil {
		return
	}
	switch c.Auth {
	case target.ClientSecretPost:
		r.SetField("client_id", c.ID)
		r.SetField("client_secret", c.Secret)
	case target.PrivateKeyJWT, target.ClientSecretJWT:
		r.SetField("client_id", c.ID)
		r.SetField("client_assertion_type", ClientAssertionType)
		r.SetField("client_assertion", t.ClientAssertion(c, nil))
	case target.TLSClientAuth, target.SelfSignedTLS:
		r.SetField("client_id", c.ID)
		show(r, c.Certificate)
		t.aliased(r)
	case target.NoAuthentication:
		r.SetField("client_id", c.ID)
	default:
		if r.Header == nil {
			r.Header = http.Header{}
		}
		r.Header.Set("Authorization", Basic(c.ID, c.Secret))
	}
}

// Show lets a redemption show this certificate, PEM with its private key, in place of the client's own.
func (r *Redemption) Show(certificate []byte) { show(&r.Request, certificate) }

func show(r *wire.Request, certificate []byte) {
	pair, err := tls.X509KeyPair(certificate, certificate)
	if err != nil {
		panic(fmt.Errorf("the certificate of a client: %w", err)) // was looked at before
	}
	r.Certificate = &pair
}

// aliased sends a request that shows a certificate to the endpoint that the target has for that (RFC 8705 section 5).
func (t *T) aliased(r *wire.Request) {
	aliases, _ := t.Target.ServerMetadata["mtls_endpoint_aliases"].(map[string]any)
	for member, alias := range aliases {
		if to, ok := alias.(string); ok && r.URL == t.Target.Endpoint(member) {
			r.URL = to
		}
	}
}

// Basic is the Authorization header of client_secret_basic: both parts are form-encoded first (RFC 6749 2.3.1).
func Basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

// Audiences that a client assertion can be for.
const (
	AudienceIssuer   = "issuer"
	AudienceEndpoint = "token_endpoint"
)

// AssertionAudience is aud of a client's assertions.
func (t *T) AssertionAudience(c *target.Client) string {
	switch c.Audience {
	case "", AudienceIssuer:
		return t.Issuer()
	case AudienceEndpoint:
		return t.Target.TokenEndpoint
	}
	return c.Audience
}

// ClientAssertion makes a client assertion, private_key_jwt or client_secret_jwt; edit changes its claims first.
func (t *T) ClientAssertion(c *target.Client, edit func(claims map[string]any)) string {
	now := t.Now()
	claims := map[string]any{
		"iss": c.ID, "sub": c.ID, "aud": t.AssertionAudience(c), "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	if edit != nil {
		edit(claims)
	}
	if c.Auth == target.ClientSecretJWT {
		return hostile.HMAC(&Token{Header: map[string]any{"typ": "JWT"}, Claims: claims}, []byte(c.Secret))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(c.Key.Algorithm), Key: c.Key},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		panic(fmt.Errorf("the key of client %s cannot sign: %w", c.ID, err)) // our own error
	}
	compact, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		panic(fmt.Errorf("cannot sign the client assertion: %w", err)) // our own error
	}
	return compact
}

// TokenRequest is the request with which Redeem presents an assertion, not yet sent: for checks that change it as a
// whole.
func (t *T) TokenRequest(assertion any, options ...RedeemOption) *wire.Request {
	return &t.redemption(assertion, options).Request
}

// Present is Redeem outside of a check.
func (t *T) Present(assertion any, part reports.Part, note string, options ...RedeemOption) *wire.Answer {
	return t.present(assertion, part, note, options)
}

// Redeem presents an assertion at the token endpoint. It judges nothing.
func (t *T) Redeem(assertion any, options ...RedeemOption) *wire.Answer {
	return t.present(assertion, reports.Setup, "", options)
}

// present sends an assertion until there is an answer to judge by. An ID-JAG that had not been presented before gets a
// fresh jti with each further try: the target may have used the first one up before its answer was lost.
func (t *T) present(assertion any, part reports.Part, note string, options []RedeemOption) *wire.Answer {
	token, _ := assertion.(*Token)
	fresh := token != nil && t.first(token)
	sent := false
	return t.deliver(func() *wire.Request {
		if sent && fresh {
			token.Claims["jti"] = mockidp.NewJTI()
			t.first(token)
		}
		sent = true
		return &t.redemption(assertion, options).Request
	}, part, note)
}

// first reports whether a token with a jti of ours is presented for the first time in this check, and remembers it.
func (t *T) first(token *Token) bool {
	jti, _ := token.Claims["jti"].(string)
	if jti == "" || t.presented[jti] {
		return false
	}
	if t.presented == nil {
		t.presented = map[string]bool{}
	}
	t.presented[jti] = true
	return mockidp.OwnJTI(jti)
}

// Control redeems the honest twin of an attack. Unless it is granted, nothing can be said about the attack, and the
// check ends as inconclusive.
func (t *T) Control(assertion any, options ...RedeemOption) *wire.Answer {
	a := t.present(assertion, reports.Control, "the honest twin: must be granted", options)
	if a.String("error") == UseDPoPNonce {
		a = t.present(assertion, reports.Control, "again, with the nonce that was asked for", options)
	}
	if !Granted(a) && t.Check.Serial {
		t.settle()
		a = t.present(assertion, reports.Control, "again, since what was done to the keys before was not over yet", options)
	}
	t.mustBeGranted(a)
	return a
}

// settle waits until the target grants what is honest, within the patience for new keys: what the serial check before
// this one did to the keys may not be over for the target yet.
func (t *T) settle() {
	t.Within(t.Config.Timing.JWKSPatience, func() bool {
		return Granted(t.Wire.Do(t, &t.redemption(t.Grant(), nil).Request, nil, reports.Setup, ""))
	})
}

func (t *T) mustBeGranted(a *wire.Answer) {
	if !Granted(a) {
		t.Inconclusivef("the control was not granted (%s), so a refusal of the attack would prove nothing: the honest "+
			"request in the exchanges must work first", a.Summary())
	}
}

// Attack sends what must be refused.
func (t *T) Attack(assertion any, options ...RedeemOption) *wire.Answer {
	return t.attacked(t.present(assertion, reports.Attack, "must be refused", options))
}

// AttackWith is Attack with any request.
func (t *T) AttackWith(r *wire.Request) *wire.Answer {
	return t.attacked(t.Send(r, reports.Attack, "must be refused"))
}

func (t *T) attacked(a *wire.Answer) *wire.Answer {
	if a.Err == nil && a.Status >= 500 && a.Doubt() == "" {
		t.Warnf("refused with HTTP %d instead of an OAuth error: see RAS-ERR-500", a.Status)
	}
	return a
}

// Granted reports whether the answer is a token response with an access token.
func Granted(a *wire.Answer) bool {
	return a.Err == nil && a.Status/100 == 2 && a.String("access_token") != ""
}

// AccessToken obtains an access token with an honest grant, as a control.
func (t *T) AccessToken(edits ...Edit) string {
	return t.Control(t.Quick(edits...)).String("access_token") // what is under test comes after the grant
}
