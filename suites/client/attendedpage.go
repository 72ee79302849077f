package client

import (
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/client/scenario"
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/wire"
)

// What the page of an attended run shows.
type pageState struct {
	Problem   string         `json:"problem,omitempty"`
	Scenarios []pageScenario `json:"items"`
	Current   *pageCurrent   `json:"current,omitempty"`
	Settings  map[string]any `json:"settings"` // to configure the client with before the first scenario
	Recipe    string         `json:"recipe"`   // what to type where for that; "" is not known
}

type pageScenario struct {
	ID      string          `json:"id"`
	Title   string          `json:"title"`
	Kind    string          `json:"kind"`
	Level   string          `json:"level"`
	Fix     string          `json:"fix"`
	Outcome reports.Outcome `json:"outcome"` // "" when it was not played yet
	Message string          `json:"message"`
	Ready   bool            `json:"ready"` // the honest run of its kind succeeded
}

type pageCurrent struct {
	ID       string         `json:"id"`
	Meets    string         `json:"meets"`
	Expects  string         `json:"expects"`
	Honest   bool           `json:"honest"`
	Server   string         `json:"server"`
	Tool     string         `json:"tool"`
	Settings map[string]any `json:"settings"`
	Recipe   string         `json:"recipe"` // what to type where for these
	Seen     []pageRequest  `json:"seen"`
	Through  bool           `json:"through"` // the client got through to the MCP server
	// So far: the judgement if it were over now. Empty in an honest run and before the first request; untempted is that
	// the client has not come to the point yet from which on there is one.
	Untempted bool            `json:"untempted"`
	Outcome   reports.Outcome `json:"outcome"`
	Message   string          `json:"message"`
}

type pageRequest struct {
	Note   string `json:"note"`
	Method string `json:"method"`
	URL    string `json:"url"`
	Status int    `json:"status"`
}

// state is everything that the page shows.
func (a *Attended) state(problem string) any {
	a.mu.Lock()
	defer a.mu.Unlock()
	return pageState{Problem: problem, Scenarios: a.scenarios(), Current: a.now(), Settings: a.Settings(),
		Recipe: a.recipe(a.settings)}
}

func (a *Attended) recipe(settings map[string]any) string {
	if a.options.Attended.Recipe == nil {
		return ""
	}
	text, err := a.options.Attended.Recipe(settings)
	if err != nil {
		return err.Error()
	}
	return text
}

func (a *Attended) scenarios() []pageScenario {
	var list []pageScenario
	for _, c := range a.playable {
		kind := a.kinds[scenario.Of(c.ID).Shape]
		honest, result := a.honests[kind], a.results[c.ID]
		list = append(list, pageScenario{
			ID: c.ID, Title: c.Title, Kind: describe(a.world(kind)), Level: c.Level, Fix: c.Requirement.Fix,
			Outcome: result.Outcome, Message: result.Message, Ready: honest != nil && honest.Succeeded(),
		})
	}
	return list
}

// now is what the page shows of the scenario that is on.
func (a *Attended) now() *pageCurrent {
	s := a.current
	if s == nil {
		return nil
	}
	p := &pageCurrent{
		ID: s.check.ID, Meets: s.check.Sends, Expects: s.check.Expects, Honest: s.honest,
		Server: s.world.MCP.Resource, Tool: world.Tool, Settings: s.settings, Recipe: a.recipe(s.settings),
	}
	rec := wire.NewRecorder(nil)
	s.world.Record(rec, reports.Setup)
	exchanges := rec.Exchanges()
	for _, e := range exchanges {
		r := pageRequest{Note: e.Note, Method: e.Request.Method, URL: e.Request.URL}
		if e.Response != nil {
			r.Status = e.Response.Status
		}
		p.Seen = append(p.Seen, r)
	}
	soFar := s.played(0)
	if p.Through = soFar.Through(); !p.Through {
		soFar = s.played(1)
	}
	if len(exchanges) > 0 && !s.honest {
		now := a.judge(s.check, soFar, a.honests[s.kind])
		p.Outcome, p.Message = now.Outcome, now.Message
		p.Untempted = now.Outcome == reports.Inconclusive && !scenario.Of(s.check.ID).Moment.Seen(soFar)
	}
	return p
}

// describe tells a person what kind of world it is.
func describe(o world.Options) string {
	kinds := []string{map[world.Identity]string{
		world.Relogin: "an ID token to start with", world.Refresh: "an ID token and a refresh token to start with",
		world.SAML: "a SAML assertion to start with",
	}[o.Identity]}
	if kinds[0] == "" {
		kinds[0] = "the client logs in"
	}
	for _, k := range []struct {
		on   bool
		name string
	}{
		{o.TwoServers, "two MCP servers"}, {o.TLS, "https"}, {o.Confidential, "a client secret at the IdP"},
		{o.Unregistered, "no credentials at the RAS"}, {o.DPoP, "ID-JAGs bound to a key"},
		{o.Revision != "", "only revision " + o.Revision},
	} {
		if k.on {
			kinds = append(kinds, k.name)
		}
	}
	return strings.Join(kinds, ", ")
}
