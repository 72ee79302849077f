package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/thirdparty"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target"
)

var update = flag.Bool("update-baselines", false, "write the baselines of third-party servers anew, keeping "+
	"the reasons")

// Servers that nobody here wrote. What fails on them is listed, with a reason for each, beside their drivers; anything
// else that fails, and anything listed that passes, fails this test.
func TestThirdPartyServers(t *testing.T) {
	if testing.Short() {
		t.Skip("the matrices run it, without the race detector: what it judges runs in other processes")
	}
	for _, kind := range thirdparty.Kinds() {
		if kind == thirdparty.ServerExpress {
			continue // is judged twice, below
		}
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			report, err := run.Run(t.Context(), (&thirdPartyServer{kind: kind, folder: t.TempDir()}).options(t))
			if errors.Is(err, thirdparty.ErrNotInstalled) {
				t.Skip(err) // make test installs what is needed
			}
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(report.Ended).To(BeEmpty(), report.Problem)
			asItsBaselineSays(t, kind, report)
			g.Expect(report.Counts()[reports.Pass]).To(BeNumerically(">", 150), "most of it works on a real server")
		})
	}
}

// asItsBaselineSays fails the test when anything fails or stays open that is not listed for this kind of server, and
// when anything listed passes. With -update-baselines the list is written anew.
func asItsBaselineSays(t *testing.T, kind thirdparty.Kind, report *reports.Report) {
	t.Helper()
	g := NewWithT(t)
	path := filepath.Join("..", "..", "fixtures", "thirdparty", string(kind), "baseline.yaml")
	baseline, err := reports.LoadBaseline(path)
	if err == nil {
		baseline.Apply(report)
	}
	if *update {
		file, err := os.Create(path)
		g.Expect(err).NotTo(HaveOccurred())
		defer file.Close()
		g.Expect(reports.WriteBaseline(file, report)).To(Succeed())
		return
	}
	g.Expect(err).NotTo(HaveOccurred())
	for _, id := range report.Baseline.Unexpected {
		t.Errorf("%s is not expected: %s", id, message(report, id))
	}
	g.Expect(report.Baseline.Stale).To(BeEmpty(), "these pass now: take them off the list")
	g.Expect(report.Baseline.Unknown).To(BeEmpty(), "there are no such checks")
}

func message(r *reports.Report, id string) string {
	for _, c := range r.Checks {
		if c.ID == id {
			return string(c.Outcome) + ": " + c.Message
		}
	}
	return ""
}

// A server as a typical vendor would write it, which fetches keys twice a minute at most, is judged as it was the first
// time when it is judged again at once: then it holds the keys of the first time, has used up some of its limits, and
// remembers what it has redeemed. Every check is decided, both times.
func TestThirdPartyServerIsJudgedAlikeColdAndWarm(t *testing.T) {
	if testing.Short() {
		t.Skip("the matrices run it, without the race detector: what it judges runs in other processes")
	}
	t.Parallel()
	g := NewWithT(t)
	server := &thirdPartyServer{kind: thirdparty.ServerExpress, folder: t.TempDir(), ports: freePorts(t, 2)}
	var outcomes [2]map[string]string
	var verdicts [2]reports.Verdict
	for n := range outcomes {
		report, err := run.Run(t.Context(), server.options(t))
		if errors.Is(err, thirdparty.ErrNotInstalled) {
			t.Skip(err)
		}
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(report.Ended).To(BeEmpty(), report.Problem)
		outcomes[n], verdicts[n] = map[string]string{}, report.Verdict
		for _, c := range report.Checks {
			outcomes[n][c.ID] = strings.TrimSpace(string(c.Outcome) + " " + c.Message)
			if c.Outcome == reports.Inconclusive {
				t.Errorf("%s was not decided: %s", c.ID, c.Message)
			}
		}
		t.Logf("%d checks in %.0f s", len(report.Checks), report.Seconds)
		asItsBaselineSays(t, server.kind, report)
	}
	g.Expect(verdicts[1]).To(Equal(verdicts[0]))
	g.Expect(outcomes[1]).To(HaveLen(len(outcomes[0])))
	for id, cold := range outcomes[0] {
		was, _, _ := strings.Cut(cold, " ")
		if is, _, _ := strings.Cut(outcomes[1][id], " "); is != was {
			t.Errorf("%s: cold %s; warm %s", id, cold, outcomes[1][id])
		}
	}
}

// freePorts are ports of the loopback address that nothing listens on.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		defer listener.Close()
		ports[i] = listener.Addr().(*net.TCPAddr).Port
	}
	return ports
}

// thirdPartyServer is a server of this kind, started by the first run, when the mock IdP is there for it to trust.
type thirdPartyServer struct {
	kind    thirdparty.Kind
	folder  string // for what the mock IdPs keep from run to run
	ports   []int  // of the mock IdPs; empty: any, as one run does
	process *thirdparty.Process
}

// options are those of a run against the server.
func (s *thirdPartyServer) options(t *testing.T) run.Options {
	c := &target.Config{
		Name: string(s.kind), Scopes: []string{"notes.read", "notes.write"},
		SecondIdP: &target.IdP{Users: []target.User{{Sub: "second-alice"}, {Sub: "second-bob"}}},
		Users:     []target.User{{Sub: "alice"}, {Sub: "bob"}},
	}
	for n, idp := range []*target.IdP{&c.IdP, c.SecondIdP} {
		idp.CA, idp.Keys = filepath.Join(s.folder, "ca.pem"), filepath.Join(s.folder, fmt.Sprintf("keys-%d.json", n))
		if len(s.ports) > 0 {
			idp.Listen = fmt.Sprintf("127.0.0.1:%d", s.ports[n])
		}
	}
	c.Redeem.Scope = s.kind == thirdparty.Fosite // which takes scopes from the parameter alone
	// Which takes no resource but its first one from the claim alone.
	c.Redeem.Resource = s.kind == thirdparty.WorkersOAuthProvider
	c.Timing.Replay, c.Timing.JWKSPatience = 2*time.Second, 5*time.Second // waited for where nothing else is
	var selection engine.Selection
	switch {
	case s.kind == thirdparty.Fosite:
	case s.kind == thirdparty.ServerExpress && !testing.Short():
		c.Timing.JWKSPatience = 35 * time.Second // the default
	default:
		// They fetch keys twice a minute at most, so that checks which change them take minutes.
		selection.Labels = "!serial || RAS-RATE"
	}
	return run.Options{Config: c, Selection: selection, Register: func(ctx context.Context, trust run.Trust,
		c *target.Config) error {
		if s.process == nil {
			if err := s.start(context.WithoutCancel(ctx), t, trust, c.Scopes); err != nil {
				return err
			}
		}
		c.URL, c.SecondServer = s.process.Resources[0], s.process.Resources[1]
		for _, k := range s.process.Clients {
			c.Clients = append(c.Clients, target.Client{ID: k.ID, Secret: k.Secret})
		}
		return nil
	}}
}

func (s *thirdPartyServer) start(ctx context.Context, t *testing.T, trust run.Trust, scopes []string) (err error) {
	first, second := trust.IdP, trust.Second
	s.process, err = thirdparty.Start(ctx, s.kind, thirdparty.Config{
		CA: first.CA,
		Issuers: []thirdparty.Issuer{
			{Issuer: first.Issuer, JWKSURI: first.JWKSURI}, {Issuer: second.Issuer, JWKSURI: second.JWKSURI}},
		Clients: []thirdparty.Client{
			{ID: "connector-a", Secret: "connector-a-secret-0123456789"},
			{ID: "connector-b", Secret: "connector-b-secret-0123456789"}},
		Users: []thirdparty.User{
			{Issuer: first.Issuer, Subject: "alice"}, {Issuer: first.Issuer, Subject: "bob"},
			{Issuer: second.Issuer, Subject: "second-alice"}, {Issuer: second.Issuer, Subject: "second-bob"}},
		Scopes: scopes, RequiredScopes: []string{"notes.read"}, ResourcePaths: []string{"/mcp", "/mcp2"},
	})
	if err == nil {
		t.Cleanup(func() { _ = s.process.Stop() })
	}
	return err
}
