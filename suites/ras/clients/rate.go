package clients

import (
	"crypto/rand"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// guesses is how many wrong secrets are tried. Whoever may try so many in a row may try for ever.
const guesses = 40

// perRound is how many guesses are made at the same time: a guesser is in a hurry, too.
const perRound = 10

// slowedTo is how many seconds the last answers must take to count as slowed.
const slowedTo = 0.25

// needsSpareSecret is for the check that may lock a client out: the first client is needed by the others.
var needsSpareSecret = server.Need("clients", "needs a second client with a shared secret, since it may be locked out",
	func(w *server.World) bool { return spare(w) != nil })

// spare is the last client with a secret, unless it is the first client.
func spare(w *server.World) *target.Client {
	clients := server.WithSecret(w)
	if len(clients) == 0 || clients[len(clients)-1] == w.Client(0) {
		return nil
	}
	return clients[len(clients)-1]
}

var _ = check.For("RAS-RATE", func() {
	server.It("guessing", "slows down or locks out whoever guesses a client's secret", func(t *server.T) {
		c := spare(t.World)
		t.Control(server.GrantFor(t, c), server.As(c))
		var took []float64 // seconds, the quickest answer of each round
		for n := 0; n < guesses; n += perRound {
			var quickest float64
			for _, a := range t.Together(guess(t, c, perRound)) {
				switch {
				case a.Throttled():
					t.Notef("429 within %d wrong secrets", n+perRound)
					return
				case server.Granted(a):
					t.Failf("a wrong secret was taken: see RAS-CLIENT-AUTH")
				}
				if quickest == 0 || a.Exchange.Seconds < quickest {
					quickest = a.Exchange.Seconds
				}
			}
			took = append(took, quickest)
		}
		if first, last := took[0], took[len(took)-1]; last > slowedTo && last > 5*first {
			t.Notef("the last of %d answers took %.3f s, the first ones %.3f s", guesses, last, first)
			return
		}
		if a := t.Together([]*wire.Request{impatient(t, c)})[0]; !server.Granted(a) {
			t.Notef("after %d wrong secrets the right one is refused, too: %s", guesses, a.Summary())
			return
		}
		t.Failf("%d wrong secrets in a row were neither slowed nor limited, and the right one still works", guesses)
	}, check.With(needsSpareSecret), check.Serial(), check.Intrusive(), check.Slow(),
		check.Sends("An honest ID-JAG with the right secret as control, then 40 with wrong ones, ten at a time, "+
			"until they are limited"))
})

// guess are requests with wrong secrets of this client.
func guess(t *server.T, c *target.Client, n int) []*wire.Request {
	list := make([]*wire.Request, n)
	for i := range list {
		list[i] = impatient(t, server.Impostor(c, c.ID, rand.Text()))
	}
	return list
}

// impatient redeems an honest ID-JAG as this client and takes a 429 for an answer.
func impatient(t *server.T, c *target.Client) *wire.Request {
	r := t.TokenRequest(server.GrantFor(t, c), server.As(c))
	r.Impatient = true
	return r
}
