package ras

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

// changesKeys marks a check that publishes other keys: it runs alone, and the target must fetch keys from us.
func changesKeys(sends string) check.Option {
	return func(c *check.Check) {
		check.Sends(sends)(c)
		check.Serial()(c)
		check.With(server.NeedsInbound)(c)
	}
}

// newKey is a key that the target has not seen, under a kid of its own: one that looks keys up without their kid must not
// find it in what it has.
func newKey(t *server.T) *mockidp.Key {
	key, err := mockidp.NewKey(jose.SignatureAlgorithm(t.IdP.Keys.Signing().Algorithm))
	mustControl(t, err)
	return underKid(key, rand.Text())
}

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

// publish has the IdP publish these keys, and these alone. They may not be cached, so that a target which keeps to that
// asks for them again with the next request.
func publish(t *server.T, keys ...*mockidp.Key) {
	restore(t)
	set := jose.JSONWebKeySet{}
	for _, key := range keys {
		set.Keys = append(set.Keys, key.Public())
	}
	mustControl(t, t.World.Control.SetMaxAge(t, t.IdPName, 0))
	mustControl(t, t.World.Control.SetKeys(t, t.IdPName, set))
}

// publishAlso has the IdP publish these keys beside its own.
func publishAlso(t *server.T, keys ...*mockidp.Key) {
	publish(t, append(slices.Clone(t.IdP.Keys.Keys), keys...)...)
}

func fetches(t *server.T) int {
	n, err := t.World.Control.Fetches(t, t.IdPName)
	mustControl(t, err)
	return n
}

// eventually is Within, with the patience that the configuration grants for new keys.
func eventually(t *server.T, done func() bool) bool {
	return t.Within(t.Config.Timing.JWKSPatience, done)
}

// until attacks until the target has gone for the keys, which count shows, so that the last answer is that of a target
// that met what there is now. Each attack must be refused.
func until(t *server.T, count func(*server.T) int, attack func() *server.Token) {
	before := count(t)
	gone := eventually(t, func() bool {
		expectRefused(t, t.Attack(attack()))
		return count(t) > before
	})
	if !gone {
		t.Inconclusivef("the target did not ask for the IdP's keys within %s, though it was sent key ids new to it: "+
			"raise timing.jwks_patience if it waits longer between two fetches", t.Config.Timing.JWKSPatience)
	}
}

// mustPickUp waits until the target takes the key.
func mustPickUp(t *server.T, key *mockidp.Key) {
	if !eventually(t, func() bool { return server.Granted(t.Redeem(t.Grant(signedBy(key)))) }) {
		t.Inconclusivef("the target does not pick up a new key: see RAS-JWKS-ROTATION/new-key")
	}
}

// inTime is how long a target may keep keys that must not be cached at all.
const inTime = 5 * time.Second

var _ = check.For("RAS-JWKS-ROTATION", func() {
	server.It("new-key", "picks up a key that the IdP newly publishes", func(t *server.T) {
		t.Control(t.Grant())
		key := newKey(t)
		publishAlso(t, key)
		started := time.Now()
		if !eventually(t, func() bool { return server.Granted(t.Redeem(t.Grant(signedBy(key)))) }) {
			t.Failf("expected an ID-JAG signed with a new key of the JWKS to be granted within %s (timing.jwks_patience): "+
				"users are locked out whenever the IdP changes its keys. Fetch them again when a kid is unknown, within bounds.",
				t.Config.Timing.JWKSPatience)
		}
		t.Notef("picked up after %s", time.Since(started).Round(10*time.Millisecond))
	}, changesKeys("An honest ID-JAG as control; the IdP then publishes one more key, and ID-JAGs signed with it follow"))

	server.It("withdrawn-key", "forgets a key that the IdP no longer publishes", func(t *server.T) {
		key := newKey(t)
		publishAlso(t, key)
		mustPickUp(t, key)
		publishAlso(t)
		forgotten := func() bool { return !server.Granted(t.Attack(t.Grant(signedBy(key)))) }
		if t.Within(inTime, forgotten) {
			t.Control(t.Grant())
			return
		}
		if !eventually(t, func() bool {
			t.Attack(t.Grant(signedBy(t.Attacker), server.SetHeader("kid", rand.Text()))) // makes many targets fetch the keys
			return forgotten()
		}) {
			t.Failf("expected ID-JAGs of a withdrawn key to be refused, for the JWKS said max-age=0, but they are still "+
				"granted after %s: a key that was stolen stays good", inTime+t.Config.Timing.JWKSPatience)
		}
		t.Warnf("ID-JAGs of a withdrawn key were granted for more than %s, until one with an unknown kid came, though the "+
			"JWKS said max-age=0: keep keys no longer than Cache-Control says", inTime)
	}, changesKeys("ID-JAGs signed with a key that the IdP publishes, until one is granted; more when it no longer does"))

	server.It("no-kid-one-key", "takes an ID-JAG without kid when the IdP has one key", func(t *server.T) {
		t.Control(t.Grant())
		publish(t, t.IdP.Keys.Signing())
		until(t, fetches, func() *server.Token { return t.Grant(signedBy(t.Attacker)) })
		Expect(t.Redeem(t.Grant(withoutKid))).To(server.BeGranted(), "kid is optional (RFC 7515 4.1.4) and there is one key")
	}, check.Should(), changesKeys("The IdP publishes one key alone; an ID-JAG signed with it and without kid"))

	server.It("no-kid-two-keys", "refuses an ID-JAG without kid by a stranger's key beside several", func(t *server.T) {
		key := newKey(t)
		publishAlso(t, key)
		mustPickUp(t, key)
		for _, own := range []*mockidp.Key{t.IdP.Keys.Signing(), key} {
			if a := t.Redeem(t.Grant(signedBy(own), withoutKid)); !server.Granted(a) {
				t.Notef("an ID-JAG without kid by one of the IdP's keys: %s", a.Summary())
			}
		}
		expectRefused(t, t.Attack(t.Grant(signedBy(t.Attacker), withoutKid)))
	}, check.By("RFC 7523 §3"), changesKeys("The IdP publishes two keys; ID-JAGs without kid, signed with each of them and then by a stranger"))

	server.It("shared-kid", "refuses a stranger's key under a kid that two keys of the IdP share", func(t *server.T) {
		one := newKey(t)
		other := underKid(t.IdP.Keys.Signing(), one.KeyID)
		publishAlso(t, one, other)
		if !eventually(t, func() bool {
			return server.Granted(t.Redeem(t.Grant(signedBy(one)))) || server.Granted(t.Redeem(t.Grant(signedBy(other))))
		}) {
			t.Inconclusivef("neither of two keys that share a kid is taken (RFC 7517 4.5 says that kids should be distinct)")
		}
		for _, key := range []*mockidp.Key{one, other} {
			if a := t.Redeem(t.Grant(signedBy(key))); !server.Granted(a) {
				t.Warnf("of two keys that share a kid one is not taken: %s. No IdP should do that (RFC 7517 4.5), but while one "+
					"does, half of its users are locked out: try each key of that kid", a.Summary())
			}
		}
		expectRefused(t, t.Attack(t.Grant(signedBy(t.Attacker), server.SetHeader("kid", one.KeyID))))
	}, check.By("RFC 7523 §3"), changesKeys("The IdP publishes two keys of one kid; ID-JAGs signed with each of them and then by a stranger"))

	server.It("unknown-kid-flood", "does not fetch the keys for each of 50 ID-JAGs with unknown key ids", func(t *server.T) {
		const requests, most = 50, 25
		t.Control(t.Grant())
		before := fetches(t)
		flood := make([]*wire.Request, requests)
		for i := range flood {
			flood[i] = t.TokenRequest(t.Grant(signedBy(t.Attacker), server.SetHeader("kid", rand.Text())))
		}
		for some := range slices.Chunk(flood, 25) {
			t.SendAll(some)
		}
		if n := fetches(t) - before; n > most {
			t.Failf("expected at most %d fetches of the JWKS, but %d requests with unknown key ids caused %d: whoever has a "+
				"client can make this server flood the IdP", most, requests, n)
		}
	}, check.Should(), check.Intrusive(), changesKeys("50 ID-JAGs by a stranger's key, each with a kid of its own"))
})

func withoutKid(j *server.Token) { delete(j.Header, "kid") }
