package wire_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/wire"
)

func TestSecretsGoToNamedHostsOnly(t *testing.T) {
	t.Parallel()
	public := wire.Hosts{Target: "https://mcp.example/mcp", Named: []string{"https://as.example/tenant", "auth.example",
		"other.example:8443"}}
	for url, good := range map[string]bool{
		"https://mcp.example/token":              true,
		"https://MCP.example:443/token":          true,
		"https://as.example/token":               true,
		"https://auth.example/token":             true,
		"https://other.example:8443/token":       true,
		"https://mcp.example:8443/token":         false,
		"https://auth.example:444/token":         false,
		"https://other.example/token":            false,
		"https://mcp.example.evil.example/token": false,
		"https://mcp.example@evil.example/token": false,
		"http://mcp.example/token":               false, // never in clear
		"http://auth.example/token":              false,
		"https://127.0.0.1/token":                false,
		"https://169.254.169.254/token":          false,
		"/token":                                 false,
	} {
		if err := public.Trusts(url); (err == nil) != good {
			t.Errorf("%s: %v", url, err)
		}
	}
	local := wire.Hosts{Target: "http://127.0.0.1:8080/mcp"}
	for url, good := range map[string]bool{
		"http://127.0.0.1:9090/token": true, "http://localhost:1/token": true, "http://[::1]:1/t": true,
		"https://as.example/token": false,
	} {
		if err := local.Trusts(url); (err == nil) != good {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// A target with a public address: no document is fetched from this machine, whatever name it goes by.
func TestNoConnectionToAddressesThatTheTargetDoesNotHave(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var requests atomic.Int32
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		_, _ = w.Write([]byte("metadata of the cloud"))
	})
	hosts := &wire.Hosts{Target: "https://192.0.2.7/mcp"} // a documentation address: nothing is sent there
	hosts.Resolve(t.Context())
	c := client(t, wire.Bounds{})
	c.Only(hosts)
	for _, u := range []string{url, strings.Replace(url, "127.0.0.1", "localhost", 1), "http://169.254.169.254/",
		"http://10.0.0.1/",
		"http://[fe80::1]/", "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/", "http://100.64.0.1/",
		"http://[64:ff9b::7f00:1]/"} {
		g.Expect(get(t, c, u).Err).To(MatchError(wire.ErrHost), u)
	}
	g.Expect(requests.Load()).To(BeZero())
}

func TestNothingSecretIsSentElsewhere(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var requests atomic.Int32
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.Header().Set("X-Internal", "of another network")
		_, _ = w.Write([]byte("a document of another network"))
	})
	hosts := &wire.Hosts{Target: "https://192.0.2.7/mcp", Kinds: []string{"loopback"}}
	c := client(t, wire.Bounds{})
	c.Only(hosts)
	for _, r := range []*wire.Request{
		{URL: url, Header: http.Header{"Authorization": {"Basic bWU6c2VjcmV0"}}},
		{URL: url, Form: []reports.Field{{Name: "assertion", Value: grant}}},
		{URL: url, Form: []reports.Field{{Name: "client_secret", Value: "x"}}},
		{URL: url + "?token=" + grant},
		{URL: url, Body: []byte(`{"assertion":"` + grant + `"}`)},
	} {
		a := c.Do(t.Context(), r, nil, reports.Attack, "")
		g.Expect(errors.Is(a.Err, wire.ErrHost)).To(BeTrue(), "%v", a.Err)
	}
	g.Expect(requests.Load()).To(BeZero())

	rec := wire.NewRecorder(nil)
	a := c.Do(t.Context(), &wire.Request{URL: url}, rec, reports.Setup, "")
	g.Expect(a.Err).NotTo(HaveOccurred(), "a document may be fetched")
	kept := rec.Exchanges()[0].Response
	g.Expect(kept.Body).To(ContainSubstring("not kept"))
	g.Expect(kept.Header).To(BeEmpty())
}

func TestPasswordsAreCutOutOfURLs(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://me:pass@mcp.example/mcp": "https://mcp.example/mcp", "https://me:p@ss@mcp.example": "https://mcp.example",
		"me:pass@mcp.example/mcp": "mcp.example/mcp", "https://mcp.example/a@b": "https://mcp.example/a@b", "": "",
	} {
		if got := wire.WithoutPassword(url); got != want || wire.HasPassword(url) != (got != url) {
			t.Errorf("%s became %s", url, got)
		}
	}
}
