package ras

import (
	"strings"
	"time"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// spelledDates are ways to write a date that are no NumericDate (RFC 7519 section 2), each of a moment that would be right.
var spelledDates = []struct {
	slug, what string
	of         func(seconds int64) any
}{
	{"iso", "an ISO 8601 date", func(s int64) any { return time.Unix(s, 0).UTC().Format(time.RFC3339) }},
	{"array", "an array of one number", func(s int64) any { return []any{s} }},
	{"array-string", "an array of one string of digits", func(s int64) any { return []any{time.Unix(s, 0).UTC().Format(time.RFC1123)} }},
	{"object", "an object with the number", func(s int64) any { return members{"seconds": s, "$date": s * 1000} }},
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
			a := attack{slug: "spelled-" + d.slug, what: "an ID-JAG whose " + claim + " is " + d.what, edit: spelled(claim, d.of)}
			if claim == "exp" && (d.slug == "milliseconds" || d.slug == "32-bits") { // a NumericDate all the same, far ahead
				a.options = append(a.options, check.Should())
			}
			refuses(a)
		}
	})
}

var _ = check.For("RAS-EXP", func() {
	refuses(attack{slug: "all-milliseconds", what: "an ID-JAG with every date in milliseconds", edit: func(j *server.Token) {
		for _, claim := range []string{"exp", "iat"} {
			spelled(claim, func(s int64) any { return s * 1000 })(j)
		}
	}, options: []check.Option{check.Should()}})
})

var _ = check.For("RAS-CLIENT-AUTH", func() {
	for _, claim := range []string{"nbf", "iat"} {
		server.It("jwt-"+claim+"-ahead", "refuses a client assertion whose "+claim+" lies an hour ahead", func(t *server.T) {
			c := t.ClientBy("private_key_jwt")
			t.Control(grantFor(t, c), asserting(c, t.ClientAssertion(c, nil)))
			ahead := t.ClientAssertion(c, func(claims map[string]any) {
				now := t.Now()
				claims[claim], claims["exp"] = now.Add(50*time.Minute).Unix(), now.Add(55*time.Minute).Unix()
			})
			expectRefused(t, t.Attack(grantFor(t, c), asserting(c, ahead)), server.InvalidClient)
		}, check.Should(), check.With(server.NeedsClientAuth("private_key_jwt")), refusal(server.InvalidClient),
			check.Sends("A good client assertion as control, then one whose "+claim+" lies ahead (RFC 7523 3)"))
	}

	server.It("basic-encoded", "decodes Basic credentials as a form (RFC 6749 2.3.1)", func(t *server.T) {
		c := t.ClientBy("client_secret_basic")
		t.Control(grantFor(t, c), server.As(c))
		a := t.Redeem(grantFor(t, c), server.As(nil), server.HeaderField("Authorization", basicOf(encoded(c.ID), encoded(c.Secret))))
		if !server.Granted(a) {
			t.Failf("expected credentials with each character percent-encoded to be taken (RFC 6749 2.3.1), but saw %s: a secret with "+
				"a plus, a percent sign or a space does not work", a.Summary())
		}
	}, check.Should(), check.With(server.NeedsClientAuth("client_secret_basic")),
		check.Sends("A client over Basic as control, then the same with each character of id and secret percent-encoded"))
})

// encoded is s with each character percent-encoded.
func encoded(s string) string {
	var b strings.Builder
	for i := range len(s) {
		const digits = "0123456789ABCDEF"
		b.Write([]byte{'%', digits[s[i]>>4], digits[s[i]&15]})
	}
	return b.String()
}

var _ = check.For("RAS-IAT", func() {
	server.It("aged", "grants an ID-JAG that was issued a while ago and lives on", func(t *server.T) {
		t.Control(t.Grant())
		for _, age := range []time.Duration{31 * time.Second, 4 * time.Minute} {
			issued := t.Now().Add(-age)
			aged := t.Grant(server.Set("iat", issued.Unix()), server.Set("exp", issued.Add(5*time.Minute).Unix()))
			if a := t.Redeem(aged); !server.Granted(a) {
				t.Failf("expected an ID-JAG that was issued %s ago, of five minutes, to be granted, but saw %s: clients keep an ID-JAG "+
					"until they need it, and clocks differ", age, a.Summary())
			}
		}
	}, check.Should(), check.Sends("An honest ID-JAG as control, then ones that were issued 31 seconds and 4 minutes ago and have not expired"))
})
