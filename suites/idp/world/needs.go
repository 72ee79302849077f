package world

import (
	"slices"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/signin"
)

// Need says what a check of an identity provider needs: key is the setting, or the metadata member, that would give it,
// and why completes "skipped: …" where ok says no.
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
	NeedsB = Need("clients", "needs a second client that is connected to the first target",
		func(w *World) bool { return w.B() != nil })
	NeedsLoner = Need("clients[].unconnected", "needs a client that people sign in to and that is connected to no target",
		func(w *World) bool { return w.Loner() != nil })
	NeedsBob = Need("users", "needs a second user who may use the first target",
		func(w *World) bool { return w.Bob() != nil })
	NeedsOutsider = Need("users[].unassigned", "needs a user who can sign in and may not use the first target",
		func(w *World) bool { return w.Outsider() != nil })
	NeedsTwoTargets = Need("targets", "needs a second resource authorization server",
		func(w *World) bool { return len(w.Config.Targets) > 1 && w.Config.Targets[1].Resource != "" })
	NeedsResource = Need("exchange.resource", "needs an identity provider that is told the resource, and a "+
		"target with one",
		func(w *World) bool { return w.Config.Exchange.Resource != "never" && w.Notes().Resource != "" })
	NeedsSecondResource = Need("targets[0].second_resource", "needs a second resource of the first target",
		func(w *World) bool { return w.Notes().SecondResource != "" })
	NeedsScope = Need("targets[0].scopes", "needs a scope",
		func(w *World) bool { return len(w.Notes().Scopes) > 0 })
	NeedsTwoScopes = Need("targets[0].scopes", "needs two scopes",
		func(w *World) bool { return len(w.Notes().Scopes) > 1 })
	NeedsForbiddenScope = Need("targets[0].forbidden_scope", "needs a scope of the target that the client may not have",
		func(w *World) bool { return w.Notes().ForbiddenScope != "" })
	NeedsRefresh = Need("users[].sign_in", "needs a sign-in that yields a refresh token (scope offline_access)",
		func(w *World) bool { return w.Provider.Refreshes })
	NeedsFreshRefresh = Need("users[].sign_in", "needs a sign-in by command or form, which can be repeated, and "+
		"yields a refresh token",
		func(w *World) bool { return w.Provider.Refreshes && signin.Repeatable(w.Alice()) })
	NeedsIDToken = Need("exchange.subject_token", "needs an identity provider that exchanges ID tokens",
		func(w *World) bool { return w.Config.Exchange.SubjectToken == "id_token" })
	NeedsAccessToken = Need("users[].sign_in", "needs a sign-in that yields an access token",
		func(w *World) bool { return w.Provider.AccessTokens })
	NeedsExpired = Need("expired or short_lived", "needs an ID token that has expired: a kept one, or a client whose "+
		"ID tokens live seconds",
		func(w *World) bool { return w.Config.Expired != "" || w.Config.ShortLived != "" })
	NeedsWalk = Need("users[0].sign_in.form", "needs a sign-in that the suite can follow to its end",
		func(w *World) bool { return w.Alice().SignIn.Form != nil && w.A().RedirectURI != "" })
	NeedsSAML = Need("saml.assertion", "needs a valid assertion",
		func(w *World) bool { return w.Config.SAML != nil && w.Config.SAML.Assertion != "" })
	NeedsTenant = Need("multi_tenant", "needs an issuer that serves several tenants",
		func(w *World) bool { return w.Config.MultiTenant })
	NeedsRAR = Need("rar", "needs an authorization_details object that policy allows",
		func(w *World) bool { return w.Config.RAR != nil })
	NeedsLog = Need("log_file", "needs the identity provider's log",
		func(w *World) bool { return w.Config.LogFile != "" })
	NeedsAudit = Need("audit", "needs the audit log: a file, or a command or URL that prints it",
		func(w *World) bool { return w.Config.Audit != "" })
	NeedsRateClient = Need("rate_client", "needs a client that may be locked by guessing its secret",
		func(w *World) bool { return w.Config.RateClient != "" })
	NeedsRotation = Need("hooks.rotate", "needs a hook that has the identity provider sign with another key",
		func(w *World) bool { return w.Config.Hooks.Rotate != "" })
	NeedsDeactivation = Need("hooks.deactivate, hooks.reactivate, users[].leaver", "needs hooks that deactivate and "+
		"reactivate a user",
		func(w *World) bool {
			return w.Config.Hooks.Deactivate != "" && w.Config.Hooks.Reactivate != "" && w.Leaver() != nil
		})
	NeedsUnassignment = Need("hooks.unassign, hooks.assign, users[].leaver", "needs hooks that take a user's "+
		"assignment to the first target away and back",
		func(w *World) bool {
			return w.Config.Hooks.Unassign != "" && w.Config.Hooks.Assign != "" && w.Leaver() != nil
		})
	NeedsRevocation = Need("hooks.revoke, users[].leaver", "needs a hook that revokes a user's sessions",
		func(w *World) bool {
			return w.Config.Hooks.Revoke != "" && w.Leaver() != nil && signin.Repeatable(w.Leaver())
		})
	NeedsSubID = Need("targets[].sub_id", "needs a target whose users are known by their SAML names",
		func(w *World) bool { return w.SubIDTarget() != nil })
	NeedsDecryptKey = Need("targets[].decrypt_key_file", "needs a target that grants are encrypted to, and its key",
		func(w *World) bool { return w.EncryptedTarget() != nil })
	NeedsStrong = Need("step_up.strong", "needs a target that demands a second factor",
		func(w *World) bool { return w.Config.StepUp != nil && w.Config.StepUp.Strong != nil })
	NeedsFresh = Need("step_up.fresh", "needs a target that demands a fresh sign-in",
		func(w *World) bool { return w.Config.StepUp != nil && w.Config.StepUp.Fresh != nil })
	NeedsSub = Need("users[0].sub_at_ras", "needs to know how the target's own sign-on names the user",
		func(w *World) bool { return w.Alice().SubAtRAS != "" })
	NeedsClientID = Need("targets[0].client_id", "needs to know the client's id at the target",
		func(w *World) bool { return w.Notes().ClientID != "" })
)

// NeedsHook is for checks of one file, command or URL of the SAML configuration.
func NeedsHook(key string, of func(*World) string) check.Need {
	return Need(key, "needs such an assertion", func(w *World) bool { return w.Config.SAML != nil && of(w) != "" })
}

// NeedsMetadata is for checks of a feature that the identity provider announces by a metadata member of this name.
func NeedsMetadata(member string) check.Need {
	return Need(member, "the identity provider does not announce it", func(w *World) bool {
		return w.Provider.Metadata[member] != nil
	})
}

// NeedsClientAuth is for checks of one client authentication method.
func NeedsClientAuth(methods ...string) check.Need {
	return Need("clients[].auth: "+methods[0], "needs a client that authenticates so",
		func(w *World) bool {
			return slices.ContainsFunc(methods, func(m string) bool { return w.ClientBy(m) != nil })
		})
}
