package check

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// OAuth names.
const (
	GrantJWTBearer      = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	GrantProfileIDJAG   = "urn:ietf:params:oauth:grant-profile:id-jag"
	ClientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// Token is a token under construction: header, claims and key, all editable.
type Token = mockidp.Token

// Edit changes a token before it is signed.
type Edit func(*Token)

// Grant makes an honest ID-JAG: Alice, the first client, the MCP server, all scopes, five minutes, a fresh jti.
// Edits then make it dishonest, or honest for somebody else.
func (d *Driver) Grant(edits ...Edit) *Token {
	return d.GrantFrom(d.IdP, d.Alice(), edits...)
}

// GrantFrom is Grant by another trusted issuer and for another user.
func (d *Driver) GrantFrom(idp *mockidp.Issuer, user target.User, edits ...Edit) *Token {
	g := mockidp.Grant{
		Subject: user.Sub, Email: user.Email, Audience: d.Issuer(), ClientID: d.Client(0).ID,
		Resource: d.Resource(), Scope: strings.Join(d.Config.Scopes, " "),
	}
	token := idp.IDJAG(g)
	if tenant := d.tenantOf(idp); tenant != "" {
		token.Claims["tenant"] = tenant
	}
	if user.SubID != nil {
		token.Claims["sub_id"] = user.SubID
	}
	for _, e := range edits {
		e(token)
	}
	return token
}

func (d *Driver) tenantOf(idp *mockidp.Issuer) string {
	if idp == d.SecondIdP {
		return d.Config.SecondIdP.Tenant
	}
	return d.Config.IdP.Tenant
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
}

// RedeemOption changes a redemption.
type RedeemOption func(*Redemption)

// As lets another client present the grant.
func As(c *target.Client) RedeemOption { return func(r *Redemption) { r.Client = c } }

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
func (d *Driver) redemption(assertion any, options []RedeemOption) *Redemption {
	r := &Redemption{Client: d.Client(0)}
	r.URL = d.Target.TokenEndpoint
	r.Header = http.Header{"Accept": {"application/json"}}
	r.AddField("grant_type", GrantJWTBearer)
	r.AddField("assertion", d.compact(assertion))
	if d.Config.Redeem.Resource {
		r.AddField("resource", d.resourceOf(assertion))
	}
	if d.Config.Redeem.Scope && len(d.Config.Scopes) > 0 {
		r.AddField("scope", strings.Join(d.Config.Scopes, " "))
	}
	for _, o := range options {
		o(r)
	}
	d.Authenticate(&r.Request, r.Client)
	return r
}

// resourceOf is the resource that an assertion names, so that the parameter does not contradict the claim.
func (d *Driver) resourceOf(assertion any) string {
	if token, ok := assertion.(*Token); ok {
		if resource, ok := token.Claims["resource"].(string); ok {
			return resource
		}
	}
	return d.Resource()
}

func (d *Driver) compact(assertion any) string {
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
func (d *Driver) Authenticate(r *wire.Request, c *target.Client) {
	if c == nil {
		return
	}
	switch c.Auth {
	case "client_secret_post":
		r.SetField("client_id", c.ID)
		r.SetField("client_secret", c.Secret)
	case "private_key_jwt":
		r.SetField("client_id", c.ID)
		r.SetField("client_assertion_type", ClientAssertionType)
		r.SetField("client_assertion", d.ClientAssertion(c, nil))
	default:
		if r.Header == nil {
			r.Header = http.Header{}
		}
		r.Header.Set("Authorization", Basic(c.ID, c.Secret))
	}
}

// Basic is the Authorization header of client_secret_basic: both parts are form-encoded first (RFC 6749 2.3.1).
func Basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

// ClientAssertion makes a private_key_jwt client assertion; edit changes its claims first.
func (d *Driver) ClientAssertion(c *target.Client, edit func(claims map[string]any)) string {
	now := time.Now()
	claims := map[string]any{
		"iss": c.ID, "sub": c.ID, "aud": d.Target.TokenEndpoint, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	if edit != nil {
		edit(claims)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(c.Key.Algorithm), Key: c.Key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		panic(fmt.Errorf("the key of client %s cannot sign: %w", c.ID, err)) // our own error
	}
	compact, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		panic(fmt.Errorf("cannot sign the client assertion: %w", err)) // our own error
	}
	return compact
}

// TokenRequest is the request with which Redeem presents an assertion, not yet sent: for checks that change it as a whole.
func (d *Driver) TokenRequest(assertion any, options ...RedeemOption) *wire.Request {
	return &d.redemption(assertion, options).Request
}

// Present is Redeem outside of a check: it takes any answer for what it is.
func (d *Driver) Present(assertion any, part reports.Part, note string, options ...RedeemOption) *wire.Answer {
	return d.Wire.Do(d, &d.redemption(assertion, options).Request, d.rec, part, note)
}

// Redeem presents an assertion at the token endpoint. It judges nothing.
func (t *T) Redeem(assertion any, options ...RedeemOption) *wire.Answer {
	return t.Send(&t.redemption(assertion, options).Request, reports.Setup, "")
}

// Control redeems the honest twin of an attack. Unless it is granted, nothing can be said about the attack, and the
// check ends as inconclusive.
func (t *T) Control(assertion any, options ...RedeemOption) *wire.Answer {
	send := func(note string) *wire.Answer {
		return t.Send(&t.redemption(assertion, options).Request, reports.Control, note)
	}
	a := send("the honest twin: must be granted")
	if a.String("error") == UseDPoPNonce {
		a = send("again, with the nonce that was asked for")
	}
	if !Granted(a) && t.Check.Serial {
		t.settle()
		a = send("again, since what was done to the keys before was not over yet")
	}
	t.mustBeGranted(a)
	return a
}

// settle waits until the target grants what is honest, within the patience for new keys: what the serial check before this
// one did to the keys may not be over for the target yet.
func (t *T) settle() {
	t.Within(t.Config.Timing.JWKSPatience, func() bool {
		return Granted(t.Wire.Do(t, &t.redemption(t.Grant(), nil).Request, nil, reports.Setup, ""))
	})
}

func (t *T) mustBeGranted(a *wire.Answer) {
	if !Granted(a) {
		t.Inconclusivef("the control was not granted (%s), so a refusal of the attack would prove nothing: the honest request in the "+
			"exchanges must work first", a.Summary())
	}
}

// Attack sends what must be refused. When there is no answer at all, an honest grant tells whether the target is gone
// (inconclusive) or just did not answer this input (for the check to judge).
func (t *T) Attack(assertion any, options ...RedeemOption) *wire.Answer {
	r := t.redemption(assertion, options)
	return t.AttackWith(&r.Request)
}

// AttackWith is Attack with any request.
func (t *T) AttackWith(r *wire.Request) *wire.Answer {
	a := t.Send(r, reports.Attack, "must be refused")
	if a.Err != nil {
		t.mustBeAlive(a)
	}
	if a.Err == nil && a.Status >= 500 {
		t.Warnf("refused with HTTP %d instead of an OAuth error: see RAS-ERR-500", a.Status)
	}
	return a
}

func (t *T) mustBeAlive(a *wire.Answer) {
	if t.Err() != nil {
		return
	}
	again := t.Send(&t.redemption(t.Grant(), nil).Request, reports.Control, "is the target still there?")
	if !Granted(again) {
		t.Inconclusivef("%s, and an honest request afterwards got %s: the target is gone", a.Summary(), again.Summary())
	}
}

// Granted reports whether the answer is a token response with an access token.
func Granted(a *wire.Answer) bool {
	return a.Err == nil && a.Status/100 == 2 && a.String("access_token") != ""
}

// AccessToken obtains an access token with an honest grant, as a control.
func (t *T) AccessToken(edits ...Edit) string {
	return t.Control(t.Grant(edits...)).String("access_token")
}
