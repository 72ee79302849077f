package target_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp/mutate"
	"github.com/emaconform/emaconform/suites/target"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const good = `
url: https://mcp.example/mcp
clients:
  - id: connector
    secret_env: CONNECTOR_SECRET
users:
  - sub: 00u1alice
    email: alice@acme.example
scopes: [notes.read]
timing:
  request: 3s
second_idp:
  alg: ES256
`

func TestLoadAndResolve(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("CONNECTOR_SECRET", "s3cret")
	c, err := target.Load(write(t, "ema.yaml", good))
	g.Expect(err).NotTo(HaveOccurred())
	c.Defaults()
	g.Expect(c.Resolve()).To(Succeed())
	g.Expect(c.Clients[0].Secret).To(Equal("s3cret"))
	g.Expect(c.Clients[0].Auth).To(Equal("client_secret_basic"))
	g.Expect(c.Timing.Request).To(Equal(3 * time.Second))
	g.Expect(c.Timing.Check).To(Equal(time.Minute))
	g.Expect(c.IdP.Alg).To(Equal("RS256"))
	g.Expect(c.SecondIdP.Alg).To(Equal("ES256"))
}

func TestLoadNamesTheLineOfAMistake(t *testing.T) {
	for content, message := range map[string]string{
		"url: https://mcp.example/mcp\nclinets: []\n": `line 2: there is no key "clinets"; did you mean clients?`,
		"idp:\n  issuerr: https://a\n":                `line 2: there is no key "issuerr"; did you mean idp.issuer?`,
		"url: https://a\nfrobnicate: 1\n":             `line 2: there is no key "frobnicate"; ` + "`emaconform config`",
		"url: https://a\nclients: connector\n":        "line 2: clients: expected a list, but saw text",
		"url: https://a\ncimd: perhaps\n":             "line 2: cimd: expected true or false, but saw text",
		"name: [a, b]\n":                              "line 1: name: expected text, but saw a list",
		"idp: https://a\n":                            "line 1: idp: expected keys and values, but saw text",
		"clients:\n  - id: a\n    secret: [s3cret]\n": "line 3: secret: expected text, but saw a list",

		"url: https://mcp.example/mcp\ntiming:\n  request: x\n": "line 3: timing.request: expected a time such as 500ms",
		"url: [\n":                         "line 1: ",
		"url: https://a\nurl: https://b\n": "line 2: mapping key \"url\" already defined",
	} {
		_, err := target.Load(write(t, "ema.yaml", content))
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(message)), "file %q", content)
	}
	c, err := target.Load(write(t, "ema.yaml", "\ufeffurl: https://mcp.example/mcp\n"))
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), "a byte order mark")
	NewWithT(t).Expect(c.URL).To(Equal("https://mcp.example/mcp"))
	_, err = target.Load(filepath.Join(t.TempDir(), "none.yaml"))
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring("cannot read the configuration")))
}

func TestResolveSaysAllThatIsWrong(t *testing.T) {
	g := NewWithT(t)
	c := &target.Config{
		URL: "mcp.example/mcp", SecondServer: "ftp://x",
		Clients: []target.Client{{ID: "a"}, {ID: "b", Auth: "tls"}, {ID: "c", Auth: "private_key_jwt",
			KeyFile: write(t, "key.json", "hello")}},
		Users: []target.User{{Email: "x@y"}},
		IdP:   target.IdP{Listen: "none", Alg: "HS256"},
	}
	c.Defaults()
	err := c.Resolve()
	for _, message := range []string{
		`url: "mcp.example/mcp" is no http or https URL`, `second_server: "ftp://x"`,
		"clients[0] (a): client_secret_basic needs a secret", "clients[1] (b): auth: \"tls\" is none of",
		"clients[2] (c): key_file", "is no JWK",
		"users[0]: sub is missing", "idp: listen: none needs both issuer and keys", `idp.alg: "HS256" is none of`,
	} {
		g.Expect(err).To(MatchError(ContainSubstring(message)))
	}
}

func TestSettingsThatContradictEachOtherAreNamed(t *testing.T) {
	complete := func(change func(*target.Config)) error {
		c := &target.Config{URL: "https://mcp.example/mcp", Clients: []target.Client{{ID: "a", Secret: "s3cret"}},
			Users: []target.User{{Sub: "alice"}}}
		change(c)
		c.Defaults()
		return c.Resolve()
	}
	for message, change := range map[string]func(*target.Config){
		"timing.check (2s) ends a check before timing.request (3s) is over": func(c *target.Config) {
			c.Timing.Check, c.Timing.Request = 2*time.Second, 3*time.Second
		},
		"timing.run (1m0s) ends the run before timing.jwks_patience (2m0s) is over": func(c *target.Config) {
			c.Timing.Run, c.Timing.JWKSPatience = time.Minute, 2*time.Minute
		},
		"timing.run (1m0s) ends the run before timing.check (1h0m0s) is over": func(c *target.Config) {
			c.Timing.Run, c.Timing.Check = time.Minute, time.Hour
		},
		"The life of an ID-JAG (5m0s) ends it before timing.replay (6m0s) is over": func(c *target.Config) {
			c.Timing.Replay = 6 * time.Minute
		},
		"timing.outage: expected more than no time, but saw -4s": func(c *target.Config) {
			c.Timing.Outage = -4 * time.Second
		},
		"second_server: https://mcp.example/mcp is url, too": func(c *target.Config) { c.SecondServer = c.URL },
		`forbidden_scope: "admin" stands in scopes, too`: func(c *target.Config) {
			c.Scopes, c.ForbiddenScope = []string{"read", "admin"}, "admin"
		},
		`clients[1].id: "a" is clients[0].id, too`: func(c *target.Config) {
			c.Clients = append(c.Clients, target.Client{ID: "a", Secret: "other"})
		},
		`dpop_client.id: "a" is clients[0].id, too`: func(c *target.Config) {
			c.DPoPClient = &target.Client{ID: "a", Secret: "other"}
		},
		`users[1].sub: "alice" is users[0].sub, too`: func(c *target.Config) {
			c.Users = append(c.Users, target.User{Sub: "alice"})
		},
		"second_idp.issuer: https://idp.example is idp.issuer, too": func(c *target.Config) {
			c.IdP.Issuer, c.SecondIdP = "https://idp.example", &target.IdP{Issuer: "https://idp.example"}
		},
	} {
		NewWithT(t).Expect(complete(change)).To(MatchError(ContainSubstring(message)))
	}
}

// TestDefaultsFitWhatIsSet wants no default to contradict a setting.
func TestDefaultsFitWhatIsSet(t *testing.T) {
	for name, given := range map[string]target.Time{
		"a short run": {Run: time.Second}, "a short check": {Check: time.Second}, "slow answers": {Request: 5 * time.Minute},
		"slow keys": {JWKSPatience: time.Hour}, "a long outage": {Outage: time.Hour}, "nothing": {},
	} {
		c := &target.Config{URL: "https://mcp.example/mcp", Clients: []target.Client{{ID: "a", Secret: "s3cret"}},
			Users: []target.User{{Sub: "alice"}}, Timing: given}
		c.Defaults()
		NewWithT(t).Expect(c.Resolve()).To(Succeed(), name)
	}
}

func TestMergeTakesWhatASetupCommandSays(t *testing.T) {
	g := NewWithT(t)
	c := &target.Config{URL: "https://mcp.example/mcp", Scopes: []string{"a"}}
	g.Expect(c.Merge([]byte(`{"clients":[{"id":"new","secret":"s"}],"users":[{"sub":"u"}]}`))).To(Succeed())
	g.Expect(c.URL).To(Equal("https://mcp.example/mcp"))
	g.Expect(c.Clients).To(HaveLen(1))
	g.Expect(c.Merge(nil)).To(Succeed())
	err := c.Merge([]byte(`{"clients":[{"id":"new","sekret":"do-not-show"}]}`))
	g.Expect(err).To(MatchError(ContainSubstring(`there is no key "sekret"`)))
	g.Expect(err.Error()).NotTo(ContainSubstring("do-not-show"))
}

func TestWellKnownLocations(t *testing.T) {
	g := NewWithT(t)
	g.Expect(target.ServerMetadataURLs("https://as.example/tenant/7")).To(Equal([]string{
		"https://as.example/.well-known/oauth-authorization-server/tenant/7",
		"https://as.example/.well-known/openid-configuration/tenant/7",
		"https://as.example/tenant/7/.well-known/openid-configuration",
	}))
	g.Expect(target.ServerMetadataURLs("https://as.example")).To(Equal([]string{
		"https://as.example/.well-known/oauth-authorization-server",
		"https://as.example/.well-known/openid-configuration",
	}))
	g.Expect(target.ResourceMetadataURLs("https://mcp.example/a/mcp")).To(Equal([]string{
		"https://mcp.example/.well-known/oauth-protected-resource/a/mcp",
		"https://mcp.example/.well-known/oauth-protected-resource",
	}))
}

func TestResourceMetadataFromChallenge(t *testing.T) {
	for header, want := range map[string]string{
		`Bearer resource_metadata="https://mcp.example/prm"`:           "https://mcp.example/prm",
		`Bearer realm="a", Resource_Metadata = https://x/prm, scope=a`: "https://x/prm",
		`Basic realm="a"`: "",
	} {
		h := map[string][]string{"Www-Authenticate": {header}}
		NewWithT(t).Expect(target.ResourceMetadataFromChallenge(h)).To(Equal(want), header)
	}
}

func TestLoopback(t *testing.T) {
	for url, want := range map[string]bool{
		"http://127.0.0.1:1/x": true, "http://localhost": true, "http://a.localhost": true, "http://[::1]:2": true,
		"https://mcp.example": false, "http://127.evil.example": false, "http://10.0.0.1": false, "::": false,
	} {
		NewWithT(t).Expect(target.Loopback(url)).To(Equal(want), url)
	}
}

// What a setup command answers, or a file holds, is read without a crash, whatever it is.
func FuzzMerge(f *testing.F) {
	for _, text := range []string{"users: !x", "url: x", `{"clients":[{"id":"a"}]}`, "timing: {check: 1s}",
		"scopes: [!a, *b]", "idp: &i {<<: *i}"} {
		mutate.Add(f, []byte(text))
	}
	f.Fuzz(func(_ *testing.T, raw []byte) {
		var c target.Config
		if c.Merge(raw) == nil {
			c.Defaults()
		}
	})
}
