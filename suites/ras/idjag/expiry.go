package idjag

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// expired moves the whole validity window of an ID-JAG into the past: it ended this long ago.
func expired(ago time.Duration) server.Edit {
	return func(j *server.Token) {
		end := server.IssuedAt(j).Add(-ago)
		j.Claims["exp"], j.Claims["iat"] = end.Unix(), end.Add(-mockidp.IDJAGLifetime).Unix()
	}
}

// bare gives exp this JSON text, which need not be JSON.
func bare(text string) func(*server.T, *server.Token) string {
	return func(t *server.T, j *server.Token) string {
		const mark = "emaconform-exp"
		j.Claims["exp"] = mark
		header, err := json.Marshal(j.Header)
		if err != nil {
			t.Inconclusivef("our own error: %v", err)
		}
		payload, err := json.Marshal(j.Claims)
		if err != nil {
			t.Inconclusivef("our own error: %v", err)
		}
		return hostile.SignBytes(j.Key, header, bytes.Replace(payload, []byte(`"`+mark+`"`), []byte(text), 1))
	}
}

var _ = check.For("RAS-EXP", func() {
	server.Refuses(
		server.Attack{Slug: "missing", What: "an ID-JAG without exp", Edit: server.Remove("exp")},
		server.Attack{Slug: "null", What: "an ID-JAG whose exp is null", Edit: server.Set("exp", nil)},
		server.Attack{Slug: "text", What: "an ID-JAG whose exp is the string NaN", Edit: server.Set("exp", "NaN")},
		server.Attack{Slug: "negative", What: "an ID-JAG whose exp is negative", Edit: server.Set("exp", -1)},
		server.Attack{Slug: "zero", What: "an ID-JAG whose exp is 0", Edit: server.Set("exp", 0)},
		server.Attack{Slug: "fraction", What: "an expired ID-JAG whose exp has a fraction of a second",
			Edit: func(j *server.Token) {
				expired(10 * time.Minute)(j)
				j.Claims["exp"] = float64(j.Claims["exp"].(int64)) + 0.5
			}},
		server.Attack{Slug: "nan", What: "an ID-JAG whose exp is NaN, which some parsers take for a number",
			Craft: bare("NaN")},
		server.Attack{Slug: "infinite", What: "an ID-JAG whose exp is 1e400, which overflows to infinity",
			Craft:   bare("1e400"),
			Options: []check.Option{check.Should()}},
		server.Attack{Slug: "overflow", What: "an ID-JAG whose exp is 2^63, which overflows a signed 64-bit number",
			Craft: bare("9223372036854775808"), Options: []check.Option{check.Should()}},

		server.Attack{Slug: "expired-10m", What: "an ID-JAG that expired ten minutes ago", Edit: expired(10 * time.Minute)},
		server.Attack{Slug: "expired-1h", What: "an ID-JAG that expired an hour ago", Edit: expired(time.Hour)},
		server.Attack{Slug: "expired-1y", What: "an ID-JAG that expired a year ago", Edit: expired(365 * 24 * time.Hour)},
	)
})

// shortLeeway is what passes without a warning; a few minutes are the most that RFC 7519 4.1.4 calls usual.
const shortLeeway = time.Minute

var _ = check.For("RAS-EXP", func() {
	server.It("expired-2m", "refuses an ID-JAG that expired two minutes ago", func(t *server.T) {
		t.Control(t.Grant())
		for _, ago := range []time.Duration{time.Second, shortLeeway / 2} {
			if server.Granted(t.Redeem(t.Grant(expired(ago)))) {
				t.Notef("an ID-JAG that expired %s ago is granted: a leeway for clocks that differ (RFC 7519 4.1.4)", ago)
			}
		}
		a := t.Attack(t.Grant(expired(2 * time.Minute)))
		if server.Granted(a) {
			t.Failf("granted two minutes after its end: a leeway of a few minutes at most is what RFC 7519 4.1.4 " +
				"calls usual, and an ID-JAG lives no longer itself")
		}
		server.ExpectRefused(t, a)
	}, check.Should(), check.Sends("ID-JAGs that expired a second, half a minute and two minutes ago, after an "+
		"honest one as control"))
})

var _ = check.For("RAS-LIFETIME", func() {
	server.Refuses(
		server.Attack{Slug: "day", What: "an ID-JAG that lives 24 hours", Edit: server.Ahead("exp", 24*time.Hour)},
		server.Attack{Slug: "decade", What: "an ID-JAG that lives ten years", Edit: server.Ahead("exp", 10*365*24*time.Hour)},
	)
})

var _ = check.For("RAS-EXP", func() {
	server.RefusesFromOthers("other-clients",
		server.Attack{What: "an ID-JAG that expired an hour ago", Edit: expired(time.Hour)},
		server.Attack{What: "an ID-JAG that expired a day ago", Edit: expired(24 * time.Hour)})
})
