package judge

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/beside"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/signin"
	"github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/wire"
)

// role is the name under which the engine knows identity providers.
const role = "idp"

var _ = engine.Register(role, open)

// assignment is what the stage of an identity provider is opened with.
type assignment struct {
	Conditions check.Conditions `json:"conditions"`
	Config     *config.Config   `json:"config"`
	Provider   *world.Provider  `json:"provider"`
	Held       []signin.Held    `json:"held"`
	Failed     []string         `json:"failed"` // logins of those whose password came to nothing
	Stranger   *mockidp.KeySet  `json:"stranger"`
	Roots      []byte           `json:"roots,omitempty"` // PEM
	Hosts      *wire.Hosts      `json:"hosts"`
	Skew       time.Duration    `json:"skew"`
}

func (a *assignment) world(workers int, secrets *redact.Set) (*world.World, error) {
	a.hide(secrets)
	roots, err := wire.Roots(a.Config.CAFile, a.Roots)
	if err != nil {
		return nil, err
	}
	w := &world.World{
		Conditions: a.Conditions, Config: a.Config, Provider: a.Provider, Secrets: secrets, Keys: &world.Keys{},
		Controls: &beside.Controls{}, Facts: &world.Facts{}, Seasons: &world.Seasons{}, Skew: a.Skew,
		Stranger: a.Stranger.Signing(), Wire: wire.NewClient(wire.Bounds{Timeout: a.Config.Timing.Request}, roots),
	}
	w.Wire.AtMost(workers)
	w.Wire.Only(a.Hosts)
	w.Desk = &signin.Desk{Config: a.Config, Wire: w.Wire, Skew: a.Skew}
	w.Desk.Hold(a.Held)
	w.Desk.Spare(a.Failed)
	if a.Provider != nil {
		w.Desk.Endpoints = a.Provider.Endpoints(a.Config)
	}
	return w, nil
}

// hide adds what is secret in an assignment to the secrets of the run, after what is public in it.
func (a *assignment) hide(secrets *redact.Set) {
	c := a.Config
	public := []string{c.Name, c.IdP.Issuer, world.TypeIDJAG, world.TypeID, world.GrantExchange, "client_secret_basic",
		"client_secret_post",
		"private_key_jwt", "access_token", "refresh_token", "authorization_code", "Bearer"}
	for _, t := range c.Targets {
		public = append(append(public, t.Audience, t.Resource, t.ClientID, t.ForbiddenScope), t.Scopes...)
	}
	for _, u := range c.Users {
		public = append(public, u.Login, u.SubAtRAS)
	}
	for _, k := range c.Clients {
		public = append(public, k.ID, k.RedirectURI)
	}
	secrets.Publish(public...)
	for _, k := range c.Clients {
		secrets.Hide("secret of client "+k.ID, k.Secret)
	}
	for _, u := range c.Users {
		if f := u.SignIn.Form; f != nil {
			secrets.Hide("password of "+u.Login, f.Password)
		}
	}
	for _, h := range a.Held {
		secrets.Know("id token", h.Tokens.IDToken)
		secrets.Know("access token", h.Tokens.AccessToken)
		secrets.Know("refresh token", h.Tokens.RefreshToken)
	}
	for _, hook := range []string{c.Hooks.Deactivate, c.Hooks.Reactivate, c.Hooks.Unassign, c.Hooks.Assign,
		c.Hooks.Revoke, c.Hooks.Rotate} {
		secrets.Hide("hook", hook)
	}
}

// answers says why the identity provider answers nothing that it can be judged by, or "".
func answers(ctx context.Context, w *world.World) string {
	r := &wire.Request{URL: w.Provider.Token, Form: []reports.Field{}, Header: http.Header{"Accept": {"application/json"}}}
	if doubt := w.Wire.Do(ctx, r, nil, reports.Setup, "").Doubt(); doubt != "" {
		return r.URL + ": " + doubt
	}
	return ""
}

// stage is the identity provider's side of the engine.
type stage struct{ world *world.World }

func open(_ context.Context, o engine.Opening) (engine.Stage, error) {
	var a assignment
	if err := json.Unmarshal(o.Assignment, &a); err != nil {
		return nil, err
	}
	w, err := a.world(o.Workers, o.Secrets)
	if err != nil {
		return nil, err
	}
	h := &wire.Health{Probe: func(ctx context.Context) string { return answers(ctx, w) },
		Outage: a.Config.Timing.Outage, Say: o.Say, Lose: o.Lose}
	w.Await = h.Await
	return &stage{w}, nil
}

func (s *stage) Lanes() int                        { return 1 }
func (s *stage) World(int) any                     { return s.world }
func (s *stage) Settle(context.Context, int)       {} // no check of an IdP belongs to a course
func (s *stage) Recorder() *wire.Recorder          { return wire.NewRecorder(s.world.Secrets) }
func (s *stage) Budget(*check.Check) time.Duration { return s.world.Config.Timing.Check }
func (s *stage) Close()                            { s.world.Wire.Close() }
