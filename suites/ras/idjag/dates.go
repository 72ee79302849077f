package idjag

import (
	"time"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// As NumericDates these lie 50,000 years ahead: one that is not to be used before then must not be granted now.
var _ = check.For("RAS-NBF", func() {
	server.Refuses(server.Attack{Slug: "all-milliseconds", What: "an ID-JAG with every date in " +
		"milliseconds", Edit: func(j *server.Token) {
		j.Claims["nbf"] = j.Claims["iat"]
		for _, claim := range []string{"exp", "iat", "nbf"} {
			seconds, _ := j.Claims[claim].(int64)
			j.Claims[claim] = seconds * 1000
		}
	}})
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
