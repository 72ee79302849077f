package idjag

import (
	"time"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

var _ = check.For("RAS-IAT", func() {
	server.Refuses(
		server.Attack{Slug: "missing", What: "an ID-JAG without iat", Edit: server.Remove("iat")},
		server.Attack{Slug: "year-old", What: "an ID-JAG issued a year ago that has not expired",
			Edit:    server.Ahead("iat", -365*24*time.Hour),
			Options: []check.Option{check.Should()}},
	)

	server.It("ahead", "refuses an ID-JAG issued ten minutes from now", func(t *server.T) {
		later := server.Honestly(t, server.Ahead("exp", 15*time.Minute),
			"the honest twin, with an end that leaves room for iat before it")
		server.ExpectRefused(t, t.Attack(t.Grant(later, server.Ahead("iat", 10*time.Minute))))
	}, check.By("EMA proposal §7.4.1"),
		check.Sends("An ID-JAG whose iat is ten minutes from now, after an honest one as control"))
})

var _ = check.For("RAS-NBF", func() {
	started := server.Ahead("nbf", -time.Minute)
	server.Refuses(
		server.Attack{Slug: "ahead", What: "an ID-JAG that is not valid for another ten minutes (nbf)", Control: started,
			Edit: server.Ahead("nbf", 10*time.Minute)},
		server.Attack{Slug: "string", What: "an ID-JAG whose nbf is a string of digits", Control: started,
			Edit: func(j *server.Token) {
				server.Ahead("nbf", 10*time.Minute)(j)
				server.Quoted("nbf")(j)
			}},
	)
})
