package directory_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/mutate"
)

const sample = `settings:
  issuer: https://idp.example
  id_jag_lifetime: 2m
groups: [Interns]
users:
  - login: ann@x.example
    groups: [Staff]
  - login: ben@x.example
    id: 00uben
    status: suspended
clients:
  - id: app
    secret: s
    redirect_uris: [http://127.0.0.1/cb]
    assigned: {groups: [Staff]}
connectors:
  - id: notes
    audience: https://as.example
    aliases: [urn:notes]
    resources: [https://rs.example/mcp]
    scopes: [read, write]
    assigned: {everyone: true}
connections:
  - client: app
    connector: notes
    client_id: app-at-notes
    scopes: [read]
`

func TestParseFillsIn(t *testing.T) {
	d, err := directory.Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	ann := d.Login("ANN@x.example")
	if ann == nil || !strings.HasPrefix(ann.ID, "00u") || len(ann.ID) != 20 || d.User(ann.ID) != ann {
		t.Errorf("%+v", ann)
	}
	if k := d.Client("app"); k.Auth != directory.Secret {
		t.Errorf("auth %s", k.Auth)
	}
	if d.Audience("urn:notes") != d.Connector("notes") || d.Connection("app", "notes").ClientID != "app-at-notes" {
		t.Error("alias or connection not found")
	}
	if got := time.Duration(d.Settings.IDJAGLifetime); got != 2*time.Minute {
		t.Error(got)
	}
	if diff := cmp.Diff([]string{"Everyone", "Interns", "Staff"}, d.AllGroups()); diff != "" {
		t.Error(diff)
	}
}

func TestMistakesAreNamedWithTheirLine(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key": {"secret: s", "secrit: s", "line 13: unknown field \"secrit\""},
		"not YAML":    {"users:", "users: [", "line"},
		"unknown group": {"{groups: [Staff]}", "{groups: [Stuff]}",
			`line 15: clients[0].assigned.groups[0]: there is no group "Stuff"`},
		"unknown client": {"client: app", "client: ap", `line 24: connections[0].client: there is no client "ap"`},
		"login twice": {"ben@x.example", "Ann@x.example",
			"line 8: users[1].login: the login ann@x.example is there twice"},
		"bad status": {"suspended", "asleep",
			`line 10: users[1].status: got "asleep", expected one of active, staged, suspended, deprovisioned`},
		"relative audience": {"https://as.example", "as.example",
			`line 18: connectors[0].audience: "as.example" is no absolute URI`},
		"scope not connector's": {"scopes: [read]", "scopes: [raed]",
			`line 27: connections[0].scopes[0]: the connector has no scope "raed"; it has read, write`},
		"secret missing": {"secret: s", "auth: client_secret_basic",
			"line 12: clients[0].secret: a client that authenticates by client_secret_basic needs a secret"},
		"negative duration":      {"2m", "-2m", `got "-2m", expected a duration`},
		"scope with a quote":     {"[read, write]", `[read, 'wr"ite']`, "connectors[0].scopes[1]"},
		"two documents":          {"    scopes: [read]\n", "    scopes: [read]\n---\na: 1\n", "second document"},
		"client id at RAS":       {"client_id: app-at-notes", "client_id: ''", "line 26: connections[0].client_id"},
		"redirect with fragment": {"127.0.0.1/cb", "127.0.0.1/cb#x", "has a fragment"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := directory.Parse([]byte(strings.Replace(sample, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, expected %q", err, c.want)
			}
		})
	}
	if _, err := directory.Parse(nil); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("empty file: %v", err)
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idp.yaml")
	if err := os.WriteFile(path, []byte("users: 7"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := directory.Load(path); err == nil || !strings.HasPrefix(err.Error(), path+": line 1") {
		t.Errorf("%v", err)
	}
}

func TestPrivateKeysAreRefused(t *testing.T) {
	for name, key := range map[string]string{
		"private": `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",` +
			`"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}`,
		"symmetric": `{"kty":"oct","k":"AAAA"}`,
	} {
		text := strings.Replace(sample, "    secret: s", "    auth: private_key_jwt\n    jwks: '{\"keys\":["+key+"]}'", 1)
		if _, err := directory.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), "public keys only") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCloneIsDeep(t *testing.T) {
	d := directory.Default()
	c := d.Clone()
	c.Users[0].Groups[0] = "Changed"
	c.Connectors[0].Scopes[0] = "changed"
	if d.Users[0].Groups[0] != "Engineering" || d.Connectors[0].Scopes[0] != "notes.read" {
		t.Error("the original changed with its clone")
	}
}

func FuzzParse(f *testing.F) {
	mutate.Add(f, []byte(sample))
	mutate.Add(f, []byte(`{"users":[{"login":"a"}],"clients":[{"id":"c"}],"connectors":[],"connections":[]}`))
	mutate.Add(f, []byte("users: [{login: a, groups: [b]}]\npolicies: [{name: x, groups: [b], effect: deny}]"))
	mutate.Add(f, []byte("settings: {id_jag_lifetime: 1h, silent_login: nobody}"))
	mutate.Add(f, []byte("a: &a [*a]"))
	mutate.Add(f, []byte("clients: [{id: c, jwks: {keys: [{kty: EC}]}}]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := directory.Parse(raw)
		if err != nil {
			return
		}
		// What is taken survives being written and taken again.
		if again := d.Clone(); again.Compile() != nil {
			t.Error("a compiled directory does not compile again")
		}
	})
}
