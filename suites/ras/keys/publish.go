package keys

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// newKey is a key that the target has not seen, under a kid of its own: one that looks keys up without their kid must
// not find it in what it has. An RSA key takes a tenth of a second to make, an EC key nothing.
func newKey(t *server.T) *mockidp.Key {
	algorithm := t.Cheap(t.IdP).Algorithm
	key, err := mockidp.NewKey(jose.SignatureAlgorithm(algorithm))
	server.MustControl(t, err)
	return underKid(key, rand.Text())
}

// underKid is the key under another kid.
func underKid(key *mockidp.Key, kid string) *mockidp.Key {
	other := *key
	other.KeyID = kid
	return &other
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

// published is a key as it stands in a key set, with these members beside its own, or instead of them; nil leaves one
// out.
func published(t *server.T, key *mockidp.Key, members map[string]any) map[string]any {
	raw, err := key.Public().MarshalJSON()
	server.MustControl(t, err)
	var jwk map[string]any
	server.MustControl(t, json.Unmarshal(raw, &jwk))
	for name, value := range members {
		if jwk[name] = value; value == nil {
			delete(jwk, name)
		}
	}
	return jwk
}

func plainly(t *server.T, keys []*mockidp.Key) (list []map[string]any) {
	for _, key := range keys {
		list = append(list, published(t, key, nil))
	}
	return list
}

// keySet is the answer of a JWKS endpoint with these keys. They may not be cached, so that a target which keeps to that
// asks for them again with the next request.
func keySet(keys []map[string]any) mockidp.Reply {
	return mockidp.Reply{
		Header: map[string]string{"Content-Type": "application/json", "Cache-Control": "max-age=0, must-revalidate"},
		Body:   string(server.JSONOf(map[string]any{"keys": keys})),
	}
}

// show has the JWKS endpoint answer with this from now on.
func show(t *server.T, r mockidp.Reply) {
	server.MustControl(t, t.World.Control.SetAnswer(t, t.IdPName, mockidp.EndpointKeys, r))
}

// spoil has the JWKS endpoint answer with this until the check is over.
func spoil(t *server.T, r mockidp.Reply) {
	restore(t)
	show(t, r)
}

// spoilMetadata has the IdP answer with this when it is asked for its metadata, until the check is over.
func spoilMetadata(t *server.T, r mockidp.Reply) {
	restore(t)
	server.MustControl(t, t.World.Control.SetAnswer(t, t.IdPName, mockidp.EndpointDiscovery, r))
}

// publishAlso has the IdP publish these keys beside its own until the check is over.
func publishAlso(t *server.T, keys ...map[string]any) {
	spoil(t, keySet(append(plainly(t, own(t)), keys...)))
}

// restore has the IdP publish its own keys again when the check is over.
func restore(t *server.T) {
	t.DeferCleanup(func(ctx context.Context) {
		if err := t.World.Control.Restore(ctx, t.IdPName); err != nil {
			t.Doubtf("our own error: the identity provider's keys could not be restored: %v", err)
		}
	})
}

// fetches counts the requests for the IdP's keys.
func fetches(t *server.T) int { return requests(t, mockidp.EndpointKeys) }

// requests is how often an endpoint of the IdP has been asked.
func requests(t *server.T, endpoint string) int {
	n, err := t.World.Control.Requests(t, t.IdPName, endpoint)
	server.MustControl(t, err)
	return n
}

// unknown is an ID-JAG by a stranger's key under a kid that nobody has seen: many targets ask for the keys then.
func unknown(t *server.T) *server.Token {
	return t.Grant(server.SignedBy(t.Attacker), server.SetHeader("kid", rand.Text()))
}

// mustRefuse presents an attack, which must be refused.
func mustRefuse[A any](t *server.T, attack func() A) { mustBeRefused(t, t.Attack(attack()), attack) }

// mustBeRefused judges the answer to an attack. One that was granted is presented once more, afresh: what was granted
// twice is proved, and need not wait for another fetch.
func mustBeRefused[A any](t *server.T, a *wire.Answer, attack func() A) {
	if server.Granted(a) && server.Granted(t.Attack(attack())) {
		t.Proven()
	}
	server.ExpectRefused(t, a)
}

// until attacks until the target has gone for the keys.
func until[A any](t *server.T, attack func() A) { untilAsked(t, fetches, attack) }

// untilAsked attacks until the target has asked, which count shows, so that the last answer is that of a target that
// met what there is now. Each attack must be refused.
func untilAsked[A any](t *server.T, count func(*server.T) int, attack func() A) {
	before := count(t)
	gone := eventually(t, "the IdP's keys", func() bool {
		mustRefuse(t, attack)
		return count(t) > before
	})
	if !gone {
		unasked(t)
	}
}

// unasked ends a check of a target that did not ask for the keys.
func unasked(t *server.T) {
	t.Inconclusivef("the target did not ask for the IdP's keys within %s, though it was sent key ids new to it: "+
		"raise timing.jwks_patience if it waits longer between two fetches", t.Config.Timing.JWKSPatience)
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
