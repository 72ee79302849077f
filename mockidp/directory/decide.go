package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Request is what a client asks for on behalf of a user, both known by now.
type Request struct {
	Client    *Client
	User      *User
	Audience  string
	Resources []string
	Scopes    []string
	Details   []string // types of the authorization_details
	Auth      Authentication
	Now       time.Time
}

// Authentication is how and when the user was authenticated.
type Authentication struct {
	Time time.Time
	ACR  string
	AMR  []string
}

// Decision is the answer to a Request. Denied is nil when it is granted.
type Decision struct {
	Connector  *Connector
	Connection *Connection
	Scopes     []string // granted
	Dropped    []string // asked for and not granted
	Rule       string   // what decided: the name of a policy, or of a step of Decide
	Denied     *Denial
}

// Denial is a refusal: the OAuth error that the client gets, and what the log says.
//
// Codes and ids follow https://github.com/okta/okta-developer-docs
// packages/@okta/vuepress-site/data/oauth2-error-codes.json; the descriptions are our own.
type Denial struct {
	Error       string // OAuth error code
	ID          string // Okta's internal id, for the log alone
	Description string
	Reason      string // a policy's own words, for the log alone
	StepUp      *StepUp
}

// Decide evaluates a request. The steps, in order; the first that denies decides:
//
//  1. client: the requesting client is active
//  2. user: the user is active
//  3. client assignment: the user is assigned to the client
//  4. audience: a connector has it, as audience or alias
//  5. connection: one connects the client with the connector, and both are active
//  6. resource: each one asked for belongs to the connector
//  7. connector assignment: the user is assigned to the connector
//  8. policies from the first to the last: the first whose conditions hold decides; when there are policies and none
//     holds, the request is denied ("no policy")
//  9. scopes: those of the connection, narrowed by the policy
//  10. step-up: authentication is as fresh and strong as connector and policy demand
func (d *Directory) Decide(q Request) Decision {
	if rule, denied := MaySignIn(q.Client, q.User); denied != nil {
		return Decision{Rule: rule, Denied: denied}
	}
	out := Decision{Connector: d.Audience(q.Audience)}
	if out.Connector == nil {
		return out.deny("audience", "invalid_target", "token_exchange_incomplete_resource_configuration",
			"no resource authorization server with this audience is known")
	}
	out.Connection = d.Connection(q.Client.ID, out.Connector.ID)
	if out.Connection == nil || !out.Connection.Status.OK() || !out.Connector.Status.OK() {
		return out.deny("connection", "invalid_target", "token_exchange_incomplete_resource_configuration",
			"the client is not connected to this audience")
	}
	if denied := d.resources(&out, q); denied {
		return out
	}
	if !out.Connector.Assigned.Has(q.User) {
		return out.deny("connector assignment", "invalid_target", "token_exchange_incomplete_resource_configuration",
			"the user is not assigned to the resource application")
	}
	policy, denied := d.policy(&out, q)
	if denied || d.scopes(&out, q, policy) {
		return out
	}
	return out.stepUp(q, policy)
}

// MaySignIn is the part of Decide that sign-in shares: the client, the user, and the assignment of one to the other.
// rule names the step that denied.
func MaySignIn(k *Client, u *User) (rule string, denied *Denial) {
	switch {
	case !k.Status.OK():
		return "client", &Denial{Error: "invalid_request", ID: "invalid_subject_token_client_inactive",
			Description: "the client is not active"}
	case u == nil || !u.Status.OK():
		return "user", &Denial{Error: "invalid_request", ID: "invalid_subject_token_user_inactive",
			Description: "the user is not active"}
	case !k.Assigned.Has(u):
		return "client assignment", &Denial{Error: "invalid_request", ID: "invalid_subject_token_user_not_assigned",
			Description: "the user is not assigned to the client"}
	}
	return "", nil
}

func (out Decision) deny(rule, code, id, description string) Decision {
	out.Rule, out.Denied = rule, &Denial{Error: code, ID: id, Description: description}
	return out
}

func (d *Directory) resources(out *Decision, q Request) (denied bool) {
	if len(q.Resources) == 0 && d.Settings.RequireResource {
		*out = out.deny("resource", "invalid_target", "token_exchange_invalid_resource", "name the resource")
		return true
	}
	for _, r := range q.Resources {
		if !slices.Contains(out.Connector.Resources, r) {
			*out = out.deny("resource", "invalid_target", "token_exchange_invalid_resource",
				"the resource is not one of this audience")
			return true
		}
	}
	for _, t := range q.Details {
		if !slices.Contains(out.Connector.DetailTypes, t) {
			*out = out.deny("authorization_details", "invalid_authorization_details", "invalid_authorization_details",
				"a type of authorization_details is not known for this audience")
			return true
		}
	}
	return false
}

// policy finds the first policy whose conditions hold; nil when the directory has none.
func (d *Directory) policy(out *Decision, q Request) (*Policy, bool) {
	if len(d.Policies) == 0 {
		out.Rule = "assignment"
		return nil, false
	}
	for n := range d.Policies {
		p := &d.Policies[n]
		if !p.holds(q, out.Connector) {
			continue
		}
		if p.Effect == Deny {
			*out = out.deny(p.Name, "access_denied", "policy_denied", "a policy denies this")
			out.Denied.Reason = p.Reason
			return nil, true
		}
		out.Rule = p.Name
		return p, false
	}
	*out = out.deny("no policy", "access_denied", "no_matching_policy", "no policy allows this")
	return nil, true
}

func (p *Policy) holds(q Request, r *Connector) bool {
	who := len(p.Groups) == 0 && len(p.Users) == 0 || Assignment{Groups: p.Groups, Users: p.Users}.Has(q.User)
	return who && (len(p.Clients) == 0 || slices.Contains(p.Clients, q.Client.ID)) &&
		(len(p.Connectors) == 0 || slices.Contains(p.Connectors, r.ID))
}

// scopes grants what the connection and the policy allow of what was asked.
func (d *Directory) scopes(out *Decision, q Request, p *Policy) (denied bool) {
	allowed := func(s string) bool {
		return slices.Contains(out.Connector.Scopes, s) && out.Connection.Allows(s) &&
			(p == nil || len(p.Scopes) == 0 || slices.Contains(p.Scopes, s))
	}
	asked := q.Scopes
	if len(asked) == 0 {
		switch d.Settings.MissingScope {
		case MissingRefuse:
			*out = out.deny("scopes", "invalid_scope", "missing_scopes", "name the scopes")
			return true
		case AllScopes:
			asked = slices.DeleteFunc(slices.Clone(out.Connector.Scopes), func(s string) bool { return !allowed(s) })
		}
	}
	for _, s := range asked {
		switch {
		case !allowed(s):
			out.Dropped = append(out.Dropped, s)
		case !slices.Contains(out.Scopes, s):
			out.Scopes = append(out.Scopes, s)
		}
	}
	if len(out.Dropped) > 0 && (len(out.Scopes) == 0 || d.Settings.ExcessScopes == RefuseScopes) {
		dropped := strings.Join(out.Dropped, " ")
		*out = out.deny("scopes", "invalid_scope", "illegal_scope", "a scope is not allowed")
		out.Scopes, out.Denied.Reason = nil, "not allowed: "+dropped
		return true
	}
	return false
}

// stepUp denies what was authenticated too long ago or too weakly (ID-JAG draft-04 section 8.2, RFC 9470).
func (out Decision) stepUp(q Request, p *Policy) Decision {
	demands := []StepUp{out.Connector.StepUp}
	if p != nil {
		demands = append(demands, p.StepUp)
	}
	for _, s := range demands {
		if missing := s.missing(q); missing != "" {
			out = out.deny("step-up", "insufficient_user_authentication", "insufficient_user_authentication",
				"the user has to authenticate again: "+missing)
			out.Scopes, out.Denied.StepUp = nil, &s
			return out
		}
	}
	return out
}

func (s StepUp) missing(q Request) string {
	age := q.Now.Sub(q.Auth.Time)
	switch {
	case s.MaxAge > 0 && age > time.Duration(s.MaxAge):
		return fmt.Sprintf("authentication is older than %s", time.Duration(s.MaxAge))
	case len(s.ACR) > 0 && !slices.Contains(s.ACR, q.Auth.ACR):
		return "acr is not one of " + strings.Join(s.ACR, ", ")
	}
	for _, m := range s.AMR {
		if !slices.Contains(q.Auth.AMR, m) {
			return "amr lacks " + m
		}
	}
	return ""
}

// Demands reports whether anything is demanded.
func (s StepUp) Demands() bool { return s.MaxAge > 0 || len(s.ACR) > 0 || len(s.AMR) > 0 }

// Allows reports whether the connection allows a scope of its connector.
func (k *Connection) Allows(scope string) bool {
	return (len(k.Scopes) == 0 || slices.Contains(k.Scopes, scope)) && !slices.Contains(k.Deny, scope)
}
