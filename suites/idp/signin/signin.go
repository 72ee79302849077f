// Package signin obtains tokens for people at an identity provider, in four ways: from a command that prints a token
// response, from files with token responses that were obtained before, by filling in HTML forms, and by a person with a
// browser. One sign-in lasts a whole run where it yields a refresh token.
package signin

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// Tokens is a token response (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3).
type Tokens struct {
	IDToken      string `json:"id_token,omitempty"`
	AccessToken  string `json:"access_token,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
}

// parse reads a token response that somebody printed or kept. Errors quote nothing of it.
func parse(raw []byte) (Tokens, error) {
	var t Tokens
	if err := json.Unmarshal(raw, &t); err != nil {
		return t, errors.New("it is no token response: expected one JSON object with id_token, and refresh_token if " +
			"there is one")
	}
	if t.IDToken == "" && t.RefreshToken == "" && t.AccessToken == "" {
		return t, errors.New("the JSON object has neither id_token nor refresh_token nor access_token")
	}
	return t, nil
}

// expires is when the ID token expires; ok is false when it does not say, or there is none.
func (t Tokens) expires() (at time.Time, ok bool) {
	token, readable := mockidp.Decode(t.IDToken)
	exp, isNumber := number(token.Claims["exp"])
	return time.Unix(exp, 0), readable && isNumber
}

func number(v any) (int64, bool) {
	switch n := v.(type) {
	case float64:
		return int64(n), true
	case int64:
		return n, true
	case json.Number:
		f, err := n.Float64()
		return int64(f), err == nil
	}
	return 0, false
}

// Ask is who is to sign in to which client, and how.
type Ask struct {
	User   *config.User
	Client *config.Client
	MaxAge int    // seconds; 0 asks for nothing
	ACR    string // acr_values; "" asks for nothing
}

// Scope is what every sign-in asks for: with offline_access it lasts a whole run.
const Scope = "openid offline_access"

// Endpoints are those of the identity provider that sign-in needs.
type Endpoints struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization"`
	Token         string `json:"token"`
}

// ErrOnce means that a user's sign-in cannot be repeated by the suite: tokens in files, or a person.
var ErrOnce = errors.New("the sign-in of this user cannot be repeated: give it a command or a form")

// Advice is why a sign-in failed, and what to do about it.
type Advice struct {
	Saw error
	Fix string
}

func (a *Advice) Error() string { return a.Saw.Error() + ": " + a.Fix }

// Unwrap returns why the sign-in failed.
func (a *Advice) Unwrap() error { return a.Saw }

// advise makes an error that ends with what to do about it.
func advise(saw error, fix string) error { return &Advice{saw, fix} }

// byHand is what to do about pages that no program should, or can, fill in.
const byHand = "use sign_in: attended, or a command"

// Authenticate adds a client's credentials to a token request as the client is registered (RFC 6749 2.3, RFC 7523 2.2).
func Authenticate(r *wire.Request, k *config.Client, endpoint string, now time.Time) {
	if k == nil {
		return
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	switch k.Auth {
	case "none":
		r.SetField("client_id", k.ID)
	case "client_secret_post":
		r.SetField("client_id", k.ID)
		r.SetField("client_secret", k.Secret)
	case "private_key_jwt":
		r.SetField("client_id", k.ID)
		r.SetField("client_assertion_type", server.ClientAssertionType)
		r.SetField("client_assertion", sign(ClientAssertion(k, endpoint, now)))
	default:
		r.Header.Set("Authorization", server.Basic(k.ID, k.Secret))
	}
}

// ClientAssertion is a private_key_jwt assertion before it is signed (RFC 7523 section 3).
func ClientAssertion(k *config.Client, audience string, now time.Time) *mockidp.Token {
	return mockidp.NewToken(&mockidp.Key{JSONWebKey: *k.Key}, "JWT", map[string]any{
		"iss": k.ID, "sub": k.ID, "aud": audience, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	})
}

func sign(t *mockidp.Token) string {
	compact, err := t.Sign()
	if err != nil {
		panic(fmt.Errorf("the client's key cannot sign: %w", err)) // our own error
	}
	return compact
}

// redeem sends a token request by a client and reads the token response.
func (d *Desk) redeem(v *visit, k *config.Client, fields ...reports.Field) (Tokens, error) {
	r := &wire.Request{URL: d.Endpoints.Token, Form: fields, Header: http.Header{"Accept": {"application/json"}}}
	Authenticate(r, k, d.Endpoints.Token, d.now())
	a := d.Wire.Do(v.ctx, r, v.rec, reports.Setup, "sign-in: "+fields[0].Value)
	if a.Throttled() {
		return Tokens{}, fmt.Errorf("%s by client %s: %w", fields[0].Value, k.ID, errThrottled)
	}
	if doubt := a.Doubt(); doubt != "" {
		return Tokens{}, fmt.Errorf("the token endpoint did not answer %s by client %s: %w: %s", fields[0].Value, k.ID,
			errDisturbed, doubt)
	}
	if a.Err != nil || a.Status != http.StatusOK {
		return Tokens{}, fmt.Errorf("the token endpoint refused %s by client %s: %s%s", fields[0].Value, k.ID,
			a.Summary(), words(a))
	}
	t, err := parse(a.Body)
	if err != nil {
		return t, fmt.Errorf("the token endpoint answered %s by client %s, but %w", fields[0].Value, k.ID, err)
	}
	return t, nil
}

// words are the provider's own explanation of an error.
func words(a *wire.Answer) string {
	if d := a.String("error_description"); d != "" {
		return " (" + wire.Printable(wire.ScrubJWTs(d), 200) + ")"
	}
	return ""
}

func printable(s string) string { return wire.Printable(wire.ScrubJWTs(strings.TrimSpace(s)), 200) }
