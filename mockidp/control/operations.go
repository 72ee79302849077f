package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/fault"
	"github.com/emaconform/emaconform/mockidp/idp"
	"github.com/emaconform/emaconform/mockidp/mint"
	"github.com/emaconform/emaconform/mockidp/observe"
)

// operations is the control API.
func operations() []operation {
	return slices.Concat(directoryOperations(), tokenOperations(), behaviourOperations(), logOperations())
}

func directoryOperations() []operation {
	return slices.Concat([]operation{
		op(http.MethodGet, "/directory", "Everything that the identity provider knows",
			func(p *idp.IdP, _ arguments, _ none) (directory.Directory, error) { return *p.Directory(), nil }),
		op(http.MethodPut, "/directory", "Replace everything that the identity provider knows; sessions are kept",
			func(p *idp.IdP, _ arguments, d directory.Directory) (none, error) { return none{}, p.Replace(&d) }),
		op(http.MethodPut, "/policies", "Replace the policies, in their order of evaluation",
			func(p *idp.IdP, _ arguments, list []directory.Policy) (none, error) {
				return none{}, p.Update(func(d *directory.Directory) error { d.Policies = list; return nil })
			}),
		op(http.MethodPut, "/users/{key}/status", "Activate, suspend or deactivate a user: anything but active ends "+
			"their sessions and tokens",
			func(p *idp.IdP, a arguments, in userStatus) (none, error) {
				return none{}, p.SetStatus(a.key(), in.Status)
			}),
		op(http.MethodDelete, "/users/{key}/sessions", "End every session and token of a user",
			func(p *idp.IdP, a arguments, _ none) (none, error) { return none{}, p.EndSessions(a.key()) }),
	},
		crud("user", "/users", func(d *directory.Directory) *[]directory.User { return &d.Users },
			func(u *directory.User, key string) bool { return strings.EqualFold(u.Login, key) }, "by login"),
		crud("client", "/clients", func(d *directory.Directory) *[]directory.Client { return &d.Clients },
			func(k *directory.Client, key string) bool { return k.ID == key }, "by id"),
		crud("connector", "/connectors", func(d *directory.Directory) *[]directory.Connector { return &d.Connectors },
			func(r *directory.Connector, key string) bool { return r.ID == key }, "by id"),
		crud("connection", "/connections", func(d *directory.Directory) *[]directory.Connection { return &d.Connections },
			func(k *directory.Connection, key string) bool { return k.Client+"~"+k.Connector == key }, "by client~connector"),
	)
}

type userStatus struct {
	Status directory.Status `json:"status"`
}

// crud is the operations on one list of the directory.
func crud[T any](kind, path string, list func(*directory.Directory) *[]T, is func(*T, string) bool,
	by string) []operation {
	index := func(d *directory.Directory, key string) int {
		return slices.IndexFunc(*list(d), func(x T) bool { return is(&x, key) })
	}
	return []operation{
		op(http.MethodGet, path, "Every "+kind, func(p *idp.IdP, _ arguments, _ none) ([]T, error) {
			return append([]T{}, *list(p.Directory())...), nil
		}),
		op(http.MethodPost, path, "Add a "+kind, func(p *idp.IdP, _ arguments, x T) (none, error) {
			return none{}, p.Update(func(d *directory.Directory) error { *list(d) = append(*list(d), x); return nil })
		}),
		op(http.MethodGet, path+"/{key}", "A "+kind+", "+by, func(p *idp.IdP, a arguments, _ none) (out T, err error) {
			i := index(p.Directory(), a.key())
			if i < 0 {
				return out, idp.Missing(kind, a.key())
			}
			return (*list(p.Directory()))[i], nil
		}),
		op(http.MethodPut, path+"/{key}", "Replace a "+kind+", "+by, func(p *idp.IdP, a arguments, x T) (none, error) {
			return none{}, p.Update(func(d *directory.Directory) error {
				i := index(d, a.key())
				if i < 0 {
					return idp.Missing(kind, a.key())
				}
				(*list(d))[i] = x
				return nil
			})
		}),
		op(http.MethodDelete, path+"/{key}", "Remove a "+kind+", "+by, func(p *idp.IdP, a arguments, _ none) (none, error) {
			return none{}, p.Update(func(d *directory.Directory) error {
				i := index(d, a.key())
				if i < 0 {
					return idp.Missing(kind, a.key())
				}
				*list(d) = slices.Delete(*list(d), i, i+1)
				return nil
			})
		}),
	}
}

func tokenOperations() []operation {
	return []operation{
		op(http.MethodPost, "/tokens", "Mint any token or SAML response: an honest one when it is for a user and a "+
			"client, changed as you like",
			mintAny),
		op(http.MethodPost, "/edits", "Change the next tokens before they are signed, or every one",
			func(p *idp.IdP, _ arguments, e mint.Edit) (none, error) { return none{}, p.Edit(e) }),
		op(http.MethodGet, "/edits", "The changes in force",
			func(p *idp.IdP, _ arguments, _ none) ([]mint.Edit, error) {
				return append([]mint.Edit{}, p.Edits()...), nil
			}),
		op(http.MethodDelete, "/edits", "Drop every change",
			func(p *idp.IdP, _ arguments, _ none) (none, error) { p.ClearEdits(); return none{}, nil }),
		op(http.MethodPost, "/keys/prepare", "Publish a new key that is not used yet",
			func(p *idp.IdP, _ arguments, _ none) (keyID, error) { return idOf(p.PrepareKey()) }),
		op(http.MethodPost, "/keys/rotate", "Sign with another key from now on: the prepared one, else a new one",
			func(p *idp.IdP, _ arguments, in rotation) (keyID, error) { return idOf(p.RotateKeys(in.Withdraw)) }),
		op(http.MethodPut, "/jwks", "Publish these keys from now on; what is signed with stays", putJWKS),
		op(http.MethodPut, "/jwks/max-age", "For how long the keys may be cached",
			func(p *idp.IdP, _ arguments, in maxAge) (none, error) {
				if in.Seconds < 0 {
					return none{}, fmt.Errorf("seconds %d: expected 0 or more", in.Seconds)
				}
				p.SetMaxAge(time.Duration(in.Seconds) * time.Second)
				return none{}, nil
			}),
	}
}

type (
	maxAge struct {
		Seconds int `json:"seconds"`
	}
	keyID struct {
		KeyID string `json:"kid"`
	}
	rotation struct {
		Withdraw bool `json:"withdraw,omitempty"` // the old keys leave the JWKS at once
	}
	publishedKeys struct {
		Keys []json.RawMessage `json:"keys"`
	}
)

func idOf(k *mint.Key, err error) (keyID, error) {
	if err != nil {
		return keyID{}, err
	}
	return keyID{k.KeyID}, nil
}

func putJWKS(p *idp.IdP, _ arguments, set publishedKeys) (none, error) {
	raw, err := json.Marshal(set)
	if err == nil {
		p.PublishKeys(raw)
	}
	return none{}, err
}

func behaviourOperations() []operation {
	return []operation{
		op(http.MethodPost, "/faults", "Spoil the answers of an endpoint, for a number of requests or until it is cleared",
			func(p *idp.IdP, _ arguments, f fault.Fault) (none, error) { return none{}, p.Fault(f) }),
		op(http.MethodGet, "/faults", "The faults in force",
			func(p *idp.IdP, _ arguments, _ none) ([]fault.Fault, error) {
				return append([]fault.Fault{}, p.Faults()...), nil
			}),
		op(http.MethodDelete, "/faults", "Clear the faults of one endpoint, or all",
			func(p *idp.IdP, a arguments, _ none) (none, error) {
				p.ClearFaults(a.query("endpoint"))
				return none{}, nil
			}, "endpoint"),
		op(http.MethodGet, "/clock", "The identity provider's time",
			func(p *idp.IdP, _ arguments, _ none) (clockTime, error) { return clockTime{p.Now()}, nil }),
		op(http.MethodPut, "/clock", "Make it this time, from where the clock goes on",
			func(p *idp.IdP, _ arguments, in clockTime) (none, error) { p.SetClock(in.Time); return none{}, nil }),
		op(http.MethodPost, "/clock/advance", "Move the clock, back when by is negative",
			func(p *idp.IdP, _ arguments, in advance) (none, error) {
				d, err := time.ParseDuration(in.By)
				if err != nil {
					return none{}, fmt.Errorf(`by %q: expected a duration such as "5m" or "-30s"`, in.By)
				}
				p.Advance(d)
				return none{}, nil
			}),
		op(http.MethodPost, "/restore", "Publish the keys in use again, and clear every fault",
			func(p *idp.IdP, _ arguments, _ none) (none, error) { p.Restore(); return none{}, nil }),
		op(http.MethodPost, "/reset", "Back to how it was started: directory, sessions, tokens, faults, changes, "+
			"clock and logs; the keys stay",
			func(p *idp.IdP, _ arguments, _ none) (none, error) { return none{}, p.Reset() }),
	}
}

type (
	clockTime struct {
		Time time.Time `json:"time"`
	}
	advance struct {
		By string `json:"by"`
	}
)

func logOperations() []operation {
	return []operation{
		op(http.MethodGet, "/counts", "How often each endpoint was asked",
			func(p *idp.IdP, _ arguments, _ none) (map[string]int, error) {
				counts := map[string]int{}
				for _, name := range fault.Endpoints() {
					counts[name] = p.Requests(name)
				}
				return counts, nil
			}),
		op(http.MethodGet, "/unknown", "Requests to paths where nothing is, and the last one",
			func(p *idp.IdP, _ arguments, _ none) (observe.Unknown, error) { return p.Unknown(), nil }),
		op(http.MethodGet, "/dropped", "What was not kept, or turned away, because there was too much of it",
			func(p *idp.IdP, _ arguments, _ none) (idp.Dropped, error) { return p.Dropped(), nil }),
		op(http.MethodGet, "/sizes", "How many sessions, codes, grants, access tokens and identifiers are remembered",
			func(p *idp.IdP, _ arguments, _ none) (map[string]int, error) { return p.Sizes(), nil }),
		op(http.MethodGet, "/audit", "The audit log; after says how many entries to leave out",
			func(p *idp.IdP, a arguments, _ none) (auditEntries, error) {
				after, err := strconv.ParseUint("0"+a.query("after"), 10, 64)
				if err != nil {
					return auditEntries{}, fmt.Errorf("after: expected a number")
				}
				entries, total := p.Audit().After(after)
				return auditEntries{append([]audit.Entry{}, entries...), total}, nil
			}, "after"),
		op(http.MethodGet, "/exchanges", "The last requests and answers, without secrets",
			func(p *idp.IdP, _ arguments, _ none) ([]observe.Exchange, error) {
				return append([]observe.Exchange{}, p.Exchanges()...), nil
			}),
	}
}

type auditEntries struct {
	Entries []audit.Entry `json:"entries"`
	Total   uint64        `json:"total"`
}
