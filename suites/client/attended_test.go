//go:build unix

package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"testing"

	fixture "github.com/emaconform/emaconform/fixtures/client"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/run"
)

// person plays the person at the page: the reference client is the desktop client.
type person struct {
	t       *testing.T
	page    string
	defects []string
	state   struct {
		Problem   string
		Scenarios []struct{ ID, Outcome, Message string }
		Current   *struct {
			ID, Server string
			Honest     bool
			Settings   map[string]any
			Seen       []any
		}
	}
}

func (p *person) press(what string, form url.Values) {
	p.t.Helper()
	resp, err := http.PostForm(p.page+"/"+what, form)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	p.state.Current, p.state.Problem = nil, ""
	if err := json.NewDecoder(resp.Body).Decode(&p.state); err != nil {
		p.t.Fatal(err)
	}
}

// connect lets the client connect and returns what a person would say of it.
func (p *person) connect() string {
	p.t.Helper()
	args, environment, err := fixture.Command(p.defects...)
	if err != nil {
		p.t.Fatal(err)
	}
	p.state.Current.Settings["idp_login"] = true
	settings, err := json.Marshal(p.state.Current.Settings)
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(args[0], p.state.Current.Server)
	cmd.Env = append(append(os.Environ(), environment...), "MCP_CONFORMANCE_CONTEXT="+string(settings))
	if cmd.Run() != nil {
		return "error"
	}
	return "connected"
}

func (p *person) outcome(id string) string {
	for _, s := range p.state.Scenarios {
		if s.ID == id {
			return s.Outcome
		}
	}
	return "not listed"
}

func TestAttended(t *testing.T) {
	const id = "CL-PRM/other-server"
	for defect, want := range map[string]reports.Outcome{"": reports.Pass, "takes-any-resource": reports.Fail} {
		attended, err := NewAttended(
			context.Background(),
			Options{Selection: run.Selection{Checks: []string{"CL-PRM"}}},
			0,
			"",
		)
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(attended.Handler())
		defer server.Close()
		p := &person{t: t, page: server.URL}
		if defect != "" {
			p.defects = []string{defect}
		}
		p.press("start", url.Values{"check": {"CL-NO-SUCH"}})
		if p.state.Problem == "" {
			t.Error("an unknown scenario gives no problem")
		}
		p.press("start", url.Values{"check": {id}})
		if p.state.Current == nil || !p.state.Current.Honest {
			t.Fatalf("the honest world does not come first: %+v", p.state.Current)
		}
		p.press("done", url.Values{"saw": {p.connect()}})
		if got := p.outcome(id); got != "" {
			t.Errorf("after the honest run the scenario is %q", got)
		}
		p.press("start", url.Values{"check": {id}})
		if p.state.Current == nil || p.state.Current.Honest {
			t.Fatalf("the scenario itself does not come second: %+v", p.state.Current)
		}
		p.press("done", url.Values{"saw": {p.connect()}})
		if got := p.outcome(id); got != string(want) {
			t.Errorf("with defect %q the outcome is %s instead of %s", defect, got, want)
		}
		p.press("finish", nil)
		<-attended.Finished()
		for _, c := range attended.Report().Checks {
			if c.ID == id && c.Outcome != want || c.ID != id && c.Outcome != reports.Skip {
				t.Errorf("reported %s: %s", c.ID, c.Outcome)
			}
		}
	}
}
