package ras

import (
	"fmt"
	"time"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// in gives a claim the time that lies so far ahead.
func in(claim string, d time.Duration) server.Edit {
	return func(j *server.Token) { j.Claims[claim] = server.IssuedAt(j).Add(d).Unix() }
}

// quoted makes a string of a claim's number.
func quoted(claim string) server.Edit {
	return func(j *server.Token) { j.Claims[claim] = fmt.Sprint(j.Claims[claim]) }
}

var _ = check.For("RAS-IAT", func() {
	refuses(
		attack{slug: "missing", what: "an ID-JAG without iat", edit: server.Remove("iat")},
		attack{slug: "string", what: "an ID-JAG whose iat is a string of digits", edit: quoted("iat")},
		attack{slug: "year-old", what: "an ID-JAG issued a year ago that has not expired", edit: in("iat", -365*24*time.Hour),
			options: []check.Option{check.Should()}},
	)

	server.It("ahead", "refuses an ID-JAG issued ten minutes from now", func(t *server.T) {
		later := honestly(t, in("exp", 15*time.Minute), "the honest twin, with an end that leaves room for iat before it")
		expectRefused(t, t.Attack(t.Grant(later, in("iat", 10*time.Minute))))
	}, check.By("EMA proposal §7.4.1"), check.Sends("An ID-JAG whose iat is ten minutes from now, after an honest one as control"))
})

var _ = check.For("RAS-NBF", func() {
	started := in("nbf", -time.Minute)
	refuses(
		attack{slug: "ahead", what: "an ID-JAG that is not valid for another ten minutes (nbf)", control: started,
			edit: in("nbf", 10*time.Minute)},
		attack{slug: "string", what: "an ID-JAG whose nbf is a string of digits", control: started,
			edit: func(j *server.Token) {
				in("nbf", 10*time.Minute)(j)
				quoted("nbf")(j)
			}},
	)
})
