package client

import (
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/client/world"
)

// shape is a kind of honest world. A client that gets nothing done in a shape that it need not support is not judged in
// it.
type shape struct {
	name    string
	offers  string // what a client must do for it, continues "the client does not …"
	options world.Options
	needed  bool // every client must get along in it
}

// The shapes.
var (
	given    = &shape{name: "given", needed: true, offers: "connect with an ID token that it is given"}
	sessions = &shape{
		name:    "sessions",
		offers:  "speak revision 2025-11-25 (sessions)",
		options: world.Options{Revision: world.Revision2025},
	}
	stateless = &shape{
		name:    "stateless",
		offers:  "speak revision 2026-07-28 (stateless requests)",
		options: world.Options{Revision: world.Revision2026},
	}
	login = &shape{
		name:    "login",
		offers:  "log in at the IdP itself (context: idp_login, idp_redirect_uri)",
		options: world.Options{Identity: world.Login},
	}
	relogin = &shape{
		name:    "relogin",
		offers:  "connect with an ID token that it is given, when it may log in as well",
		options: world.Options{Identity: world.Relogin},
	}
	refresh = &shape{
		name:    "refresh",
		offers:  "connect with an ID token and a refresh token (context: idp_refresh_token)",
		options: world.Options{Identity: world.Refresh},
	}
	saml = &shape{
		name:    "saml",
		offers:  "start from a SAML assertion (context: idp_saml_assertion)",
		options: world.Options{Identity: world.SAML},
	}
	two = &shape{
		name:    "two",
		offers:  "use two MCP servers (context: second_server_url)",
		options: world.Options{TwoServers: true},
	}
	https = &shape{
		name:    "https",
		offers:  "trust the CA that it is told of (context: ca_file, environment: SSL_CERT_FILE, NODE_EXTRA_CA_CERTS)",
		options: world.Options{TLS: true},
	}
	confidential = &shape{
		name:    "confidential",
		offers:  "authenticate at the IdP (context: idp_client_secret)",
		options: world.Options{Confidential: true},
	}
	loginConfidential = &shape{
		name:    "login, confidential",
		offers:  "log in with a secret at the IdP",
		options: world.Options{Confidential: true, Identity: world.Login},
	}
	unregistered = &shape{
		name:    "unregistered",
		offers:  "register itself at the RAS (context: no client_id)",
		options: world.Options{Unregistered: true},
	}
	dpop = &shape{
		name:    "dpop",
		offers:  "bind its ID-JAG with DPoP (context: dpop)",
		options: world.Options{DPoP: true},
	}
)

// scenario is one check: a world and a judgement of what the client did in it.
type scenario struct {
	slug  string // its name within the requirement
	title string // continues "the client …"
	meets string // what the client meets, one sentence

	in *shape
	// makes an honest world of the shape the one that is judged; nil: the honest world is judged
	hostile func(*world.World)
	judge   func(*judgement)
	should  bool // weaker than the requirement
	slow    bool // lasts as long as the client's patience
	final   bool // is judged after all others, by what they saw
}

// registry holds the scenarios by the id of their check.
var (
	registry = map[string]*scenario{}
	declared []*check.Check
)

// scenarios declares the checks of one requirement. They are made when they are first asked for: commands that need none
// start without the catalogue.
func scenarios(requirement string, list ...scenario) {
	pending = append(pending, func() { makeChecks(requirement, list) })
}

var (
	pending []func()
	declare = sync.OnceFunc(func() {
		for _, do := range pending {
			do()
		}
	})
)

func makeChecks(requirement string, list []scenario) {
	r, ok := catalogue.Find(requirement)
	if !ok {
		panic("scenarios: the catalogue has no requirement " + requirement)
	}
	for _, s := range list {
		c := &check.Check{
			ID: requirement + "/" + s.slug, Requirement: r, Level: r.Level, Title: s.title, Sends: s.meets + ".",
			Expects: "The client " + s.title + ".",
		}
		if s.should {
			check.Should()(c)
		}
		c.Labels = []string{"client", r.ID, strings.ToLower(c.Level), strings.ReplaceAll(s.in.name, ", ", "-")}
		if s.slow {
			c.Slow, c.Labels = true, append(c.Labels, "slow")
		}
		sort.Strings(c.Labels)
		if registry[c.ID] != nil {
			panic("scenarios: declared twice: " + c.ID)
		}
		registry[c.ID] = &s
		declared = append(declared, c)
	}
}

// Checks returns every check of a client, in the order of the catalogue.
func Checks() []*check.Check {
	declare()
	order := map[string]int{}
	for i, r := range catalogue.ForRole("client") {
		order[r.ID] = i
	}
	list := slices.Clone(declared)
	slices.SortStableFunc(list, func(a, b *check.Check) int {
		if d := order[a.Requirement.ID] - order[b.Requirement.ID]; d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list
}
