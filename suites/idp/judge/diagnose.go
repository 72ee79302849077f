package judge

import (
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/signin"
	"github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/wire"
)

// console is where a setting is in the administration of a known vendor.
var console = map[string]map[string]string{
	"okta": {
		"issuer":   "Okta: the org authorization server is https://<your org>.okta.com, without /oauth2/default.",
		"client":   "Okta: Applications > Applications > the app > General > Client Credentials.",
		"grant":    "Okta: Applications > the app > General > Grant type > Token Exchange.",
		"feature":  "Okta: Settings > Features > Cross App Access.",
		"target":   "Okta: Applications > the app > Manage Connections > Resource apps.",
		"user":     "Okta: Applications > the resource app > Assignments.",
		"scope":    "Okta: Applications > the app > Manage Connections > the connection > Scopes.",
		"redirect": "Okta: Applications > the app > General > Sign-in redirect URIs.",
	},
	"keycloak": {
		"issuer":   "Keycloak: https://<host>/realms/<realm>.",
		"client":   "Keycloak: Clients > the client > Credentials.",
		"grant":    "Keycloak: Clients > the client > Settings > Capability config > Standard Token Exchange.",
		"feature":  "Keycloak: start the server with the feature for identity assertion grants.",
		"target":   "Keycloak: Clients > the client > Client scopes, with an audience mapper.",
		"user":     "Keycloak: Users > the user > Role mapping.",
		"scope":    "Keycloak: Clients > the client > Client scopes.",
		"redirect": "Keycloak: Clients > the client > Settings > Valid redirect URIs.",
	},
	"entra": {
		"issuer":   "Entra: https://login.microsoftonline.com/<tenant id>/v2.0.",
		"client":   "Entra: App registrations > the app > Certificates & secrets.",
		"grant":    "Entra: App registrations > the app > Authentication.",
		"feature":  "Entra: Enterprise applications > the app > Permissions.",
		"target":   "Entra: App registrations > the app > API permissions.",
		"user":     "Entra: Enterprise applications > the app > Users and groups.",
		"scope":    "Entra: App registrations > the app > API permissions.",
		"redirect": "Entra: App registrations > the app > Authentication > Redirect URIs.",
	},
}

// advice says where a setting is at a known vendor, "" for any other.
func advice(c *config.Config, setting string) string {
	if text := console[c.IdP.Vendor][setting]; text != "" {
		return " " + text
	}
	return ""
}

// failedSignIn is the stop at a sign-in that failed, with what to do about it.
func (p *preflight) failedSignIn(a signin.Ask, err error) *stop {
	saw := check.Sentence(err.Error())
	if advice := (*signin.Advice)(nil); errors.As(err, &advice) {
		return &stop{strings.TrimSuffix(saw, ": "+advice.Fix) + ".", check.Sentence(advice.Fix) + "."}
	}
	fix := fmt.Sprintf("Correct sign_in of %s, or that %s is allowed to use client %s.", a.User.Login, a.User.Login,
		a.Client.ID)
	if a.User.SignIn.Form != nil {
		fix += " The redirect URI is " + a.Client.RedirectURI + "." + advice(p.t.Config, "redirect")
	}
	return &stop{saw + ".", fix}
}

// diagnose finds out why an honest exchange was refused.
func (p *preflight) diagnose(t *world.T, k *config.Client, target *config.Target, a *wire.Answer) *stop {
	saw := fmt.Sprintf("The token endpoint did not grant an honest exchange by %s for %s: %s%s.", k.ID, target.Audience,
		a.Summary(), words(a))
	c := p.t.Config
	switch code := a.String("error"); {
	case a.Throttled():
		return &stop{saw, "Raise its rate limit for the test clients, or try again later with --workers 1."}
	case a.Err != nil:
		return &stop{saw, "Check that the token endpoint can be reached from here."}
	case a.Status == 404 || a.Status == 405:
		return &stop{saw, "Correct idp.token_endpoint, or token_endpoint in the metadata."}
	case code == "unsupported_grant_type" || code == "unauthorized_client":
		return &stop{saw, fmt.Sprintf("Allow the grant type %s to client %q.", world.GrantExchange,
			k.ID) + advice(c, "grant")}
	case code == "invalid_client":
		return &stop{saw + " The client or agent is not active, or its credentials or public key are not those that were " +
			"entered there.", fmt.Sprintf("Register client %q for %s and activate it, or correct clients (id, auth, secret).",
			k.ID,
			k.Auth) + advice(c, "client")}
	case code == "invalid_scope":
		return &stop{saw, fmt.Sprintf("Allow the scopes %q, or correct targets[].scopes.", strings.Join(target.Scopes,
			" ")) + advice(c, "scope")}
	case noIDJAGs.MatchString(a.String("error_description")):
		return &stop{saw + " It knows token exchange, and no ID-JAGs.", fmt.Sprintf("Switch ID-JAGs (Cross App Access) on "+
			"for client %s.", k.ID) + advice(c, "feature")}
	case staleSubject.MatchString(a.String("error_description")):
		return &stop{saw + " The subject token has expired, or is of a session that began before this was switched on.",
			fmt.Sprintf("Sign %s in again, and give tokens that are fresh (users[].sign_in).", p.t.Alice().Login)}
	case code == "insufficient_user_authentication":
		return &stop{saw, "The target demands a stronger or fresher sign-in: sign in with a second factor, or name " +
			"the target in step_up."}
	}
	return p.probe(t, saw, k, target, a)
}

// noIDJAGs are the words of a provider that knows token exchange, and no ID-JAGs.
var noIDJAGs = regexp.MustCompile(`(?i)requested[ _-]?token[ _-]?type`)

// staleSubject are the words of a provider whose subject token or session is too old.
var staleSubject = regexp.MustCompile(
	`(?i)expired|session (is )?(too old|not found|ended)|sign in again|re-?authenticat`)

// probe changes one thing at a time and sees whether the answer stays the same: what is refused already then is at
// fault.
func (p *preflight) probe(t *world.T, saw string, k *config.Client, target *config.Target, a *wire.Answer) *stop {
	same := func(o world.Option) bool { return fingerprint(p.again(t, k, target, o)) == fingerprint(a) }
	nobody := "https://" + strings.ToLower(rand.Text()[:10]) + ".invalid/"
	c := p.t.Config
	switch {
	case target.Resource != "" && world.Granted(p.again(t, k, target, world.Without("resource"))):
		return &stop{saw + " Without resource it is granted.",
			fmt.Sprintf("Register the resource %s with the target, or set exchange.resource: never.",
				target.Resource) + advice(c, "target")}
	case same(world.Subject(rand.Text())):
		return &stop{saw + " It answers in the same way to a subject token that is none.",
			"Correct exchange.subject_token and exchange.subject_token_type, and see that the sign-in is by client " +
				k.ID + "."}
	case same(world.Param("audience", nobody)):
		return &stop{saw + " It answers in the same way to an audience that nobody knows.",
			fmt.Sprintf("Register %s as a resource authorization server and connect client %s to it, or correct "+
				"targets[].audience.",
				target.Audience, k.ID) + advice(c, "target")}
	case same(world.Param("resource", nobody)):
		return &stop{saw + " It answers in the same way to a resource that nobody knows.",
			fmt.Sprintf("Register the resource %s with the target, or correct targets[].resource.",
				target.Resource) + advice(c, "target")}
	}
	return &stop{saw, fmt.Sprintf("Assign %s to the target and connect client %s to it; the identity provider's log "+
		"has the reason.",
		p.t.Alice().Login, k.ID) + advice(c, "user")}
}

func (p *preflight) again(t *world.T, k *config.Client, target *config.Target, o world.Option) *wire.Answer {
	return t.Wire.Do(t, t.Request(world.To(target), world.By(k), o), t.Recorder(), reports.Setup, "a probe")
}

func fingerprint(a *wire.Answer) string {
	return fmt.Sprint(a.Status, a.String("error"), a.String("error_description"))
}

// words are the provider's own explanation.
func words(a *wire.Answer) string {
	if d := a.String("error_description"); d != "" {
		return " (" + wire.Printable(wire.ScrubJWTs(d), 200) + ")"
	}
	return ""
}
