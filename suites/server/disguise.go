package server

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
)

// Last is the season of the checks that run after all others.
const Last = 1000

// disguises are other clients that servers know: what each calls itself and takes.
var disguises = []struct{ agent, accept string }{
	{"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "*/*"},
	{"okhttp/4.12.0", "application/json"},
	{"python-httpx/0.28.1", "*/*"},
	{"undici", "application/json, text/plain, */*"},
	{"Apache-HttpClient/5.4 (Java/21)", "application/json"},
}

// disguised makes a request look like another client's: what it calls itself, what it takes, the order of its form.
func disguised(as int) RedeemOption {
	return func(r *Redemption) {
		r.Header.Set("User-Agent", disguises[as].agent)
		r.Header.Set("Accept", disguises[as].accept)
		r.shuffled = true
	}
}

// RefusesFromOthers declares a check that repeats attacks at the end of the run, as other clients than this suite would
// send them, between honest requests of theirs: a target that recognises the suite may be strict with it alone.
func RefusesFromOthers(slug string, attacks ...Attack) {
	It(slug, "refuses the same attacks from other clients", func(t *T) {
		for n, as := range rand.Perm(len(disguises))[:len(attacks)+1] {
			if n == len(attacks) {
				t.Control(t.Grant(), disguised(as)) // nothing was refused since it came from them
				return
			}
			a := attacks[n]
			t.Control(t.Grant(), disguised(as))
			answer := t.present(a.assertion(t), reports.Attack, "must be refused", []RedeemOption{disguised(as)})
			if Granted(answer) {
				t.Failf("expected %s to be refused from a client that calls itself %q, too, but it was granted an access token: "+
					"whether an ID-JAG is good does not depend on who asks", a.What, disguises[as].agent)
			}
			ExpectRefused(t, t.attacked(answer))
		}
	}, check.InSeason(Last), check.Sends(fmt.Sprintf("As %d other clients, with other headers and another order of "+
		"the form, between honest ID-JAGs of theirs: %s", len(attacks), said(attacks))), Refusal())
}

func shuffle(form []reports.Field) {
	rand.Shuffle(len(form), func(i, j int) { form[i], form[j] = form[j], form[i] })
}

func said(attacks []Attack) string {
	list := make([]string, len(attacks))
	for i, a := range attacks {
		list[i] = a.What
	}
	return strings.Join(list, "; ")
}
