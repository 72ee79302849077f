package run

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// role is the name under which the engine knows servers.
const role = "server"

var _ = engine.Register(role, open)

// assignment is what the stage of a server is opened with.
type assignment struct {
	Conditions   check.Conditions   `json:"conditions"`
	Inbound      bool               `json:"inbound"`
	TwoIdPs      bool               `json:"two_idps"` // the target takes both alike: keys can be changed at two at a time
	Config       *target.Config     `json:"config"`
	Target       *target.Discovered `json:"target"`
	Keys         *mockidp.KeySet    `json:"keys"`
	SecondKeys   *mockidp.KeySet    `json:"second_keys,omitempty"`
	DisabledKeys *mockidp.KeySet    `json:"disabled_keys,omitempty"`
	Attacker     *mockidp.KeySet    `json:"attacker"`
	Canary       string             `json:"canary,omitempty"`
	Documents    string             `json:"documents,omitempty"`
	Control      string             `json:"control"`
	Secret       string             `json:"secret"`
	Roots        []byte             `json:"roots,omitempty"` // PEM
	Skew         time.Duration      `json:"skew"`
	Hosts        *wire.Hosts        `json:"hosts"`
}

// world makes the world that an assignment describes. What is secret in it, and what checks come to know, goes into
// secrets.
func (a *assignment) world(workers int, secrets *redact.Set) (*server.World, error) {
	a.hide(secrets)
	w := &server.World{
		Conditions: a.Conditions, Inbound: a.Inbound, Config: a.Config, Target: a.Target, Skew: a.Skew,
		Attacker: a.Attacker.Signing(), Canary: a.Canary, Documents: a.Documents, Secrets: secrets,
		Control: mockidp.NewControl(a.Control, a.Secret), Upstreams: server.AskUpstream(a.Control, a.Secret),
		IdPName: server.FirstIdP, IdP: &mockidp.Issuer{URL: a.Config.IdP.Issuer, Keys: a.Keys},
	}
	if a.Config.DPoP {
		prover, err := mockidp.NewKey(jose.ES256)
		if err != nil {
			return nil, err
		}
		w.Prover = &server.Prover{Key: prover}
	}
	if a.SecondKeys != nil {
		w.SecondIdP = &mockidp.Issuer{URL: a.Config.SecondIdP.Issuer, Keys: a.SecondKeys}
	}
	if a.DisabledKeys != nil {
		w.DisabledIdP = &mockidp.Issuer{URL: a.Config.DisabledIdP.Issuer, Keys: a.DisabledKeys}
	}
	var err error
	if w.Wire, err = newWire(a.Config, a.Roots, a.Hosts); err != nil {
		return nil, err
	}
	w.Wire.AtMost(workers)
	return w.Ready(), nil
}

func newWire(c *target.Config, pem []byte, hosts *wire.Hosts) (*wire.Client, error) {
	roots, err := wire.Roots(c.CAFile, pem)
	if err != nil {
		return nil, err
	}
	client := wire.NewClient(wire.Bounds{Timeout: c.Timing.Request, RetryAfter: c.Timing.RetryAfter}, roots)
	client.Only(hosts)
	client.As(c.UserAgent)
	return client, nil
}

// answers says why the target answers nothing that it can be judged by, or "": both the MCP server and the token
// endpoint are asked, for one can be gone without the other.
func answers(ctx context.Context, w *server.World) string {
	token := &wire.Request{URL: w.Target.TokenEndpoint, Form: []reports.Field{},
		Header: http.Header{"Accept": {"application/json"}}}
	asked := []*wire.Request{w.Initialize(w.Config.URL, "")}
	if !w.Look {
		asked = append(asked, token)
	}
	for _, r := range asked {
		if doubt := w.Wire.Do(ctx, r, nil, reports.Setup, "").Doubt(); doubt != "" {
			return r.URL + ": " + doubt
		}
	}
	return ""
}

// stage is the server's side of the engine.
type stage struct {
	worlds []*server.World // one for each identity provider whose keys may be changed
}

func open(_ context.Context, o engine.Opening) (engine.Stage, error) {
	var a assignment
	if err := json.Unmarshal(o.Assignment, &a); err != nil {
		return nil, err
	}
	w, err := a.world(o.Workers, o.Secrets)
	if err != nil {
		return nil, err
	}
	h := &wire.Health{Probe: func(ctx context.Context) string { return answers(ctx, w) }, Outage: a.Config.Timing.Outage,
		Say: o.Say, Lose: o.Lose}
	w.Await, w.Say, w.Seed = h.Await, o.Say, o.Seed
	s := &stage{worlds: []*server.World{w}}
	if a.TwoIdPs {
		s.worlds = append(s.worlds, w.Swapped())
	}
	return s, nil
}

func (s *stage) Lanes() int               { return len(s.worlds) }
func (s *stage) World(lane int) any       { return s.worlds[lane] }
func (s *stage) Recorder() *wire.Recorder { return wire.NewRecorder(s.worlds[0].Secrets) }

// Settle has the identity provider of the lane publish its own keys again.
func (s *stage) Settle(ctx context.Context, lane int) { s.worlds[lane].Settle(ctx) }

// Budget of a check that changes keys, or waits for an end, has room for the waits that it may need, so that no limit
// ends another.
func (s *stage) Budget(c *check.Check) time.Duration {
	timing := s.worlds[0].Config.Timing
	if c.Serial {
		return timing.Check + 3*timing.JWKSPatience
	}
	if c.Slow {
		return timing.Check + timing.Leeway
	}
	return timing.Check
}

func (s *stage) Close() { s.worlds[0].Wire.Close() }
