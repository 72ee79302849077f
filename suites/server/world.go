// Package server is the world of a server under test, the Resource Authorization Server and the MCP server, and the
// vocabulary in which their checks are written.
package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports/redact"
	"github.com/emaconform/emaconform/suites/beside"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// Names of the identity providers at the control API.
const (
	FirstIdP  = "idp"
	SecondIdP = "second"
)

// World is everything a check can act on: the parties that we play, the target, and what is known about it.
type World struct {
	check.Conditions

	Config *target.Config
	Target *target.Discovered
	// Inbound reports whether the target can fetch keys from us, so that changes to the JWKS reach it.
	Inbound bool

	IdP         *mockidp.Issuer // the trusted issuer; the parent process serves it with the same keys
	IdPName     string          // its name at the control API
	SecondIdP   *mockidp.Issuer // another trusted issuer, or nil
	DisabledIdP *mockidp.Issuer // one that is trusted no more, or nil
	Attacker    *mockidp.Key    // a key that nobody trusts; the canary's JWKS publishes it
	Canary      string          // base URL of the attacker's host, "" when there is none
	Documents   string          // the same host where clients' metadata documents are served: by https where there is a CA
	Control     *mockidp.Control
	// asks the upstream service that we play; see Upstream
	Upstreams func(ctx context.Context, text string) (Upstream, error)

	Wire    *wire.Client
	Secrets *redact.Set // of the run: what no output may show

	// Prover is the key of which honest requests carry DPoP proofs, nil where the target wants none.
	Prover *Prover

	// Await waits until the target answers again, after it did not; nil: nobody waits. An error says that it is gone.
	Await func(context.Context) error

	// Seed is that of the run, which the report names: whatever is drawn is drawn by it.
	Seed uint64

	// Say tells the user what is waited for; nil: nobody hears it.
	Say func(string)

	// Skew is how far the target's clock is ahead of ours; honest tokens are dated by it.
	Skew time.Duration

	known *known // what checks found out about the target, for all of them
}

// known is what is found out once, by the first check that needs it.
type known struct {
	asking    sync.Mutex // held while the revisions are found out
	revisions *Revisions
	controls  beside.Controls
	choosing  sync.Mutex                       // held while the key to sign with is found out
	cheap     map[*mockidp.Issuer]*mockidp.Key // to sign with; see Cheap
	shared    map[string]any
	naming    sync.Mutex // held while the target's own name of an account is found out
	account   string     // "" before

	mu    sync.Mutex
	bound map[string]bool // access tokens that are bound to our key
}

// Shared returns what the checks of a course share under this name, made by the first that asks for it.
func Shared[V any](w *World, name string, make func() V) V {
	if w.known.shared == nil {
		w.known.shared = map[string]any{}
	}
	v, ok := w.known.shared[name].(V)
	if !ok {
		v = make()
		w.known.shared[name] = v
	}
	return v
}

// Settle undoes what the checks of a course did to the identity provider, and forgets what they shared.
func (w *World) Settle(ctx context.Context) {
	if w.known.shared == nil {
		return
	}
	w.known.shared = nil
	if err := w.Control.Restore(ctx, w.IdPName); err != nil && w.Say != nil {
		w.Say(fmt.Sprintf("our own error: the identity provider's keys could not be restored: %v", err))
	}
}

// Ready makes a world fit for use by checks, after its members are set.
func (w *World) Ready() *World {
	w.known = &known{cheap: map[*mockidp.Issuer]*mockidp.Key{}}
	return w
}

// Now is the time on the target's clock.
func (w *World) Now() time.Time { return time.Now().Add(w.Skew) }

// Swapped is the world in which the second identity provider, which must be there, takes the first one's place.
func (w *World) Swapped() *World {
	other, config := *w, *w.Config
	first := config.IdP
	first.Users = config.Users
	config.IdP, config.Users, config.SecondIdP = *w.Config.SecondIdP, w.Config.SecondIdP.Users, &first
	other.Config, other.IdP, other.SecondIdP = &config, w.SecondIdP, w.IdP
	other.IdPName = SecondIdP
	return other.Ready()
}

// Client is the registered client number n, counted from 0.
func (w *World) Client(n int) *target.Client {
	if n < len(w.Config.Clients) {
		return &w.Config.Clients[n]
	}
	return nil
}

// DPoPClient is a client that the RAS serves only with DPoP proofs, nil when none is known.
func (w *World) DPoPClient() *target.Client {
	if w.Config.DPoP {
		return w.Client(0)
	}
	return w.Config.DPoPClient
}

// Alice is the user that honest grants are for.
func (w *World) Alice() target.User { return w.Config.Users[0] }

// Bob is the second user; checks that use him declare NeedsSecondUser.
func (w *World) Bob() target.User { return w.Config.Users[1] }

// Issuer is the RAS's issuer identifier: the audience of an honest ID-JAG.
func (w *World) Issuer() string { return w.Target.Issuer }

// Resource is the MCP server's resource identifier.
func (w *World) Resource() string { return w.Target.Resource }

// Need says what a check of a server needs: key is the setting, or the metadata member, that would give it, and why
// completes "skipped: …" where ok says no.
func Need(key, why string, ok func(*World) bool) check.Need {
	return check.Need{Key: key, Missing: func(world any) string {
		if ok(world.(*World)) {
			return ""
		}
		return why
	}}
}

// What checks may need.
var (
	NeedsSecondClient = Need("clients (2nd)", "needs a second client registered with the RAS",
		func(w *World) bool { return len(w.Config.Clients) > 1 })
	NeedsSecondUser = Need("users (2nd)", "needs a second user",
		func(w *World) bool { return len(w.Config.Users) > 1 })
	NeedsSecondIdP = Need("second_idp", "needs a second trusted IdP",
		func(w *World) bool { return w.SecondIdP != nil && len(w.Config.SecondIdP.Users) > 0 })
	NeedsSecondServer = Need("second_server", "needs a second MCP server of the same RAS",
		func(w *World) bool { return w.Config.SecondServer != "" })
	NeedsPublicClient = Need("public_client", "needs a client registered without credentials",
		func(w *World) bool { return w.Config.PublicClient != "" || w.clientBy(target.NoAuthentication) != nil })
	NeedsScope = Need("scopes", "needs a scope",
		func(w *World) bool { return len(w.Config.Scopes) > 0 })
	NeedsTwoScopes = Need("scopes (2nd)", "needs two scopes",
		func(w *World) bool { return len(w.Config.Scopes) > 1 })
	NeedsForbiddenScope = Need("forbidden_scope", "needs a scope that the RAS knows but does not allow to the client",
		func(w *World) bool { return w.Config.ForbiddenScope != "" })
	NeedsScopedTool = Need("scoped_tool", "needs a tool that requires a scope",
		func(w *World) bool { return w.Config.ScopedTool != nil })
	NeedsInbound = Need("idp.listen", "needs a target that fetches keys from us",
		func(w *World) bool { return w.Inbound })
	NeedsCanary = Need("idp.listen", "needs a target that can reach us",
		func(w *World) bool { return w.Canary != "" })
	NeedsTenant = Need("idp.tenant", "needs an issuer that the target knows as multi-tenant",
		func(w *World) bool {
			return w.Config.IdP.Tenant != "" || w.Config.SecondIdP != nil && w.Config.SecondIdP.Tenant != ""
		})
	NeedsSubID = Need("second_idp.users[].sub_id", "needs two users of the second IdP that the target knows by "+
		"their SAML names",
		func(w *World) bool {
			return w.SecondIdP != nil && len(w.Config.SecondIdP.Users) > 1 && w.Config.SecondIdP.Users[0].SubID != nil &&
				w.Config.SecondIdP.Users[1].SubID != nil
		})
	NeedsEmail = Need("users[].email", "needs users with an e-mail address",
		func(w *World) bool { return w.Alice().Email != "" })
	NeedsLinkableEmail = Need("linkable_email", "needs the e-mail address of an account that the IdP may link and names "+
		"by no sub yet",
		func(w *World) bool { return w.Config.LinkableEmail != "" })
	NeedsSharedEmail = Need("shared_email", "needs an e-mail address that two such accounts share",
		func(w *World) bool { return w.Config.SharedEmail != "" })
	NeedsEmailDomains = Need("idp.email_domains", "needs the domains for which the target takes the IdP's word",
		func(w *World) bool { return len(w.Config.IdP.EmailDomains) > 0 })
	NeedsCIMD = Need("cimd", "needs a RAS that takes Client ID Metadata Documents",
		func(w *World) bool { return w.Config.CIMD && w.Canary != "" })
	NeedsRAR = Need("rar", "needs an authorization_details type that the RAS grants",
		func(w *World) bool { return w.Config.RAR != nil })
	NeedsJWE = Need("jwe", "needs a RAS that takes encrypted ID-JAGs",
		func(w *World) bool { return w.Config.JWE })
	NeedsRevokedClient = Need("revoked_client", "needs a client whose credentials were withdrawn",
		func(w *World) bool { return w.Config.RevokedClient != nil })
	NeedsDisabledUser = Need("disabled_user", "needs a user whose account the target has switched off",
		func(w *World) bool { return w.Config.DisabledUser != nil })
	NeedsWhoami = Need("whoami_tool", "needs a tool that tells who is calling",
		func(w *World) bool { return w.Config.WhoamiTool != "" })
	NeedsDisabledIdP = Need("disabled_idp", "needs an identity provider that the target trusts no more",
		func(w *World) bool { return w.DisabledIdP != nil })
	NeedsDPoPClient = Need("dpop_client", "needs a client of which the RAS wants DPoP proofs, or a RAS that wants them "+
		"of all (dpop)",
		func(w *World) bool { return w.DPoPClient() != nil })
	NeedsUpstream = Need("upstream", "needs an upstream service of ours that the MCP server asks",
		func(w *World) bool { return w.Config.Upstream != nil })
	NeedsBearer = Need("dpop", "judges bearer tokens, and those of this target are bound to a key",
		func(w *World) bool { return !w.Config.DPoP })
	NeedsLog = Need("log_file", "needs the target's log",
		func(w *World) bool { return w.Config.LogFile != "" })
)

// NeedsEndpoint is for checks of an optional endpoint of the RAS, named by its metadata member.
func NeedsEndpoint(member string) check.Need {
	return Need(member, "the RAS does not offer it", func(w *World) bool { return w.Target.Endpoint(member) != "" })
}

// NeedsMetadata is for checks of a feature that the RAS announces by any metadata member of this name.
func NeedsMetadata(member string) check.Need {
	return Need(member, "the RAS does not announce it", func(w *World) bool {
		return w.Target.ServerMetadata[member] != nil
	})
}

// NeedsGrantType is for checks of a grant type that the RAS lists in its metadata.
func NeedsGrantType(grant string) check.Need {
	return Need("grant_types_supported: "+grant, "the RAS does not list it", func(w *World) bool {
		return w.Target.Lists("grant_types_supported", grant)
	})
}

// NeedsClientAuth is for checks of one client authentication method.
func NeedsClientAuth(method string) check.Need {
	return Need("clients[].auth: "+method, "needs a client that authenticates by "+method,
		func(w *World) bool { return w.clientBy(method) != nil })
}

func (w *World) clientBy(method string) *target.Client {
	for n := range w.Config.Clients {
		if w.Config.Clients[n].Auth == method {
			return &w.Config.Clients[n]
		}
	}
	return nil
}

// ClientBy returns the first client that authenticates by this method; checks that use it declare NeedsClientAuth.
func (w *World) ClientBy(method string) *target.Client { return w.clientBy(method) }
