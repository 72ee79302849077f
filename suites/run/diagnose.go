package run

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// aspect is something about an honest ID-JAG that a target may not know. Spoiling it on purpose shows how the target
// answers when just that is wrong; taking it out shows whether that was all that was wrong.
type aspect struct {
	name  string
	spoil func(p *preflight) *wire.Answer
	cure  func(p *preflight) *wire.Answer // nil when it cannot be left out
	fix   func(p *preflight) string
}

var aspects = []aspect{
	{
		name:  "client",
		spoil: func(p *preflight) *wire.Answer { return p.probe(server.As(p.wrongClient())) },
		fix: func(p *preflight) string {
			c := p.t.Client(0)
			return fmt.Sprintf("Register client %q for %s with the authorization server, or correct clients[0] (id, "+
				"auth, secret): the ID-JAG says client_id %q, and the client that redeems it has to be the same.", c.ID, c.Auth,
				c.ID)
		},
	},
	{
		name:  "issuer",
		spoil: func(p *preflight) *wire.Answer { return p.probeGrant(server.Set("iss", p.wrong("iss"))) },
		fix: func(p *preflight) string {
			return fmt.Sprintf("Add %s to the target's trusted issuers, exactly as it stands here. Where an administrator has "+
				"to switch enterprise-managed authorization on for the account first, do that.", p.t.IdP.URL)
		},
	},
	{
		name: "keys",
		spoil: func(p *preflight) *wire.Answer {
			return p.probeGrant(func(t *server.Token) { t.Key = p.t.Attacker })
		},
		fix: func(p *preflight) string { return p.fixKeys() },
	},
	{
		name:  "audience",
		spoil: func(p *preflight) *wire.Answer { return p.probeGrant(server.Set("aud", p.wrong("aud"))) },
		fix: func(p *preflight) string {
			return fmt.Sprintf("The target does not call itself %s: correct authorization_server.issuer, or the "+
				"issuer in its metadata.",
				wire.Printable(p.found.Issuer, 300))
		},
	},
	{
		name: "user",
		spoil: func(p *preflight) *wire.Answer {
			return p.probeGrant(server.Set("sub", rand.Text()), anotherEmail)
		},
		fix: func(p *preflight) string {
			return fmt.Sprintf("Create an account for subject %q of issuer %s, or correct users[0].", p.t.Alice().Sub,
				p.t.IdP.URL)
		},
	},
	{
		name:  "resource",
		spoil: func(p *preflight) *wire.Answer { return p.probeGrant(server.Set("resource", p.wrong("resource"))) },
		cure:  func(p *preflight) *wire.Answer { return p.probeGrant(server.Remove("resource")) },
		fix: func(p *preflight) string {
			differs := ""
			if named, _ := p.found.ResourceMetadata["resource"].(string); named != "" && named != p.found.Resource {
				differs = fmt.Sprintf(" The protected resource metadata say %s, the ID-JAG says %s: %s.",
					wire.Printable(named, 300), wire.Printable(p.found.Resource, 300), difference(named, p.found.Resource))
			}
			return fmt.Sprintf("Register the resource %s with the authorization server, or set resource.%s",
				wire.Printable(p.found.Resource, 300), differs)
		},
	},
	{
		name:  "scope",
		spoil: func(p *preflight) *wire.Answer { return p.probeGrant(server.Set("scope", rand.Text())) },
		cure:  func(p *preflight) *wire.Answer { return p.probeGrant(server.Remove("scope")) },
		fix: func(p *preflight) string {
			return fmt.Sprintf("Allow the scopes %q to client %q for this resource, or correct scopes.",
				strings.Join(p.t.Config.Scopes, " "), p.t.Client(0).ID)
		},
	},
}

func (p *preflight) probe(options ...server.RedeemOption) *wire.Answer {
	return p.t.Present(p.t.Grant(), reports.Setup, "a probe", options...)
}

func (p *preflight) probeGrant(edits ...server.Edit) *wire.Answer {
	return p.t.Present(p.t.Grant(edits...), reports.Setup, "a probe")
}

// anotherEmail keeps the domain, since a target may look at that first.
func anotherEmail(t *server.Token) {
	if email, ok := t.Claims["email"].(string); ok {
		t.Claims["email"] = strings.ToLower(rand.Text()) + email[max(0, strings.LastIndex(email, "@")):]
	}
}

func (p *preflight) wrongClient() *target.Client {
	c := *p.t.Client(0)
	c.ID += "-" + rand.Text()[:6]
	return &c
}

// wrong is an identifier of the same form that nobody knows.
func (p *preflight) wrong(claim string) string {
	return "https://" + strings.ToLower(rand.Text()[:10]) + ".invalid/" + claim
}

// diagnose finds out why an honest ID-JAG was refused.
func (p *preflight) diagnose() *stop {
	saw := fmt.Sprintf("The token endpoint did not grant an honest ID-JAG: %s%s.", p.redemption.Summary(),
		words(p.redemption))
	if stray := p.strayed(); stray != "" {
		return &stop{saw + " " + stray, "Let the target read jwks_uri from the metadata at " +
			wellKnownOf(p.t.IdP.URL) + ", or give it that address."}
	}
	if s := p.mixedUp(); s != nil {
		return &stop{saw + " " + s.saw, s.fix}
	}
	for _, known := range []func(string) *stop{p.byMetadata, p.obvious, p.byProof, p.byWords} {
		if s := known(saw); s != nil {
			return s
		}
	}
	for _, a := range aspects {
		if a.cure != nil && server.Granted(a.cure(p)) {
			return &stop{saw + " Without its " + a.name + " it is granted: the " + a.name + " is refused.", a.fix(p)}
		}
	}
	suspects := p.suspects()
	if len(suspects) == 0 {
		return &stop{saw, "Look into the authorization server's log for the reason: nothing that we changed in the " +
			"ID-JAG changed the answer in a telling way."}
	}
	saw += " It answers in the same way when we change the " + suspects[0].name + " into one that it cannot know."
	if len(suspects) > 1 {
		var others []string
		for _, a := range suspects[1:] {
			others = append(others, a.name)
		}
		saw += " (If that is not it, look at: " + strings.Join(others, ", ") + ".)"
	}
	return &stop{saw, suspects[0].fix(p)}
}

// accessDenied is an error code of RFC 6749 4.1.2.1, which connectors answer here as well.
const accessDenied = "access_denied"

// obvious are the cases that need no probe.
func (p *preflight) obvious(saw string) *stop {
	a := p.redemption
	switch code := a.String("error"); {
	case a.Err != nil:
		return &stop{saw, "Check that the token endpoint can be reached from here."}
	case a.Status == 404 || a.Status == 405:
		return &stop{saw, "Correct authorization_server.token_endpoint, or token_endpoint in the metadata."}
	case code == server.UnsupportedGrantType:
		return &stop{saw, "Enable the grant type " + server.GrantJWTBearer + " at the authorization server."}
	case code == server.UnauthorizedClient:
		return &stop{saw, fmt.Sprintf("Allow the grant type %s to client %q.", server.GrantJWTBearer, p.t.Client(0).ID)}
	case code == server.InvalidClient:
		return &stop{saw + " The client is not known, or its credentials are wrong.", aspectOf("client").fix(p)}
	case code == accessDenied:
		return &stop{saw + " The server knows the grant, but trusts no issuer for this account yet.",
			"Let an administrator of the connector switch enterprise-managed authorization on for the account (with some " +
				"vendors a matter of the plan), and enter " + p.t.IdP.URL + " there."}
	}
	return nil
}

// suspects are the aspects that the target's answer fits. What a server looks at behind the aspect at fault fits, too,
// so the first in the order in which servers commonly look is the likely one.
func (p *preflight) suspects() []aspect {
	got := fingerprint(p.redemption)
	var list []aspect
	for _, a := range aspects {
		if fingerprint(a.spoil(p)) == got {
			list = append(list, a)
		}
	}
	if p.t.Config.IdP.Static() {
		return list
	}
	if p.fetches() == 0 {
		// It refused without having seen a key of ours. Known issuers are told from unknown ones by the answer.
		return slices.DeleteFunc(list, func(a aspect) bool { return a.name != "issuer" && a.name != "keys" })
	}
	return slices.DeleteFunc(list, func(a aspect) bool { return a.name == "issuer" })
}

func fingerprint(a *wire.Answer) string {
	return fmt.Sprint(a.Status, a.String("error"), a.String("error_description"))
}

func (p *preflight) fixKeys() string {
	s := p.t
	switch {
	case s.Config.IdP.Static():
		return fmt.Sprintf("Give the target the key set of `emaconform mockidp export` for %s again: it holds other "+
			"keys than %s.", s.IdP.URL, s.Config.IdP.Keys)
	case p.fetches() > 0:
		return "The target fetched our keys but does not take the signature: check that it uses the JWKS of this " +
			"issuer and allows " + s.Config.IdP.Alg + "."
	case target.Loopback(s.IdP.URL) && !target.Loopback(s.Config.URL):
		return fmt.Sprintf("The target cannot reach %s, which is this machine's loopback: set idp.issuer and "+
			"idp.listen to an address that it can reach, or give it the key set of `emaconform mockidp export` and "+
			"set idp.listen: none.", s.IdP.URL)
	default:
		return fmt.Sprintf("The target never fetched our keys: let it reach %s (metadata at %s), or give it the key "+
			"set of `emaconform mockidp export` and set idp.listen: none.", p.parties.idp.JWKSURI(), wellKnownOf(s.IdP.URL))
	}
}

func wellKnownOf(issuer string) string {
	u, err := url.JoinPath(issuer, ".well-known/openid-configuration")
	if err != nil {
		return issuer
	}
	return u
}
