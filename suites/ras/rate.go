package ras

import (
	"crypto/rand"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// guesses is how many wrong secrets are tried. Whoever may try so many in a row may try for ever.
const guesses = 40

// slowedTo is how long the last answer must take to count as slowed.
const slowedTo = 250 * time.Millisecond

// needsSpareSecret is for the check that may lock a client out: the first client is needed by the others.
var needsSpareSecret = check.Need{Key: "clients", Missing: func(w *check.World) string {
	if spare(w) == nil {
		return "needs a second client with a shared secret, since it may be locked out"
	}
	return ""
}}

// spare is the last client with a secret, unless it is the first client.
func spare(w *check.World) *target.Client {
	clients := withSecret(w)
	if len(clients) == 0 || clients[len(clients)-1] == w.Client(0) {
		return nil
	}
	return clients[len(clients)-1]
}

var _ = check.For("RAS-RATE", func() {
	check.It("guessing", "slows down or locks out whoever guesses a client's secret", func(t *check.T) {
		c := spare(t.World)
		t.Control(grantFor(t, c), check.As(c))
		took := make([]time.Duration, guesses)
		for n := range took {
			started := time.Now()
			a := attempt(t, impostor(c, c.ID, rand.Text()), reports.Attack)
			took[n] = time.Since(started)
			if a.Throttled() {
				t.Notef("429 after %d wrong secrets", n)
				return
			}
			if check.Granted(a) {
				t.Failf("a wrong secret was taken: see RAS-CLIENT-AUTH")
			}
		}
		if last := took[guesses-1]; last > slowedTo && last > 5*took[0] {
			t.Notef("the last of %d answers took %s, the first one %s", guesses, last.Round(time.Millisecond),
				took[0].Round(time.Millisecond))
			return
		}
		if a := attempt(t, c, reports.Attack); !check.Granted(a) {
			t.Notef("after %d wrong secrets the right one is refused, too: %s", guesses, a.Summary())
			return
		}
		t.Failf("%d wrong secrets in a row were neither slowed nor limited, and the right one still works", guesses)
	}, check.With(needsSpareSecret), check.Serial(), check.Intrusive(), check.Slow(),
		check.Sends("An honest ID-JAG with the right secret as control, then 40 with wrong ones, until they are limited"))
})

// attempt redeems an honest ID-JAG of this client and takes a 429 for an answer.
func attempt(t *check.T, c *target.Client, part reports.Part) *wire.Answer {
	r := t.TokenRequest(grantFor(t, c), check.As(c))
	r.Impatient = true
	return t.Wire.Do(t, r, t.Recorder(), part, "a guess")
}
