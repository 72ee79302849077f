//go:build unix

package client

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/program"
	"github.com/emaconform/emaconform/suites/client/scenario"
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/wire"
)

// meet judges a client that sends what visit sends in the world of a check, after an honest run that succeeded. Exit
// code -1 is for one that did not end.
func meet(t *testing.T, c *check.Check, exit int, visit func(*world.World)) reports.Check {
	t.Helper()
	in := scenario.Of(c.ID)
	stage := &stage{}
	w, err := world.New(stage.options(in.Shape))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	if in.Hostile != nil {
		in.Hostile(w)
	}
	if err := w.Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	visit(w)
	judged := &program.Attempt{World: w, Exit: exit, TimedOut: exit < 0, Requests: w.Seen(), Leaks: w.Leaks(nil)}
	played := &shown{judged: judged, all: map[string]*program.Attempt{}}
	if in.Hostile != nil {
		played.honest = &program.Attempt{World: w}
	}
	return check.New(context.Background(), c, played, wire.NewRecorder(nil)).Run().Result
}

// TestNothingIsSaidOfAClientThatIsNotTempted wants no verdict on a client that contacts nobody, and none on one that
// only knocks at the MCP server but in scenarios that can be judged from there on, whatever the client says of itself.
func TestNothingIsSaidOfAClientThatIsNotTempted(t *testing.T) {
	knock := func(w *world.World) {
		if resp, err := http.Get(w.MCP.Resource); err == nil { // with https it knows no CA, and sees the certificate
			_ = resp.Body.Close()
		}
	}
	for _, c := range check.All(role) {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			for _, exit := range []int{0, 1, -1} {
				got := meet(t, c, exit, func(*world.World) {})
				if got.Outcome != reports.Inconclusive && got.Outcome != reports.Skip {
					t.Errorf("a client that does nothing (exit code %d): %s %s", exit, got.Outcome, got.Message)
				}
				m := scenario.Of(c.ID).Moment
				if m == scenario.Called || m == scenario.Challenged || strings.HasPrefix(c.ID, "CL-TLS/mcp-") {
					continue
				}
				got = meet(t, c, exit, knock)
				if got.Outcome != reports.Inconclusive && got.Outcome != reports.Skip {
					t.Errorf("a client that only knocks (exit code %d): %s %s", exit, got.Outcome, got.Message)
				}
			}
		})
	}
}

// TestTempted wants the word for it, and a verdict as soon as the moment has come.
func TestTempted(t *testing.T) {
	c := find(t, "CL-PRM/other-server")
	read := func(w *world.World) {
		resp, err := http.Get(w.MCP.MetadataURL)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	before := meet(t, c, 1, func(*world.World) {})
	if !strings.HasPrefix(before.Message, "not tempted: this can be judged once the client has read metadata of "+
		"the MCP server") {
		t.Errorf("before: %s %s", before.Outcome, before.Message)
	}
	if after := meet(t, c, 0, read); after.Outcome != reports.Warn { // it stops, and keeps that to itself
		t.Errorf("after: %s %s", after.Outcome, after.Message)
	}
}

func find(t *testing.T, id string) *check.Check {
	t.Helper()
	for _, c := range check.All(role) {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("no check %s", id)
	return nil
}
