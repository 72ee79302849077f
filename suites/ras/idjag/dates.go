package idjag

import (
	"time"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// spelledDates are ways to write a date that are no NumericDate (RFC 7519 section 2), each of a moment that would be
// right.
var spelledDates = []struct {
	slug, what string
	of         func(seconds int64) any
}{
	{"iso", "an ISO 8601 date", func(s int64) any { return time.Unix(s, 0).UTC().Format(time.RFC3339) }},
	{"array", "an array of one number", func(s int64) any { return []any{s} }},
	{"array-string", "an array of one string of digits", func(s int64) any {
		return []any{time.Unix(s, 0).UTC().Format(time.RFC1123)}
	}},
	{"object", "an object with the number", func(s int64) any { return map[string]any{"seconds": s, "$date": s * 1000} }},
	{"milliseconds", "in milliseconds", func(s int64) any { return s * 1000 }},
	{"32-bits", "a number that is right when it is cut to 32 bits", func(s int64) any { return s + 1<<32 }},
	{"boolean", "true", func(int64) any { return true }},
}

// spelled gives a date of the ID-JAG another spelling.
func spelled(claim string, of func(int64) any) server.Edit {
	return func(j *server.Token) {
		seconds, ok := j.Claims[claim].(int64)
		if !ok { // nbf, which an honest ID-JAG need not have
			seconds, _ = j.Claims["iat"].(int64)
		}
		j.Claims[claim] = of(seconds)
	}
}

var _ = datesOf("RAS-EXP", "exp") && datesOf("RAS-IAT", "iat") && datesOf("RAS-NBF", "nbf")

func datesOf(requirement, claim string) bool {
	return check.For(requirement, func() {
		for _, d := range spelledDates {
			if claim == "exp" && d.slug == "boolean" {
				continue // long ago
			}
			a := server.Attack{Slug: "spelled-" + d.slug, What: "an ID-JAG whose " + claim + " is " + d.what,
				Edit: spelled(claim, d.of)}
			if claim == "exp" && (d.slug == "milliseconds" || d.slug == "32-bits") { // a NumericDate all the same, far ahead
				a.Options = append(a.Options, check.Should())
			}
			server.Refuses(a)
		}
	})
}

var _ = check.For("RAS-EXP", func() {
	server.Refuses(server.Attack{Slug: "all-milliseconds", What: "an ID-JAG with every date in " +
		"milliseconds", Edit: func(j *server.Token) {
		for _, claim := range []string{"exp", "iat"} {
			spelled(claim, func(s int64) any { return s * 1000 })(j)
		}
	}, Options: []check.Option{check.Should()}})
})

var _ = check.For("RAS-IAT", func() {
	server.It("aged", "grants an ID-JAG that was issued a while ago and lives on", func(t *server.T) {
		t.Control(t.Grant())
		for _, age := range []time.Duration{31 * time.Second, 4 * time.Minute} {
			issued := t.Now().Add(-age)
			aged := t.Grant(server.Set("iat", issued.Unix()), server.Set("exp", issued.Add(5*time.Minute).Unix()))
			if a := t.Redeem(aged); !server.Granted(a) {
				t.Failf("expected an ID-JAG that was issued %s ago, of five minutes, to be granted, but saw %s: "+
					"clients keep an ID-JAG until they need it, and clocks differ", age, a.Summary())
			}
		}
	}, check.Should(), check.Sends("An honest ID-JAG as control, then ones that were issued 31 seconds and 4 minutes "+
		"ago and have not expired"))
})
