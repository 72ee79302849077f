package config

import (
	"time"

	"github.com/emaconform/emaconform/suites/target"
)

// defaults fill in what was left out, so that it fits what was not.
func (t *Timing) defaults() {
	if t.Run == 0 {
		t.Run = max(15*time.Minute, 2*t.Check, 2*t.SignIn, 2*t.Outage, 2*t.Leeway)
	}
	target.Fill(&t.Check, max(time.Minute, 3*t.Request), t.Run)
	target.Fill(&t.Request, 10*time.Second, t.Check)
	target.Fill(&t.SignIn, time.Minute, t.Run)
	target.Fill(&t.Outage, time.Minute, t.Run)
	target.Fill(&t.Leeway, time.Minute, t.Run)
}

// contradictions are limits of which one keeps another from having its effect.
func (t *Timing) contradictions() []error {
	limit := func(key string, d Duration) target.Limit { return target.Limit{Key: "timing." + key, For: d} }
	request, check, run := limit("request", t.Request), limit("check", t.Check), limit("run", t.Run)
	signIn, outage, leeway := limit("sign_in", t.SignIn), limit("outage", t.Outage), limit("leeway", t.Leeway)
	if problems := target.Positive(request, check, run, signIn, outage, leeway); len(problems) > 0 {
		return problems
	}
	problems := target.Within(check, "a check", request)
	return append(problems, target.Within(run, "the run", check, signIn, outage, leeway)...)
}
