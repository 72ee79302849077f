// Package world is the world of an identity provider under test, and the vocabulary in which its checks are written.
package world

import (
	"context"
	"sync"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/beside"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/signin"
	"github.com/emaconform/emaconform/suites/wire"
)

// World is everything that a check can act on.
type World struct {
	check.Conditions

	Config   *config.Config
	Provider *Provider
	Desk     *signin.Desk // everybody's tokens
	Keys     *Keys        // the published key set
	Stranger *mockidp.Key // a key that nobody publishes
	Facts    *Facts
	Seasons  *Seasons // what is done to the identity provider once for many checks
	Wire     *wire.Client
	Skew     time.Duration    // how far the provider's clock is ahead of ours
	Secrets  *redact.Set      // what must never be shown
	Controls *beside.Controls // honest exchanges that attacks stand between

	// Await waits until the identity provider answers again; nil: nobody waits. An error says that it is gone.
	Await func(context.Context) error
}

// Facts are what is found out once in a run. The zero value is ready.
type Facts struct {
	mu    sync.Mutex
	known map[string]string
}

// Find is the fact of this name; find finds it out, for the first one who asks. It may end the check.
func (f *Facts) Find(name string, find func() string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fact, ok := f.known[name]; ok {
		return fact
	}
	fact := find()
	if f.known == nil {
		f.known = map[string]string{}
	}
	f.known[name] = fact
	return fact
}

// Now is the time on the identity provider's clock.
func (w *World) Now() time.Time { return time.Now().Add(w.Skew) }

// Alice is the user of honest exchanges, A the client that makes them, Notes the target that they are for.
func (w *World) Alice() *config.User { return &w.Config.Users[0] }

// A is the first client.
func (w *World) A() *config.Client { return &w.Config.Clients[0] }

// Notes is the first target.
func (w *World) Notes() *config.Target { return &w.Config.Targets[0] }

// Other is the second target; checks that use it declare NeedsTwoTargets.
func (w *World) Other() *config.Target { return &w.Config.Targets[1] }

// Bob is another user who may use the first target, or nil.
func (w *World) Bob() *config.User {
	return w.user(1, func(u *config.User) bool { return !u.Unassigned && !u.Leaver })
}

// Outsider is a user who can sign in and may not use the first target, or nil.
func (w *World) Outsider() *config.User {
	return w.user(0, func(u *config.User) bool { return u.Unassigned })
}

// Leaver is the user whom hooks deactivate, or nil.
func (w *World) Leaver() *config.User {
	return w.user(0, func(u *config.User) bool { return u.Leaver })
}

func (w *World) user(from int, fits func(*config.User) bool) *config.User {
	for n := from; n < len(w.Config.Users); n++ {
		if u := &w.Config.Users[n]; fits(u) {
			return u
		}
	}
	return nil
}

// B is another client that is connected to the first target, or nil.
func (w *World) B() *config.Client {
	return w.client(func(k *config.Client) bool {
		return k != w.A() && !k.Unconnected && k.ID != w.Config.RateClient && k.ID != w.Config.ShortLived
	})
}

// Loner is a client that people sign in to and that is connected to nothing, or nil.
func (w *World) Loner() *config.Client {
	return w.client(func(k *config.Client) bool { return k.Unconnected })
}

// ClientBy is the first client that authenticates by this method, or nil.
func (w *World) ClientBy(method string) *config.Client {
	return w.client(func(k *config.Client) bool {
		return k.Auth == method && !k.Unconnected && k.ID != w.Config.RateClient
	})
}

func (w *World) client(fits func(*config.Client) bool) *config.Client {
	for n := range w.Config.Clients {
		if k := &w.Config.Clients[n]; fits(k) {
			return k
		}
	}
	return nil
}
