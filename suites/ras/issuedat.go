package ras

import (
	"fmt"
	"time"

	"github.com/emaconform/emaconform/suites/check"
)

// in gives a claim the time that lies so far ahead.
func in(claim string, d time.Duration) check.Edit {
	return func(j *check.Token) { j.Claims[claim] = time.Now().Add(d).Unix() }
}

// quoted makes a string of a claim's number.
func quoted(claim string) check.Edit {
	return func(j *check.Token) { j.Claims[claim] = fmt.Sprint(j.Claims[claim]) }
}

var _ = check.For("RAS-IAT", func() {
	refuses(
		attack{slug: "missing", what: "an ID-JAG without iat", edit: check.Remove("iat")},
		attack{slug: "string", what: "an ID-JAG whose iat is a string of digits", edit: quoted("iat")},
		attack{slug: "ahead", what: "an ID-JAG issued ten minutes from now", edit: func(j *check.Token) {
			in("iat", 10*time.Minute)(j)
			in("exp", 15*time.Minute)(j)
		}, control: in("exp", 15*time.Minute)},
		attack{slug: "year-old", what: "an ID-JAG issued a year ago that has not expired", edit: in("iat", -365*24*time.Hour),
			options: []check.Option{check.Should()}},
	)
})

var _ = check.For("RAS-NBF", func() {
	started := in("nbf", -time.Minute)
	refuses(
		attack{slug: "ahead", what: "an ID-JAG that is not valid for another ten minutes (nbf)", control: started,
			edit: in("nbf", 10*time.Minute)},
		attack{slug: "string", what: "an ID-JAG whose nbf is a string of digits", control: started,
			edit: func(j *check.Token) {
				in("nbf", 10*time.Minute)(j)
				quoted("nbf")(j)
			}},
	)
})
