package mint

import (
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// DefaultMaxAge is how long clients may cache the JWKS unless SetMaxAge says otherwise: not for long, so that who keeps
// to it sees a change of keys while a test waits for it.
const DefaultMaxAge = 30 * time.Second

// Ring is the keys of one authorization server: those it signs with and what it publishes, which are the same unless
// a test says otherwise. Keys that were not given are made at their first use, for RSA keys take a while.
type Ring struct {
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

// NewRing makes a ring of given keys, or of those that make makes when it is nil. With ahead there is always a prepared
// key once the first is there.
func NewRing(given *KeySet, ahead bool, make func() (*KeySet, error)) *Ring {
	k := &Ring{ahead: ahead, maxAge: DefaultMaxAge, make: make, retired: map[*Key]time.Time{}}
	if given != nil {
		k.keys = &KeySet{Keys: slices.Clone(given.Keys)}
	}
	return k
}

// Set is the keys in force.
func (k *Ring) Set() *KeySet {
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
func (k *Ring) made() *KeySet {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.keys
}

// Prepare publishes a new key before it is used.
func (k *Ring) Prepare(next *Key) {
	k.Set()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.prepared = next
}

// Offer prepares a key unless there is a prepared one.
func (k *Ring) Offer(next *Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.prepared == nil {
		k.prepared = next
	}
}

// Next is the prepared key, nil when there is none.
func (k *Ring) Next() *Key {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.prepared
}

// Rotate signs with another key from now on: the prepared one, whose place fresh takes when there is always to be one,
// else fresh itself. The old ones stay published until the tokens that they signed have expired, after keep, unless
// withdraw.
func (k *Ring) Rotate(fresh *Key, withdraw bool, now time.Time, keep time.Duration) *Key {
	k.Set()
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

// Publish publishes this set, which is a JWK set as JSON, in place of the keys until Restore.
func (k *Ring) Publish(set json.RawMessage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.published = set
}

// SetMaxAge sets for how long the set may be cached, until Restore.
func (k *Ring) SetMaxAge(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.maxAge = d
}

// Restore publishes the keys in force again.
func (k *Ring) Restore() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.published, k.maxAge = nil, DefaultMaxAge
}

// JWKS is what is published now, and for how long it may be cached.
func (k *Ring) JWKS() (set any, maxAge time.Duration) {
	public := k.Set().Public()
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.published != nil {
		return k.published, k.maxAge
	}
	if k.prepared != nil {
		public.Keys = append(public.Keys, k.prepared.Public())
	}
	return public, k.maxAge
}

// Find is the public key of a kid.
func (k *Ring) Find(kid string) *jose.JSONWebKey {
	for _, key := range k.Set().Keys {
		if key.KeyID == kid {
			public := key.Public()
			return &public
		}
	}
	return nil
}

// Algorithm is that of the key in use; keys that are still to be made are for otherwise.
func (k *Ring) Algorithm(otherwise jose.SignatureAlgorithm) jose.SignatureAlgorithm {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.keys == nil {
		return otherwise
	}
	return jose.SignatureAlgorithm(k.keys.Signing().Algorithm)
}

// Ahead reports whether there is to be a prepared key always.
func (k *Ring) Ahead() bool { return k.ahead }
