//go:build unix

package client

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	fixture "github.com/emaconform/emaconform/fixtures/client"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/client/scenario"
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/engine"
)

// person plays the person at the page: the reference client is the desktop client.
type person struct {
	t       *testing.T
	page    string
	defects []string
	state   struct {
		Problem   string
		Scenarios []struct{ ID, Outcome, Message string } `json:"items"`
		Current   *struct {
			ID, Server string
			Outcome    string
			Honest     bool
			Settings   map[string]any
			Seen       []any
		}
	}
}

func (p *person) press(what string, form url.Values) {
	p.t.Helper()
	p.ask(func() (*http.Response, error) { return http.PostForm(p.page+"/"+what, form) })
}

// look asks for the state without pressing anything.
func (p *person) look() {
	p.t.Helper()
	p.ask(func() (*http.Response, error) { return http.Get(p.page + "/state") })
}

func (p *person) ask(send func() (*http.Response, error)) {
	p.t.Helper()
	resp, err := send()
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
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

// attend serves the page for these checks.
func attend(t *testing.T, checks ...string) (*Attended, *person) {
	t.Helper()
	attended, err := NewAttended(context.Background(), Options{Selection: engine.Selection{Checks: checks}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(attended.Handler())
	t.Cleanup(server.Close)
	return attended, &person{t: t, page: server.URL}
}

// TestAttendedElsewhere lets the parties have one name, and a path each, as for a client that reaches them through a
// proxy.
func TestAttendedElsewhere(t *testing.T) {
	port := freePorts(t)
	o := Options{Place: world.Place{PublicURL: fmt.Sprintf("http://127.0.0.1:%d", port)},
		Selection: engine.Selection{Checks: []string{"CL-PRM", "CL-AS-DISCOVERY", "CL-NO-CONFUSION", "CL-OIDC/nonce",
			"CL-CREDENTIAL-BINDING", "CL-NO-LEAK/ras-redirect", "CL-TLS/ras-expired", "CL-NO-LEAK/hosts"}}}
	for _, defects := range [][]string{nil, {"takes-any-resource"}} {
		attended, err := NewAttended(context.Background(), o, port)
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(attended.Handler())
		t.Cleanup(server.Close)
		p := &person{t: t, page: server.URL, defects: defects}
		for _, c := range attended.playable {
			for range 2 { // the honest world of its kind may come first
				if p.look(); p.outcome(c.ID) == "" {
					p.press("start", url.Values{"check": {c.ID}})
					p.press("done", url.Values{"saw": {p.connect()}})
				}
			}
		}
		for _, c := range attended.Report().Checks {
			want := reports.Pass
			switch c.ID {
			case "CL-NO-LEAK/ras-redirect", "CL-TLS/ras-expired", "CL-NO-LEAK/hosts", "CL-PRM/other-origin",
				"CL-PRM/other-origin-mismatch":
				want = reports.Skip // not to be seen from there
			case "CL-PRM/other-server", "CL-PRM/other-path", "CL-PRM/longer":
				if defects != nil {
					want = reports.Fail
				}
			}
			if c.Outcome != want && (defects == nil || want == reports.Fail) {
				t.Errorf("%s with defects %q: want %s, got %s %s", c.ID, defects, want, c.Outcome, c.Message)
			}
		}
	}
}

func TestAttended(t *testing.T) {
	const id = "CL-PRM/other-server"
	for defect, want := range map[string]reports.Outcome{"": reports.Pass, "takes-any-resource": reports.Fail} {
		attended, p := attend(t, "CL-PRM", "CL-NO-LEAK/anywhere")
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
		saw := p.connect()
		p.look()
		if got := p.state.Current.Outcome; got != string(want) {
			t.Errorf("with defect %q it is %s so far instead of %s", defect, got, want)
		}
		p.press("done", url.Values{"saw": {saw}})
		if got := p.outcome(id); got != string(want) {
			t.Errorf("with defect %q the outcome is %s instead of %s", defect, got, want)
		}
		p.press("finish", nil)
		<-attended.Finished()
		for _, c := range attended.Report().Checks {
			switch {
			case c.ID == id && c.Outcome != want,
				c.ID == "CL-NO-LEAK/anywhere" && c.Outcome != reports.Pass,
				strings.HasPrefix(c.ID, "CL-PRM/") && c.ID != id && c.Outcome != reports.Skip:
				t.Errorf("reported %s: %s %s", c.ID, c.Outcome, c.Message)
			}
		}
	}
}

// TestAttendedHonestAgain plays an honest world in which the client fails, and then again with success: that judges all
// scenarios that only look at an honest run.
func TestAttendedHonestAgain(t *testing.T) {
	const id = "CL-EXCHANGE-RESP/issued-type"
	_, p := attend(t)
	p.press("start", url.Values{"check": {id}})
	p.press("done", url.Values{"saw": {"error"}})
	if got := p.outcome(id); got != string(reports.Inconclusive) {
		t.Fatalf("without an honest run that succeeded it is %q", got)
	}
	p.press("start", url.Values{"check": {id}})
	if p.state.Current == nil || !p.state.Current.Honest {
		t.Fatal("an honest world that failed cannot be played again")
	}
	p.press("done", url.Values{"saw": {p.connect()}})
	for _, s := range p.state.Scenarios {
		observed := strings.HasPrefix(s.ID, "CL-EXCHANGE-REQ/") && scenario.Of(s.ID).Hostile == nil
		if s.Outcome != "" && s.Outcome != string(reports.Pass) || s.Outcome == "" && observed {
			t.Errorf("after the honest run %s is %q: %s", s.ID, s.Outcome, s.Message)
		}
	}
	if got := p.outcome(id); got != "" {
		t.Errorf("%s itself was not played, and is %q", id, got)
	}
}

// TestAttendedNothingPlayed wants a report in which everything is skipped.
func TestAttendedNothingPlayed(t *testing.T) {
	attended, _ := attend(t)
	for _, c := range attended.Report().Checks {
		if c.Outcome != reports.Skip {
			t.Errorf("%s: %s %s", c.ID, c.Outcome, c.Message)
		}
	}
}

// freePorts finds a first port from which on all ports of a world are free.
func freePorts(t *testing.T) int {
	t.Helper()
	for range 100 {
		first := 20000 + rand.IntN(10000) // below what the system gives out
		if w, err := world.New(world.Options{BasePort: first, TLS: true, TwoServers: true}); err == nil {
			_ = w.Close()
			return first
		}
	}
	t.Fatal("there are no free ports in a row")
	return 0
}

// TestAttendedStaysConfigured wants the same settings in every scenario of a kind.
func TestAttendedStaysConfigured(t *testing.T) {
	o := Options{Selection: engine.Selection{Checks: []string{"CL-OIDC"}}}
	attended, err := NewAttended(context.Background(), o, freePorts(t))
	if err != nil {
		t.Fatal(err)
	}
	defer attended.Report()
	var first map[string]any
	for _, id := range []string{"CL-OIDC/pkce", "CL-OIDC/nonce"} {
		if err := attended.start(id); err != nil {
			t.Fatal(err)
		}
		if settings := attended.current.settings; first == nil {
			first = settings
		} else if !reflect.DeepEqual(settings, first) {
			t.Errorf("settings changed from %v to %v", first["idp_redirect_uri"], settings["idp_redirect_uri"])
		}
	}
}

func TestAttendedPortInUse(t *testing.T) {
	first := freePorts(t)
	taken, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+2))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	if _, err := NewAttended(context.Background(), Options{}, first); err == nil ||
		!strings.Contains(err.Error(), "MCP server") {
		t.Errorf("a port in use: %v", err)
	}
}

// TestAttendedProblemStays wants a problem to be told until the person does something else.
func TestAttendedProblemStays(t *testing.T) {
	_, p := attend(t, "CL-PRM")
	p.press("start", url.Values{"check": {"CL-NO-SUCH"}})
	if p.look(); !strings.Contains(p.state.Problem, "CL-NO-SUCH") {
		t.Errorf("the problem is gone a moment later: %q", p.state.Problem)
	}
	p.press("start", url.Values{"check": {"CL-PRM/root"}})
	if p.state.Problem != "" {
		t.Errorf("the problem stays for ever: %q", p.state.Problem)
	}
}

// TestAttendedInterrupted wants the same report as from the Finish button.
func TestAttendedInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(context.Background())
	attended, err := NewAttended(ctx, Options{Selection: engine.Selection{Checks: []string{"CL-EXCHANGE-REQ"}}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(attended.Handler())
	defer server.Close()
	p := &person{t: t, page: server.URL}
	p.press("start", url.Values{"check": {"CL-EXCHANGE-REQ/type"}})
	p.press("done", url.Values{"saw": {p.connect()}})
	interrupt()
	if report := attended.Report(); report.Verdict != reports.Conformant || report.Ended != "" {
		t.Errorf("verdict %s, ended %q", report.Verdict, report.Ended)
	}
}

// TestShortSelection wants an hour's work in one kind of world, that begins with what gains an attacker most.
func TestShortSelection(t *testing.T) {
	short := Attention{Short: true, Secret: "stays-the-same-0"}
	attended, err := NewAttended(context.Background(), Options{Attended: short}, 0)
	if err != nil {
		t.Fatal(err)
	}
	hostile, first := 0, ""
	for _, c := range attended.playable {
		s := scenario.Of(c.ID)
		if attended.kinds[s.Shape] != attended.kinds[scenario.Login] {
			t.Errorf("%s is played in another kind of world", c.ID)
		}
		if s.Hostile != nil {
			if hostile++; first == "" {
				first = string(c.Requirement.Severity)
			}
		}
	}
	if hostile == 0 || hostile > anHour || first != "critical" {
		t.Errorf("%d hostile scenarios, the first of them %s", hostile, first)
	}
	if secret, _ := attended.Settings()["client_secret"].(string); !strings.HasSuffix(secret, "stays-the-same-0") {
		t.Error("the client's secret is another one")
	}
}
