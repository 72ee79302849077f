package keys

import (
	"slices"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// inTime is how long a target may keep keys that must not be cached at all, and how soon one that asks for an unknown
// key has it.
const inTime = 5 * time.Second

var _ = check.For("RAS-JWKS-ROTATION", func() {
	server.It("new-key", "picks up a key that the IdP newly publishes", func(t *server.T) {
		t.Control(t.Grant())
		g := inSpring(t)
		if !g.picked {
			t.Failf("expected an ID-JAG signed with a new key of the JWKS to be granted within %s (timing.jwks_patience): "+
				"users are locked out whenever the IdP changes its keys. Fetch them again when a kid is unknown, within bounds.",
				t.Config.Timing.JWKSPatience)
		}
		t.Notef("picked up after %s", g.after.Round(10*time.Millisecond))
		if g.after > inTime && !inWinter(t) {
			t.Inconclusivef("one new key was picked up after %s, but what the IdP published next was not fetched within %s: "+
				"the target fetches keys from time to time, not when one is unknown. To judge it, set "+
				"timing.jwks_patience to more than the time for which it keeps keys",
				g.after.Round(time.Second), t.Config.Timing.JWKSPatience)
		}
	}, inYear(winter, "An honest ID-JAG as control; the IdP then publishes one more key, and ID-JAGs signed with it "+
		"follow; where that takes long, the same once more with other keys"))

	server.It("no-kid-two-keys", "refuses an ID-JAG without kid by a stranger's key beside several", func(t *server.T) {
		g := inSpring(t)
		t.Control(t.Grant())
		for _, key := range append(own(t), g.added) {
			if a := t.Redeem(t.Grant(server.SignedBy(key), withoutKid)); !server.Granted(a) {
				t.Notef("an ID-JAG without kid by one of the IdP's keys: %s", a.Summary())
			}
		}
		mustRefuse(t, func() *server.Token { return t.Grant(server.SignedBy(t.Attacker), withoutKid) })
	}, check.By("RFC 7523 §3"), inYear(spring, "The IdP publishes several keys; ID-JAGs without kid, signed with "+
		"each of them and then by a stranger"))

	server.It("withdrawn-key", "forgets a key that the IdP no longer publishes", func(t *server.T) {
		g, f := inSpring(t), inAutumn(t)
		if g.gone == nil {
			t.Inconclusivef("the target takes only the key that the IdP signs with (%s), so none can be withdrawn: see "+
				"RAS-JWKS-ROTATION/new-key", t.IdP.Keys.Signing().Algorithm)
		}
		forgotten := func() bool { return !server.Granted(t.Attack(t.Grant(server.SignedBy(g.gone)))) }
		began := time.Now()
		if eventually(t, "the keys without the withdrawn one", forgotten) {
			if kept := time.Since(began); kept > inTime {
				t.Notef("ID-JAGs of a withdrawn key were granted for %s more, though the JWKS said max-age=0",
					kept.Round(time.Second))
			}
			t.Control(t.Grant())
			return
		}
		if fetches(t) == f.before {
			f.kept = time.Since(began)
		}
		t.Attack(unknown(t)) // makes many targets fetch the keys
		until := ""
		if t.Within(inTime, forgotten) {
			until = ", until one with an unknown kid came"
		}
		t.Proven() // by each of these grants
		t.Failf("expected ID-JAGs of a withdrawn key to be refused, for the JWKS said max-age=0, must-revalidate, but they "+
			"were granted for more than %s%s: a key that was stolen stays good. Keep keys no longer than Cache-Control says",
			t.Config.Timing.JWKSPatience, until)
	}, inYear(autumn, "ID-JAGs signed with a key that the IdP published, after it no longer does"))

	server.It("no-kid-one-key", "takes an ID-JAG without kid when the IdP has one key", func(t *server.T) {
		inAutumn(t)
		t.Control(t.Grant())
		if server.Granted(t.Redeem(t.Grant(withoutKid))) {
			return
		}
		if !inWinter(t) {
			unasked(t)
		}
		Expect(t.Redeem(t.Grant(withoutKid))).To(server.BeGranted(), "kid is optional (RFC 7515 4.1.4) and there is one key")
	}, check.Should(), inYear(winter, "The IdP publishes one key alone; an ID-JAG signed with it and without kid"))

	server.It("shared-kid", "refuses a stranger's key under a kid that two keys of the IdP share", func(t *server.T) {
		g := inSpring(t)
		g.with(t, g.twins, func() {
			switch takenOf(t, g.twins.key, twinOf(t, g.twins.key)) {
			case 0:
				t.Notef("neither of two keys that share a kid is taken, which is the safe choice: kids should be distinct " +
					"(RFC 7517 4.5)")
			case 1:
				t.Warnf("of two keys that share a kid one is not taken. No IdP should do that (RFC 7517 4.5), but while one " +
					"does, half of its users are locked out: try each key of that kid, or none")
			}
			mustRefuse(t, func() *server.Token {
				return t.Grant(server.SignedBy(t.Attacker), server.SetHeader("kid", g.twins.key.KeyID))
			})
		})
	}, check.By("RFC 7523 §3"), inYear(spring, "The IdP publishes two keys of one kid; ID-JAGs signed with each of "+
		"them and then by a stranger"))

	server.It("unknown-kid-flood", "does not fetch the keys for each of 50 ID-JAGs with "+
		"unknown key ids", func(t *server.T) {
		const requests, most = 50, 25
		t.Control(t.Grant())
		before := fetches(t)
		for some := range slices.Chunk(strange(t, requests), 25) {
			for _, a := range t.SendAll(some) {
				Expect(a).NotTo(server.BeGranted(), "an ID-JAG by a stranger's key")
			}
		}
		if n := fetches(t) - before; n > most {
			t.Failf("expected at most %d fetches of the JWKS, but %d requests with unknown key ids caused %d: whoever has a "+
				"client can make this server flood the IdP", most, requests, n)
		}
	}, check.Should(), check.Intrusive(), changesKeys(flooding, "50 ID-JAGs by a stranger's key, each with a "+
		"kid of its own"))

	server.It("new-key-after-flood", "picks up a new key also after 30 ID-JAGs with unknown key ids", func(t *server.T) {
		t.Control(t.Grant())
		for _, a := range t.SendAll(strange(t, 30)) {
			Expect(a).NotTo(server.BeGranted(), "an ID-JAG by a stranger's key")
		}
		key := newKey(t)
		restore(t)
		if _, picked, _ := pickUp(t, key, append(plainly(t, own(t)), published(t, key, nil))); !picked {
			t.Failf("expected a new key to be picked up within %s (timing.jwks_patience), but 30 ID-JAGs with unknown key ids "+
				"have used up what this server fetches: whoever has a client can keep a company's new key from being known",
				t.Config.Timing.JWKSPatience)
		}
	}, check.Should(), check.Intrusive(), changesKeys(flooding, "30 ID-JAGs by a stranger's key, each with a kid of its "+
		"own, then a new key of the IdP"))
})

// strange are ID-JAGs by a stranger's key, each with a kid of its own.
func strange(t *server.T, n int) []*wire.Request {
	flood := make([]*wire.Request, n)
	for i := range flood {
		flood[i] = t.TokenRequest(unknown(t))
	}
	return flood
}

func withoutKid(j *server.Token) { delete(j.Header, "kid") }

// takenOf counts the keys of which the target grants an ID-JAG.
func takenOf(t *server.T, keys ...*mockidp.Key) (n int) {
	for _, key := range keys {
		if server.Granted(t.Redeem(t.Grant(server.SignedBy(key)))) {
			n++
		}
	}
	return n
}
