package target

import (
	"fmt"
	"slices"
	"time"

	"github.com/emaconform/emaconform/mockidp"
)

// Limit is a time limit of a configuration with its key.
type Limit struct {
	Key string
	For time.Duration
}

// Within says in what way limits contradict each other: those inside have to fit into the one around them. what says
// what happens within it, for people.
func Within(around Limit, what string, inside ...Limit) (problems []error) {
	for _, l := range inside {
		if l.For > around.For {
			problems = append(problems, fmt.Errorf("%s (%s) ends %s before %s (%s) is over: raise the one or lower the other",
				around.Key, around.For, what, l.Key, l.For))
		}
	}
	return problems
}

// Positive complains of limits that are none.
func Positive(limits ...Limit) (problems []error) {
	for _, l := range limits {
		if l.For <= 0 {
			problems = append(problems, fmt.Errorf("%s: expected more than no time, but saw %s", l.Key, l.For))
		}
	}
	return problems
}

// Fill sets a limit that was left out to what is usual, or to what fits into the one around it.
func Fill(d *time.Duration, usual, around time.Duration) {
	if *d == 0 {
		*d = min(usual, around)
	}
}

// defaults fill in what was left out, so that it fits what was not.
func (t *Time) defaults() {
	if t.Run == 0 {
		t.Run = max(15*time.Minute, 2*(t.Check+3*t.JWKSPatience), 2*t.Outage, 2*t.Replay, 2*t.Leeway)
	}
	Fill(&t.Check, max(time.Minute, 3*t.Request), t.Run)
	Fill(&t.Request, 10*time.Second, t.Check)
	Fill(&t.Outage, time.Minute, t.Run)
	Fill(&t.RetryAfter, 20*time.Second, t.Run)
	Fill(&t.JWKSPatience, 35*time.Second, t.Run)
	Fill(&t.Replay, 65*time.Second, t.Run)
	Fill(&t.Leeway, time.Minute, t.Run)
}

// contradictions are settings of which one keeps another from having its effect.
func (c *Config) contradictions() (list []error) {
	t := c.Timing
	limit := func(key string, d time.Duration) Limit { return Limit{"timing." + key, d} }
	request, check, run := limit("request", t.Request), limit("check", t.Check), limit("run", t.Run)
	outage, retry := limit("outage", t.Outage), limit("retry_after", t.RetryAfter)
	patience, replay := limit("jwks_patience", t.JWKSPatience), limit("replay", t.Replay)
	leeway := limit("leeway", t.Leeway)
	list = append(list, Positive(request, check, run, outage, retry, patience, replay, leeway)...)
	if len(list) > 0 {
		return list
	}
	list = append(list, Within(check, "a check", request)...)
	list = append(list, Within(run, "the run", check, outage, retry, patience, replay, leeway)...)
	list = append(list, Within(Limit{"The life of an ID-JAG", mockidp.IDJAGLifetime}, "it", replay)...)
	if c.SecondIdP != nil && c.SecondIdP.Issuer != "" && c.SecondIdP.Issuer == c.IdP.Issuer {
		list = append(list, fmt.Errorf("second_idp.issuer: %s is idp.issuer, too: the second IdP is to be another one",
			c.IdP.Issuer))
	}
	if c.DisabledIdP != nil && c.DisabledIdP.Issuer != "" && (c.DisabledIdP.Issuer == c.IdP.Issuer ||
		c.SecondIdP != nil && c.DisabledIdP.Issuer == c.SecondIdP.Issuer) {
		list = append(list, fmt.Errorf("disabled_idp.issuer: %s is an issuer that the target trusts: the one that it "+
			"has switched off is to be another one", c.DisabledIdP.Issuer))
	}
	if c.SecondServer != "" && c.SecondServer == c.URL {
		list = append(list, fmt.Errorf("second_server: %s is url, too: the second MCP server is to be another one", c.URL))
	}
	if slices.Contains(c.Scopes, c.ForbiddenScope) {
		list = append(list, fmt.Errorf("forbidden_scope: %q stands in scopes, too: it is to be one that the clients "+
			"may not have",
			c.ForbiddenScope))
	}
	return append(list, c.doubles()...)
}

// doubles are names that stand for two clients or users.
func (c *Config) doubles() (list []error) {
	place := map[string]string{}
	add := func(kind, key, id string) {
		switch first := place[kind+id]; {
		case id == "":
		case first != "":
			list = append(list, fmt.Errorf("%s: %q is %s, too: each %s is to be another one", key, id, first, kind))
		default:
			place[kind+id] = key
		}
	}
	for n, k := range c.Clients {
		add("client", fmt.Sprintf("clients[%d].id", n), k.ID)
	}
	add("client", "public_client", c.PublicClient)
	if c.RevokedClient != nil {
		add("client", "revoked_client.id", c.RevokedClient.ID)
	}
	if c.DPoPClient != nil {
		add("client", "dpop_client.id", c.DPoPClient.ID)
	}
	if c.DisabledUser != nil {
		add("user", "disabled_user.sub", c.DisabledUser.Sub)
	}
	for n, u := range c.Users {
		add("user", fmt.Sprintf("users[%d].sub", n), u.Sub)
	}
	return list
}
