package idjag

import (
	"time"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

var _ = check.For("RAS-EXP", func() {
	server.Refuses(server.Attack{Slug: "all-milliseconds", What: "an ID-JAG with every date in " +
		"milliseconds", Edit: func(j *server.Token) {
		for _, claim := range []string{"exp", "iat"} {
			seconds, _ := j.Claims[claim].(int64)
			j.Claims[claim] = seconds * 1000
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
