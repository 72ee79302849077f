package keys

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// What targets do with keys shows only when they fetch them, and many fetch at most every 30 s or so. So what one fetch
// can show is published at once, and the checks of a year share its fetches: first new keys, good and bad, beside those
// that are known; then one key alone; then none that can be had. Where the target takes two identity providers, the
// other checks have the second one meanwhile: those in which a fetch fails first, for most targets try again at once
// then, and those in which one succeeds, though it should not, afterwards.
const (
	spring   = iota + 1 // new keys, good and bad, beside the known ones
	autumn              // one key alone: all others are withdrawn, which is nothing that makes a target ask
	winter              // the same, when the target was made to ask
	frost               // the JWKS cannot be had
	failing             // beside the year: fetches that fail
	swelling            // fetches that succeed, but should not
	flooding            // fetches that strangers bring about
)

// inYear marks a check that shares the year with others; see changesKeys.
func inYear(season int, sends string) check.Option {
	return func(c *check.Check) {
		changesKeys(season, sends)(c)
		check.InCourse("the year of keys")(c)
	}
}

// changesKeys marks a check that publishes other keys: it runs alone, in its season, and the target must fetch keys
// from us.
func changesKeys(season int, sends string) check.Option {
	return func(c *check.Check) {
		check.Sends(sends)(c)
		check.InSeason(season)(c)
		check.With(server.NeedsInbound)(c)
	}
}

// weed is what no target should verify with, though the IdP publishes it.
type weed struct {
	key    *mockidp.Key // signs; nil: secret does
	secret []byte
	shown  []map[string]any // in the key set
}

// sign makes an ID-JAG by the weed.
func (w *weed) sign(t *server.T) string {
	if w.key == nil {
		return hostile.HMAC(t.Grant(server.SetHeader("kid", w.shown[0]["kid"])), w.secret)
	}
	return hostile.Sign(t.Grant(server.SignedBy(w.key)))
}

// garden is what there is in spring.
type garden struct {
	added *mockidp.Key // good, to stay until autumn
	gone  *mockidp.Key // one that the target took, which autumn withdraws; nil when it took none

	encrypting, forOps, weak, shared, twins *weed

	picked bool          // the target takes the added key
	after  time.Duration // how long that took
	whole  bool          // with all the weeds beside it
}

func (g *garden) weeds() []*weed { return []*weed{g.encrypting, g.forOps, g.weak, g.shared, g.twins} }

// plant makes the keys.
func plant(t *server.T) *garden {
	g := &garden{added: newKey(t)}
	key := newKey(t)
	g.encrypting = &weed{key: key, shown: []map[string]any{published(t, key, map[string]any{"use": "enc", "alg": nil})}}
	key = newKey(t)
	g.forOps = &weed{key: key, shown: []map[string]any{published(t, key, map[string]any{
		"use": nil, "alg": nil, "key_ops": []string{"encrypt", "wrapKey"}})}}

	small, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // weak, that is the point
	server.MustControl(t, err)
	key = &mockidp.Key{JSONWebKey: jose.JSONWebKey{
		Key: small, KeyID: rand.Text(), Algorithm: string(jose.RS256), Use: "sig",
	}}
	g.weak = &weed{key: key, shown: []map[string]any{published(t, key, nil)}}

	secret, name := []byte(rand.Text()+rand.Text()), rand.Text()
	g.shared = &weed{secret: secret, shown: []map[string]any{
		{"kty": "oct", "k": base64.RawURLEncoding.EncodeToString(secret), "kid": name, "alg": "HS256"}}}

	key = newKey(t)
	g.twins = &weed{key: key, shown: plainly(t, []*mockidp.Key{key, twinOf(t, key)})}
	return g
}

// twinOf is the key that the IdP signs with, under the kid of another one.
func twinOf(t *server.T, key *mockidp.Key) *mockidp.Key { return underKid(own(t)[0], key.KeyID) }

// inSpring publishes new keys beside the known ones and waits until the target takes the good one, once for all checks.
// A target that takes none of a set in which there are bad ones gets the good one by itself.
func inSpring(t *server.T) *garden {
	return server.Shared(t.World, fmt.Sprint("spring ", t.Attempt), func() *garden {
		g := plant(t)
		good := append(plainly(t, own(t)), published(t, g.added, nil))
		all := good[:len(good):len(good)]
		for _, w := range g.weeds() {
			all = append(all, w.shown...)
		}
		fetched := false
		if g.after, g.picked, fetched = pickUp(t, g.added, all); !g.picked && fetched {
			g.after, g.picked, _ = pickUp(t, g.added, good)
		} else {
			g.whole = g.picked
		}
		for _, key := range append([]*mockidp.Key{g.added}, own(t)[1:]...) {
			if server.Granted(t.Redeem(t.Grant(server.SignedBy(key)))) {
				g.gone = key
				break
			}
		}
		return g
	})
}

// pickUp publishes these keys and waits until the target takes this one of them. It gives up soon where the target
// fetched them, and does not take it.
func pickUp(t *server.T, key *mockidp.Key, keys []map[string]any) (after time.Duration, picked, fetched bool) {
	show(t, keySet(keys))
	before, began, since := fetches(t), time.Now(), time.Time{}
	eventually(t, "a new key of the IdP", func() bool {
		picked = server.Granted(t.Redeem(t.Grant(server.SignedBy(key))))
		if !picked && !fetched && fetches(t) > before {
			fetched, since = true, time.Now()
		}
		return picked || fetched && time.Since(since) > inTime
	})
	return time.Since(began), picked, fetched
}

// with judges what the target does with a weed that it has, between honest ID-JAGs.
func (g *garden) with(t *server.T, w *weed, judge func()) {
	if g.whole { // who has the added key has the set in which it stands
		t.Control(t.Grant(server.SignedBy(g.added)))
		judge()
		t.Control(t.Grant(server.SignedBy(g.added)))
		return
	}
	t.Control(t.Grant())
	publishAlso(t, w.shown...)
	until(t, func() *server.Token { return unknown(t) })
	judge()
	if server.Granted(t.Redeem(t.Grant())) {
		return
	}
	server.MustControl(t, t.World.Control.Restore(t, t.IdPName))
	t.Control(t.Grant())
	t.Notef("a key set in which there is such a key is refused as a whole: while the IdP publishes one, nobody gets in")
}

// fall is what the target did in autumn.
type fall struct {
	before int           // fetches when the keys were withdrawn
	kept   time.Duration // for so long it did not ask again, and granted what a withdrawn key signed; 0: no such thing
}

// inAutumn withdraws all keys but the one that the IdP signs with.
func inAutumn(t *server.T) *fall {
	inSpring(t)
	return server.Shared(t.World, fmt.Sprint("autumn ", t.Attempt), func() *fall {
		show(t, keySet(plainly(t, own(t)[:1])))
		return &fall{before: fetches(t)}
	})
}

// inWinter reports whether the target asked for the keys since autumn: one that did not ask of its own accord is sent
// kids that it does not know.
func inWinter(t *server.T) bool {
	f := inAutumn(t)
	return server.Shared(t.World, fmt.Sprint("winter ", t.Attempt), func() bool {
		return fetches(t) > f.before || eventually(t, "the IdP's keys", func() bool {
			mustRefuse(t, func() *server.Token { return unknown(t) })
			return fetches(t) > f.before
		})
	})
}
