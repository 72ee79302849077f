package keys

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// underKid is the key under another kid.
func underKid(key *mockidp.Key, kid string) *mockidp.Key {
	other := *key
	other.KeyID = kid
	return &other
}

// restore has the IdP publish its own keys again when the check is over.
func restore(t *server.T) {
	t.DeferCleanup(func(ctx context.Context) {
		if err := t.World.Control.Restore(ctx, t.IdPName); err != nil {
			t.Doubtf("our own error: the identity provider's keys could not be restored: %v", err)
		}
	})
}

// present has the IdP publish these keys, and these alone, from now on. They may not be cached, so that a target which
// keeps to that asks for them again with the next request.
func present(t *server.T, keys []*mockidp.Key) {
	set := jose.JSONWebKeySet{}
	for _, key := range keys {
		set.Keys = append(set.Keys, key.Public())
	}
	server.MustControl(t, t.World.Control.SetMaxAge(t, t.IdPName, 0))
	server.MustControl(t, t.World.Control.SetKeys(t, t.IdPName, set))
}

// publishAlso has the IdP publish these keys beside its own until the check is over.
func publishAlso(t *server.T, keys ...*mockidp.Key) {
	restore(t)
	present(t, append(own(t), keys...))
}

func fetches(t *server.T) int { return requests(t, mockidp.EndpointKeys) }

// requests is how often an endpoint of the IdP has been asked.
func requests(t *server.T, endpoint string) int {
	n, err := t.World.Control.Requests(t, t.IdPName, endpoint)
	server.MustControl(t, err)
	return n
}

// until attacks until the target has gone for the keys, which count shows, so that the last answer is that of a target
// that met what there is now. Each attack must be refused.
func until[A any](t *server.T, count func(*server.T) int, attack func() A) {
	before := count(t)
	gone := eventually(t, "the IdP's keys", func() bool {
		server.ExpectRefused(t, t.Attack(attack()))
		return count(t) > before
	})
	if !gone {
		t.Inconclusivef("the target did not ask for the IdP's keys within %s, though it was sent key ids new to it: "+
			"raise timing.jwks_patience if it waits longer between two fetches", t.Config.Timing.JWKSPatience)
	}
}

// inTime is how long a target may keep keys that must not be cached at all, and how soon one that asks for an unknown
// key has it.
const inTime = 5 * time.Second

var _ = check.For("RAS-JWKS-ROTATION", func() {
	server.It("new-key", "picks up a key that the IdP newly publishes", func(t *server.T) {
		t.Control(t.Grant())
		b := inSpring(t)
		if !b.picked {
			t.Failf("expected an ID-JAG signed with a new key of the JWKS to be granted within %s (timing.jwks_patience): "+
				"users are locked out whenever the IdP changes its keys. Fetch them again when a kid is unknown, within bounds.",
				t.Config.Timing.JWKSPatience)
		}
		t.Notef("picked up after %s", b.after.Round(10*time.Millisecond))
		if b.after > inTime {
			mustPickUpAgain(t, b)
		}
	}, changesKeys(spring, "An honest ID-JAG as control; the IdP then publishes one more key, and ID-JAGs signed "+
		"with it follow"))

	server.It("no-kid-two-keys", "refuses an ID-JAG without kid by a stranger's key beside several", func(t *server.T) {
		b := inSpring(t)
		t.Control(t.Grant())
		for _, key := range append(own(t), b.added) {
			if a := t.Redeem(t.Grant(server.SignedBy(key), withoutKid)); !server.Granted(a) {
				t.Notef("an ID-JAG without kid by one of the IdP's keys: %s", a.Summary())
			}
		}
		server.ExpectRefused(t, t.Attack(t.Grant(server.SignedBy(t.Attacker), withoutKid)))
	}, check.By("RFC 7523 §3"), changesKeys(spring, "The IdP publishes several keys; ID-JAGs without kid, signed with "+
		"each of them and then by a stranger"))

	server.It("withdrawn-key", "forgets a key that the IdP no longer publishes", func(t *server.T) {
		b := inAutumn(t)
		if b.gone == nil {
			t.Inconclusivef("the target takes only the key that the IdP signs with (%s), so none can be withdrawn: see "+
				"RAS-JWKS-ROTATION/new-key", t.IdP.Keys.Signing().Algorithm)
		}
		forgotten := func() bool { return !server.Granted(t.Attack(t.Grant(server.SignedBy(b.gone)))) }
		began := time.Now()
		if eventually(t, "the keys without the withdrawn one", forgotten) {
			if kept := time.Since(began); kept > inTime {
				t.Notef("ID-JAGs of a withdrawn key were granted for %s more, though the JWKS said max-age=0",
					kept.Round(time.Second))
			}
			t.Control(t.Grant())
			return
		}
		// makes many targets fetch the keys
		t.Attack(t.Grant(server.SignedBy(t.Attacker), server.SetHeader("kid", rand.Text())))
		until := ""
		if t.Within(inTime, forgotten) {
			until = ", until one with an unknown kid came"
		}
		t.Failf("expected ID-JAGs of a withdrawn key to be refused, for the JWKS said max-age=0, must-revalidate, but they "+
			"were granted for more than %s%s: a key that was stolen stays good. Keep keys no longer than Cache-Control says",
			t.Config.Timing.JWKSPatience, until)
	}, changesKeys(autumn, "ID-JAGs signed with a key that the IdP published, after it no longer does"))

	server.It("no-kid-one-key", "takes an ID-JAG without kid when the IdP has one key", func(t *server.T) {
		inAutumn(t)
		t.Control(t.Grant())
		if server.Granted(t.Redeem(t.Grant(withoutKid))) {
			return
		}
		until(t, fetches, func() *server.Token {
			return t.Grant(server.SignedBy(t.Attacker), server.SetHeader("kid", rand.Text()))
		})
		Expect(t.Redeem(t.Grant(withoutKid))).To(server.BeGranted(), "kid is optional (RFC 7515 4.1.4) and there is one key")
	}, check.Should(), changesKeys(autumn, "The IdP publishes one key alone; an ID-JAG signed with it and without kid"))

	server.It("shared-kid", "refuses a stranger's key under a kid that two keys of the IdP share", func(t *server.T) {
		one := newKey(t)
		other := underKid(t.IdP.Keys.Signing(), one.KeyID)
		publishAlso(t, one, other)
		before := fetches(t)
		if !eventually(t, "two keys of one kid", func() bool {
			return server.Granted(t.Redeem(t.Grant(server.SignedBy(one)))) ||
				server.Granted(t.Redeem(t.Grant(server.SignedBy(other)))) ||
				fetches(t) > before
		}) {
			t.Inconclusivef("the target did not ask for the IdP's keys within %s (timing.jwks_patience)",
				t.Config.Timing.JWKSPatience)
		}
		taken := 0
		for _, key := range []*mockidp.Key{one, other} {
			if server.Granted(t.Redeem(t.Grant(server.SignedBy(key)))) {
				taken++
			}
		}
		switch taken {
		case 0:
			t.Notef("neither of two keys that share a kid is taken, which is the safe choice: kids should be distinct " +
				"(RFC 7517 4.5)")
		case 1:
			t.Warnf("of two keys that share a kid one is not taken. No IdP should do that (RFC 7517 4.5), but while one " +
				"does, half of its users are locked out: try each key of that kid, or none")
		}
		server.ExpectRefused(t, t.Attack(t.Grant(server.SignedBy(t.Attacker), server.SetHeader("kid", one.KeyID))))
	}, check.By("RFC 7523 §3"), changesKeys(winter, "The IdP publishes two keys of one kid; ID-JAGs signed with each of "+
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
	}, check.Should(), check.Intrusive(), changesKeys(winter, "50 ID-JAGs by a stranger's key, each with a "+
		"kid of its own"))

	server.It("new-key-after-flood", "picks up a new key also after 30 ID-JAGs with unknown key ids", func(t *server.T) {
		t.Control(t.Grant())
		for _, a := range t.SendAll(strange(t, 30)) {
			Expect(a).NotTo(server.BeGranted(), "an ID-JAG by a stranger's key")
		}
		key := newKey(t)
		publishAlso(t, key)
		if _, picked := pickUp(t, key); !picked {
			t.Failf("expected a new key to be picked up within %s (timing.jwks_patience), but 30 ID-JAGs with unknown key ids "+
				"have used up what this server fetches: whoever has a client can keep a company's new key from being known",
				t.Config.Timing.JWKSPatience)
		}
	}, check.Should(), check.Intrusive(), changesKeys(winter, "30 ID-JAGs by a stranger's key, each with a kid of its "+
		"own, then a new key of the IdP"))
})

// strange are ID-JAGs by a stranger's key, each with a kid of its own.
func strange(t *server.T, n int) []*wire.Request {
	flood := make([]*wire.Request, n)
	for i := range flood {
		flood[i] = t.TokenRequest(t.Grant(server.SignedBy(t.Attacker), server.SetHeader("kid", rand.Text())))
	}
	return flood
}

func withoutKid(j *server.Token) { delete(j.Header, "kid") }

// mustPickUpAgain tells a target that asks for keys when it meets an unknown one from a target whose time to ask had
// just come.
func mustPickUpAgain(t *server.T, b *buds) {
	another := newKey(t)
	present(t, append(own(t), b.added, another))
	if after, picked := pickUp(t, another); picked {
		t.Notef("the next one was picked up after %s", after.Round(10*time.Millisecond))
		return
	}
	t.Inconclusivef("one new key was picked up after %s, the next one not within %s: the target fetches keys from time "+
		"to time, not when one is unknown. To judge it, set timing.jwks_patience to more than the time for which "+
		"it keeps keys",
		b.after.Round(time.Second), t.Config.Timing.JWKSPatience)
}
