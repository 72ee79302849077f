package console

import (
	"net/http"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/mockidp/directory"
)

// connection is a connection with both of its ends.
type connection struct {
	directory.Connection
	At *directory.Connector
	Of *directory.Client
}

func connectionsOf(d *directory.Directory, of func(directory.Connection) bool) []connection {
	var out []connection
	for _, k := range d.Connections {
		if of(k) {
			out = append(out, connection{k, d.Connector(k.Connector), d.Client(k.Client)})
		}
	}
	return out
}

func clients(c *console, _ *http.Request) (view, error) {
	type row struct {
		*directory.Client
		Connections []connection
	}
	d := c.idp.Directory()
	var rows []row
	for n := range d.Clients {
		k := &d.Clients[n]
		rows = append(rows, row{k, connectionsOf(d, func(x directory.Connection) bool { return x.Client == k.ID })})
	}
	return view{name: "clients", title: "Clients", data: rows}, nil
}

func connectors(c *console, _ *http.Request) (view, error) {
	type row struct {
		*directory.Connector
		Connections []connection
	}
	d := c.idp.Directory()
	var rows []row
	for n := range d.Connectors {
		r := &d.Connectors[n]
		rows = append(rows, row{r, connectionsOf(d, func(x directory.Connection) bool { return x.Connector == r.ID })})
	}
	return view{name: "connectors", title: "Connectors", data: rows}, nil
}

// step is one of the steps of a decision, as Decide documents them.
type step struct {
	Title, Says string
	State       string // passed, denied or skipped
}

type decisionStep struct{ rule, title string }

// decisionSteps are in the order of directory.Decide, by the name that a denial has.
var decisionSteps = []decisionStep{
	{"client", "The client is active"},
	{"user", "The user is active"},
	{"client assignment", "The user is assigned to the client"},
	{"audience", "A connector has the audience"},
	{"connection", "The client is connected to it, and both are active"},
	{"resource", "The resource is the connector's"},
	{"connector assignment", "The user is assigned to the connector"},
	{"", "Policies, from the first to the last"},
	{"scopes", "Scopes of the connection, narrowed by the policy"},
	{"step-up", "The sign-in is fresh and strong enough"},
}

// policyStep is the one whose denials carry a policy's name.
const policyStep = 7

// stepsOf tells what each step said.
func stepsOf(d directory.Decision) []step {
	at := len(decisionSteps)
	if d.Denied != nil {
		at = slices.IndexFunc(decisionSteps, func(s decisionStep) bool { return s.rule == d.Rule })
		if at < 0 {
			at = policyStep
		}
	}
	out := make([]step, 0, len(decisionSteps))
	for n, s := range decisionSteps {
		x := step{Title: s.title, State: "passed"}
		switch {
		case n > at:
			x.State = "skipped"
		case n == at:
			x.State, x.Says = "denied", d.Denied.Description
			if d.Denied.Reason != "" {
				x.Says += ": " + d.Denied.Reason
			}
			if n == policyStep {
				x.Says = d.Rule + ": " + x.Says
			}
		case n == policyStep && d.Denied == nil:
			x.Says = "decided by: " + d.Rule
		}
		out = append(out, x)
	}
	return out
}

// trial is the question that the page of policies answers.
type trial struct {
	Asked                             bool
	User, Client, Connector, Strength string
	Scopes                            string
	Missing                           string
	Decision                          directory.Decision
	Steps                             []step
}

func policies(c *console, r *http.Request) (view, error) {
	d, q := c.idp.Directory(), r.URL.Query()
	t := trial{Asked: q.Has("user"), User: q.Get("user"), Client: q.Get("client"), Connector: q.Get("connector"),
		Scopes: q.Get("scope"), Strength: q.Get("strength")}
	if t.Asked {
		t.decide(c, d)
	}
	return view{name: "policies", title: "Policies", data: struct {
		*directory.Directory
		Trial trial
	}{d, t}}, nil
}

func (t *trial) decide(c *console, d *directory.Directory) {
	u, k, r := d.Login(t.User), d.Client(t.Client), d.Connector(t.Connector)
	if u == nil || k == nil || r == nil {
		t.Missing = "Choose a person, a client and a connector that are here."
		return
	}
	auth := directory.Authentication{Time: c.idp.Now(), AMR: []string{"pwd"}}
	if t.Strength == "strong" {
		auth.AMR = append(append(auth.AMR, u.Factors...), "mfa")
		auth.ACR = strongest(r, d)
	}
	t.Decision = d.Decide(directory.Request{Client: k, User: u, Audience: r.Audience, Scopes: strings.Fields(t.Scopes),
		Resources: r.Resources[:min(1, len(r.Resources))], Auth: auth, Now: c.idp.Now()})
	t.Steps = stepsOf(t.Decision)
}

// strongest is an acr that satisfies the connector, or else a policy.
func strongest(r *directory.Connector, d *directory.Directory) string {
	demands := []directory.StepUp{r.StepUp}
	for _, p := range d.Policies {
		demands = append(demands, p.StepUp)
	}
	for _, s := range demands {
		if len(s.ACR) > 0 {
			return s.ACR[0]
		}
	}
	return ""
}
