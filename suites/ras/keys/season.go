package keys

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// What targets do with keys shows only when they fetch them, and many fetch at most every 30 s or so. So the checks
// that wait for a fetch run in seasons: each publishes at once all that one fetch can show, and its checks share the
// wait.
const (
	seasonOfFaults = 1 // fetches that fail: most targets try again at once, so these need no wait but the first
	seasonOfBounds = 2 // a fetch that succeeds, but should not
	spring         = 3 // new keys beside the known ones
	autumn         = 4 // one key alone: all others are withdrawn
	winter         = 5 // what no identity provider should publish
)

// changesKeys marks a check that publishes other keys: it runs alone, in its season, and the target must fetch keys
// from us.
func changesKeys(season int, sends string) check.Option {
	return func(c *check.Check) {
		check.Sends(sends)(c)
		check.InSeason(season)(c)
		check.With(server.NeedsInbound)(c)
	}
}

// newKey is a key that the target has not seen, under a kid of its own: one that looks keys up without their kid must
// not find it in what it has. An RSA key takes a tenth of a second to make, an EC key nothing.
func newKey(t *server.T) *mockidp.Key {
	algorithm := t.Cheap(t.IdP).Algorithm
	key, err := mockidp.NewKey(jose.SignatureAlgorithm(algorithm))
	server.MustControl(t, err)
	return underKid(key, rand.Text())
}

// buds are the keys of a spring.
type buds struct {
	added *mockidp.Key // new, to stay until autumn
	enc   *mockidp.Key // new, published for encryption only
	gone  *mockidp.Key // one that the target took, which autumn withdraws; nil when it took none

	picked bool          // the target takes the added key
	after  time.Duration // how long that took
}

// inSpring publishes new keys beside the known ones and waits until the target takes one, once for all checks.
func inSpring(t *server.T) *buds {
	return server.Shared(t.World, fmt.Sprint("spring ", t.Attempt), func() *buds {
		b := &buds{added: newKey(t), enc: newKey(t)}
		forEncryption := *b.enc
		forEncryption.Use, forEncryption.Algorithm = "enc", ""
		present(t, append(own(t), b.added, &forEncryption))
		b.after, b.picked = pickUp(t, b.added)
		for _, key := range append([]*mockidp.Key{b.added}, own(t)[1:]...) {
			if server.Granted(t.Redeem(t.Grant(server.SignedBy(key)))) {
				b.gone = key
				break
			}
		}
		return b
	})
}

// own are the keys that the IdP has when nothing is wrong; the first is the one that it signs with.
func own(t *server.T) []*mockidp.Key {
	list := []*mockidp.Key{t.IdP.Keys.Signing()}
	for _, key := range t.IdP.Keys.Keys {
		if key.KeyID != list[0].KeyID {
			list = append(list, key)
		}
	}
	return list
}

// pickUp waits until the target takes the key.
func pickUp(t *server.T, key *mockidp.Key) (after time.Duration, picked bool) {
	began := time.Now()
	picked = eventually(t, "a new key of the IdP", func() bool {
		return server.Granted(t.Redeem(t.Grant(server.SignedBy(key))))
	})
	return time.Since(began), picked
}

// inAutumn withdraws all keys but the one that the IdP signs with.
func inAutumn(t *server.T) *buds {
	b := inSpring(t)
	server.Shared(t.World, fmt.Sprint("autumn ", t.Attempt), func() bool {
		present(t, own(t)[:1])
		return true
	})
	return b
}

// eventually is Within, with the patience that the configuration grants for keys. The user is told what is waited for.
func eventually(t *server.T, what string, done func() bool) bool {
	told := time.AfterFunc(3*time.Second, func() {
		if t.Say != nil {
			t.Say(fmt.Sprintf("%s: waiting until the target fetches %s, up to %s (timing.jwks_patience)", t.Check.ID, what,
				t.Config.Timing.JWKSPatience))
		}
	})
	defer told.Stop()
	return t.Within(t.Config.Timing.JWKSPatience, done)
}
