package mockidp

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// DefaultMaxAge is how long clients may cache the JWKS unless SetMaxAge says otherwise: not for long, so that who keeps
// to it sees a change of keys while a test waits for it.
const DefaultMaxAge = 30 * time.Second

// keyring is the keys of one authorization server: those it signs with and what it publishes, which are the same unless
// a test says otherwise. Keys that were not given are made at their first use, for RSA keys take a while.
type keyring struct {
	making    sync.Mutex // held while keys are made, which takes a while: what needs none of them goes on
	make      func() (*KeySet, error)
	mu        sync.RWMutex
	keys      *KeySet            // never changed in place: replaced
	prepared  *Key               // published, not yet used
	ahead     bool               // there is always a prepared one once the first is there
	retired   map[*Key]time.Time // until when keys that were used stay published
	published json.RawMessage    // "" is the keys themselves
	maxAge    time.Duration
}

func newKeyring(given *KeySet, make func() (*KeySet, error)) *keyring {
	k := &keyring{maxAge: DefaultMaxAge, make: make, retired: map[*Key]time.Time{}}
	if given != nil {
		k.keys = &KeySet{Keys: slices.Clone(given.Keys)}
	}
	return k
}

// set is the keys in force.
func (k *keyring) set() *KeySet {
	if keys := k.made(); keys != nil {
		return keys
	}
	k.making.Lock()
	defer k.making.Unlock()
	if keys := k.made(); keys != nil {
		return keys
	}
	keys, err := k.make()
	if err != nil {
		panic(err) // only an algorithm that is none fails, and options are checked
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = keys
	return keys
}

// made is the keys in force, nil while there are none.
func (k *keyring) made() *KeySet {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.keys
}

// prepare publishes a new key before it is used.
func (k *keyring) prepare(next *Key) {
	k.set()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.prepared = next
}

// offer prepares a key unless there is a prepared one.
func (k *keyring) offer(next *Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.prepared == nil {
		k.prepared = next
	}
}

// next is the prepared key, nil when there is none.
func (k *keyring) next() *Key {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.prepared
}

// rotate signs with another key from now on: the prepared one, whose place fresh takes when there is always to be one, else
// fresh itself. The old ones stay published until the tokens that they signed have expired, after keep, unless withdraw.
func (k *keyring) rotate(fresh *Key, withdraw bool, now time.Time, keep time.Duration) *Key {
	k.set()
	k.mu.Lock()
	defer k.mu.Unlock()
	next := fresh
	if k.prepared != nil {
		if next, k.prepared = k.prepared, nil; k.ahead {
			k.prepared = fresh
		}
	}
	keys := []*Key{next}
	k.retired[k.keys.Signing()] = now.Add(keep)
	for _, old := range k.keys.Keys {
		if until, retired := k.retired[old]; !withdraw && (!retired || now.Before(until)) {
			keys = append(keys, old)
		} else {
			delete(k.retired, old)
		}
	}
	k.keys = &KeySet{Keys: keys}
	return next
}

func (k *keyring) publish(set json.RawMessage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.published = set
}

func (k *keyring) setMaxAge(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.maxAge = d
}

// restore publishes the keys in force again.
func (k *keyring) restore() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.published, k.maxAge = nil, DefaultMaxAge
}

func (k *keyring) serve(c *call) {
	set := k.set().Public()
	k.mu.RLock()
	defer k.mu.RUnlock()
	c.w.Header().Set("Cache-Control", cacheFor(k.maxAge))
	c.seen.Status = http.StatusOK
	if k.published != nil {
		writeRaw(c.w, http.StatusOK, k.published)
		return
	}
	if k.prepared != nil {
		set.Keys = append(set.Keys, k.prepared.Public())
	}
	writeJSON(c.w, http.StatusOK, set)
}

// find is the public key of a kid.
func (k *keyring) find(kid string) *jose.JSONWebKey {
	for _, key := range k.set().Keys {
		if key.KeyID == kid {
			public := key.Public()
			return &public
		}
	}
	return nil
}

// algorithm is that of the key in use; keys that are still to be made are for otherwise.
func (k *keyring) algorithm(otherwise jose.SignatureAlgorithm) jose.SignatureAlgorithm {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.keys == nil {
		return otherwise
	}
	return jose.SignatureAlgorithm(k.keys.Signing().Algorithm)
}
