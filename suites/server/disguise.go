package server

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/wire"
)

// Disguise is another client than this suite that servers know.
type Disguise struct {
	Agent  string // what it calls itself
	accept string // what it takes of a token endpoint
	own    string // what the suite calls itself
	drawn  *rand.Rand
}

var disguises = []Disguise{
	{Agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", accept: "*/*"},
	{Agent: "okhttp/4.12.0", accept: "application/json"},
	{Agent: "python-httpx/0.28.1", accept: "*/*"},
	{Agent: "undici", accept: "application/json, text/plain, */*"},
	{Agent: "Apache-HttpClient/5.4 (Java/21)", accept: "application/json"},
}

// Disguises are so many of them, each another, drawn by the seed of the run: for a check, they are the same in each run
// with this seed.
func (t *T) Disguises(n int) []Disguise {
	h := fnv.New64a()
	_, _ = h.Write([]byte(t.Check.ID))
	drawn := rand.New(rand.NewPCG(t.Seed, h.Sum64()))
	list := make([]Disguise, n)
	for i, at := range drawn.Perm(len(disguises))[:n] {
		list[i] = disguises[at]
		list[i].own, list[i].drawn = t.Config.UserAgent, drawn
	}
	return list
}

// redeems makes a redemption look like this client's: what it calls itself, what it takes, the order of its form.
func (d Disguise) redeems(r *Redemption) {
	r.Header.Set("User-Agent", d.Agent)
	r.Header.Set("Accept", d.accept)
	r.order = func(form []reports.Field) {
		d.drawn.Shuffle(len(form), func(i, j int) { form[i], form[j] = form[j], form[i] })
	}
}

// Calls makes a request to an MCP server look like this client's: what it calls itself in header and message.
func (d Disguise) Calls(r *wire.Request) *wire.Request {
	r.Header.Set("User-Agent", d.Agent)
	if own, other := JSONOf(clientInfo(d.own)), JSONOf(clientInfo(d.Agent)); bytes.Contains(r.Body, own) {
		r.Body = bytes.Replace(r.Body, own, other, 1)
	}
	return r
}

// RefusesFromOthers declares a check that repeats attacks at the end of the run, as other clients than this suite would
// send them, between honest requests of theirs: a target that recognises the suite may be strict with it alone.
func RefusesFromOthers(slug string, attacks ...Attack) {
	It(slug, "refuses the same attacks from other clients", func(t *T) {
		clients := t.Disguises(len(attacks) + 1)
		for n, a := range attacks {
			t.Control(t.Grant(), clients[n].redeems)
			answer := t.present(a.assertion(t), reports.Attack, "must be refused", []RedeemOption{clients[n].redeems})
			if Granted(answer) {
				t.Failf("expected %s to be refused from a client that calls itself %q, too, but it was granted an access token: "+
					"whether an ID-JAG is good does not depend on who asks", a.What, clients[n].Agent)
			}
			ExpectRefused(t, t.attacked(answer))
		}
		t.Control(t.Grant(), clients[len(attacks)].redeems) // nothing was refused since it came from them
	}, check.Late(), check.Sends(fmt.Sprintf("As %d other clients, with other headers and another order of "+
		"the form, between honest ID-JAGs of theirs: %s", len(attacks), said(attacks))), Refusal())
}

func said(attacks []Attack) string {
	list := make([]string, len(attacks))
	for i, a := range attacks {
		list[i] = a.What
	}
	return strings.Join(list, "; ")
}
