package world

import (
	"net/http"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/beside"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/signin"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// OAuth names of a token exchange (RFC 8693 section 3, ID-JAG draft-04 section 4.3).
const (
	GrantExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
	TypeIDJAG     = "urn:ietf:params:oauth:token-type:id-jag"
	TypeID        = "urn:ietf:params:oauth:token-type:id_token"
	TypeAccess    = "urn:ietf:params:oauth:token-type:access_token"
	TypeRefresh   = "urn:ietf:params:oauth:token-type:refresh_token"
	TypeSAML      = "urn:ietf:params:oauth:token-type:saml2"
)

// Exchange is a token exchange about to be sent; options change anything in it.
type Exchange struct {
	wire.Request
	User         *config.User
	Client       *config.Client // who authenticates; nil: nobody
	Target       *config.Target
	subject      *string // nil: what the user's sign-in yields
	authenticate func(*wire.Request)
	edits        []func(*wire.Request)
}

// Option changes an exchange.
type Option func(*Exchange)

// For asks in the name of another user.
func For(u *config.User) Option { return func(x *Exchange) { x.User = u } }

// By has another client ask, with its own tokens.
func By(k *config.Client) Option { return func(x *Exchange) { x.Client = k } }

// To asks for another target.
func To(t *config.Target) Option { return func(x *Exchange) { x.Target = t } }

// Subject presents this token.
func Subject(token string) Option { return func(x *Exchange) { x.subject = &token } }

// Authenticating has the client authenticate in another way than it is registered for.
func Authenticating(how func(*wire.Request)) Option {
	return func(x *Exchange) { x.authenticate = how }
}

// Param sets a form parameter.
func Param(name, value string) Option {
	return edit(func(r *wire.Request) { r.SetField(name, value) })
}

// Also adds a form parameter, even when there is one of this name.
func Also(name, value string) Option {
	return edit(func(r *wire.Request) { r.AddField(name, value) })
}

// Without drops a form parameter.
func Without(name string) Option { return edit(func(r *wire.Request) { r.DropField(name) }) }

// Header adds a header field.
func Header(name, value string) Option {
	return edit(func(r *wire.Request) { r.Header.Add(name, value) })
}

func edit(e func(*wire.Request)) Option { return func(x *Exchange) { x.edits = append(x.edits, e) } }

func (t *T) exchange(options []Option) *Exchange {
	x := &Exchange{User: t.Alice(), Client: t.A(), Target: t.Notes()}
	for _, o := range options {
		o(x)
	}
	return x
}

// request is the honest exchange, changed by the options: Alice, the first client, the first target, all scopes.
func (t *T) request(options []Option) *wire.Request {
	x := t.exchange(options)
	x.URL = t.Provider.Token
	x.Header = http.Header{"Accept": {"application/json"}}
	x.AddField("grant_type", GrantExchange)
	x.AddField("requested_token_type", TypeIDJAG)
	x.AddField("audience", x.Target.Audience)
	if t.Config.Exchange.Resource != "never" && x.Target.Resource != "" {
		x.AddField("resource", x.Target.Resource)
	}
	if len(x.Target.Scopes) > 0 {
		x.AddField("scope", strings.Join(x.Target.Scopes, " "))
	}
	x.AddField("subject_token", t.subjectOf(x))
	x.AddField("subject_token_type", t.Config.Exchange.SubjectTokenType)
	for name, value := range t.Config.Exchange.Extra {
		x.AddField(name, value)
	}
	for _, e := range x.edits {
		e(&x.Request)
	}
	if x.authenticate != nil {
		x.authenticate(&x.Request)
	} else {
		signin.Authenticate(&x.Request, x.Client, t.Provider.Token, t.Now())
	}
	return &x.Request
}

func (t *T) subjectOf(x *Exchange) string {
	if x.subject != nil {
		return *x.subject
	}
	k := x.Client
	if k == nil {
		k = t.A()
	}
	return t.Subject(x.User, k)
}

// Subject is the token that a user's exchanges are made with.
func (t *T) Subject(u *config.User, k *config.Client) string {
	tokens := t.Tokens(u, k)
	switch t.Config.Exchange.SubjectToken {
	case "refresh_token":
		return tokens.RefreshToken
	case "access_token":
		return tokens.AccessToken
	}
	return tokens.IDToken
}

// Present exchanges outside of a check: it takes any answer for what it is.
func (t *T) Present(note string, options ...Option) *wire.Answer {
	return steady(func() *wire.Answer { return t.Wire.Do(t, t.request(options), t.Recorder(), reports.Setup, note) })
}

// Request is the exchange that the options describe, not yet sent.
func (t *T) Request(options ...Option) *wire.Request { return t.request(options) }

// Exchange exchanges. It judges nothing.
func (t *T) Exchange(options ...Option) *wire.Answer {
	return t.deliver(func() *wire.Request { return t.request(options) }, reports.Setup, "")
}

// Twin is an honest exchange that attacks are compared with, whatever comes of it.
func (t *T) Twin(options ...Option) *wire.Answer {
	return t.deliver(func() *wire.Request { return t.request(options) }, reports.Control,
		"the honest twin: must be granted")
}

// Probe sends what may be granted in part, or refused.
func (t *T) Probe(options ...Option) *wire.Answer {
	return t.deliver(func() *wire.Request { return t.request(options) }, reports.Attack,
		"must not be granted as a whole")
}

// Control is the honest twin of an attack. Unless it is granted, nothing can be said about the attack, and the check
// ends as inconclusive. The grant is verified with the published keys.
func (t *T) Control(options ...Option) *Grant {
	a := t.Twin(options...)
	if !Granted(a) {
		t.Inconclusivef("the control was not granted (%s), so a refusal of the attack would prove nothing: the honest "+
			"request in the exchanges must work first", a.Summary())
	}
	return t.verified(a)
}

// verified is the grant of an answer; that it does not verify is noted.
func (t *T) verified(a *wire.Answer) *Grant {
	g, err := t.Read(a)
	if err != nil && !strings.HasPrefix(t.Check.Requirement.ID, "IDP-JAG-HEADER") {
		t.Notef("the ID-JAG does not verify with the published keys: %v: see IDP-JAG-HEADER", err)
	}
	return g
}

// Beside has an attack sent between two honest exchanges with these options, which the attacks that differ from the
// same one share. Unless both are granted, the check ends as inconclusive. It returns what the first one granted, and
// the answer to the attack.
func (t *T) Beside(attack func() *wire.Answer, honest ...Option) (*Grant, *wire.Answer) {
	x := t.exchange(honest)
	control, attacked := t.Controls.Attack(t.T, beside.Honest{
		Name: x.User.Login + " at " + x.Client.ID + " for " + x.Target.Audience, Good: Granted, Record: t.record,
		Send: func(lead *check.T) *wire.Answer {
			l := &T{T: lead, World: t.World}
			return l.deliver(func() *wire.Request { return l.request(honest) }, reports.Control,
				"the honest twin of many attacks: must be granted")
		},
	}, attack)
	return t.verified(control), attacked
}

func (t *T) record() *wire.Recorder { return wire.NewRecorder(t.Secrets) }

// BesideKind is Beside for attacks that do not differ from an exchange alone: send makes what they differ from, under
// this name.
func (t *T) BesideKind(name string, good func(*wire.Answer) bool, send func(*T) *wire.Answer,
	attack func() *wire.Answer) (control, attacked *wire.Answer) {
	return t.Controls.Attack(t.T, beside.Honest{Name: name, Good: good, Record: t.record,
		Send: func(lead *check.T) *wire.Answer { return send(&T{T: lead, World: t.World}) }}, attack)
}

// Attack sends what must be refused. A refusal that is no OAuth error is warned of.
func (t *T) Attack(options ...Option) *wire.Answer {
	return t.Attacked(t.deliver(func() *wire.Request { return t.request(options) }, reports.Attack, "must be refused"))
}

// AttackWith is Attack with any request.
func (t *T) AttackWith(r *wire.Request) *wire.Answer {
	return t.Attacked(t.Send(r, reports.Attack, "must be refused"))
}

// Attacked warns of an answer to an attack that is a refusal and no OAuth error.
func (t *T) Attacked(a *wire.Answer) *wire.Answer {
	if a.Err != nil || a.Doubt() != "" || a.Status/100 == 2 || t.Check.Requirement.ID == "IDP-ERR" {
		return a
	}
	if problem := OAuthError(a); problem != "" {
		t.Warnf("refused, but not with an OAuth error: %s: see IDP-ERR", problem)
	}
	return a
}

// Granted reports whether an answer is a token response with a token.
func Granted(a *wire.Answer) bool { return server.Granted(a) }

// statuses of refusals: RFC 6749 section 5.2 has 400 and 401, an oversized request is 413, a wrong method 405. 403 for
// a denial is outside of the text and does no harm: it is judged by IDP-ERR alone.
var statuses = []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden,
	http.StatusRequestEntityTooLarge,
	http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType, http.StatusTooManyRequests}

// OAuthError says what keeps a refusal from being an OAuth error response, or "" (RFC 6749 section 5.2).
func OAuthError(a *wire.Answer) string {
	object, err := a.Object()
	switch {
	case !slices.Contains(statuses, a.Status):
		return "HTTP " + a.Summary()
	case a.MediaType() != "application/json":
		return "the media type is " + a.MediaType()
	case err != nil:
		return err.Error()
	case a.String("error") == "":
		return "the body has no error"
	}
	for _, member := range []string{"access_token", "id_token", "refresh_token"} {
		if object[member] != nil {
			return "the refusal carries " + member
		}
	}
	return ""
}
