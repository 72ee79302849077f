package idp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/signin"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

func details(object string) Option { return Param("authorization_details", "["+object+"]") }

// object is a JSON object of the configuration.
func object(t *T, text string) map[string]any {
	var o map[string]any
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Inconclusivef("rar: expected a JSON object")
	}
	return o
}

var _ = check.For("IDP-RAR", func() {
	needs := check.With(NeedsRAR)
	It("granted", "puts the details that it granted into the grant", func(t *T) {
		Expect(t.Control(details(t.Config.RAR.Granted)).Claims["authorization_details"]).To(ContainElement(object(t,
			t.Config.RAR.Granted)),
			"authorization_details")
	}, needs, check.Must(), check.Sends("An exchange with authorization_details that policy allows."))
	It("not-asked", "adds no details that were not asked for", func(t *T) {
		Expect(t.Control().Claims["authorization_details"]).To(BeNil(), "authorization_details")
	}, needs, check.Must(), honest)
	bad := func(slug, what string, value func(*T) string) {
		It(slug, "refuses "+what+" as authorization_details", func(t *T) {
			t.Control(details(t.Config.RAR.Granted))
			a := t.Attack(Param("authorization_details", value(t)))
			Expect(a).To(server.BeRefused())
			codes(t, a, "invalid_authorization_details", "invalid_request")
		}, needs, check.Must(), check.Sends("An exchange with good details, then one with "+what+"."))
	}
	bad("no-json", "something that is no JSON", func(*T) string { return "notes" })
	bad("no-array", "an object that is in no array", func(t *T) string { return t.Config.RAR.Granted })
	bad("no-type", "an object without type", func(*T) string { return `[{"actions":["read"]}]` })
	bad("unknown-type", "an object of an unknown type", func(*T) string { return `[{"type":"nothing_known"}]` })
	It("narrowed", "does not grant details that policy does not allow", func(t *T) {
		if t.Config.RAR.Denied == "" {
			t.Skipf("needs an object that policy does not allow (rar.denied)")
		}
		t.Control(details(t.Config.RAR.Granted))
		a := t.Probe(details(t.Config.RAR.Denied))
		if !Granted(a) {
			return
		}
		g, _ := t.Read(a)
		Expect(g.Claims["authorization_details"]).NotTo(ContainElement(object(t, t.Config.RAR.Denied)),
			"authorization_details")
	}, needs, check.Must(), check.Sends("An exchange with authorization_details that policy does not allow."))
})

var _ = check.For("IDP-STEPUP", func() {
	// weak is who signs in with a password alone.
	weak := func(t *T) *config.User {
		if u := t.Config.StepUp.User; u != nil {
			return u
		}
		return t.Alice()
	}
	demands := func(slug, title, sends string, target func(*World) *config.Target, need check.Need,
		wait func(*T, *config.User), member string) {
		It(slug, title, func(t *T) {
			u := weak(t)
			t.Control(For(u))
			wait(t, u)
			a := t.Attack(For(u), To(target(t.World)))
			Expect(a).To(server.BeRefused("insufficient_user_authentication"), "RFC 9470 3")
			o, err := a.Object()
			Expect(err).NotTo(HaveOccurred())
			if o[member] == nil && o["acr_values"] == nil && o["max_age"] == nil {
				t.Warnf("the answer does not say what is needed: %s", member)
			}
		}, check.With(need), check.Must(), check.Sends(sends))
	}
	demands("weak", "sends a user back who signed in too weakly for the target",
		"An exchange for a target that demands more than a password.",
		func(w *World) *config.Target { return w.Config.StepUp.Strong }, NeedsStrong, func(*T, *config.User) {}, "acr_values")
	demands("old", "sends a user back who signed in too long ago for the target",
		"An exchange for a target that demands a fresh sign-in, after a while.",
		func(w *World) *config.Target { return w.Config.StepUp.Fresh }, NeedsFresh, waitUntilOld, "max_age")
	It("other-targets", "does not demand it for a target that needs no more than a password", func(t *T) {
		Expect(t.Twin(For(weak(t)))).To(server.BeGranted())
	}, check.With(NeedsStrong), check.Must(), check.Sends("An exchange for the first target by a user who signed in "+
		"with a password."))
})

// waitUntilOld waits until a user's sign-in is older than what the target takes.
func waitUntilOld(t *T, u *config.User) {
	age := t.Config.StepUp.MaxAge
	if age > t.Config.Timing.Check/2 {
		t.Skipf("a sign-in is old after %s: too long to be waited for (step_up.max_age)", age)
	}
	signedIn := t.Now()
	token, _ := mockidp.Decode(t.Tokens(u, t.A()).IDToken)
	if at, ok := integer(token.Claims["auth_time"]); ok && time.Unix(at, 0).Before(signedIn) {
		signedIn = time.Unix(at, 0)
	}
	t.Rest(time.Until(signedIn.Add(age+time.Second-t.Skew)), "a session is older than max_age allows")
}

var _ = check.For("IDP-RATE", func() {
	It("wrong-secrets", "slows the guessing of a client's secret", func(t *T) {
		k := t.Config.Client(t.Config.RateClient)
		if _, err := t.Desk.Tokens(t, t.Recorder(), signin.Ask{User: t.Alice(), Client: k}); err != nil {
			t.Inconclusivef("%v", err)
		}
		const guesses, atATime = 30, 10
		var first time.Duration
		for n := 0; n < guesses; n += atATime {
			slowest := time.Duration(0)
			for _, a := range guess(t, k, n, atATime) {
				switch {
				case Granted(a):
					t.Failf("a wrong secret was taken")
				case a.Throttled() || a.Status == http.StatusForbidden:
					return
				}
				slowest = max(slowest, a.Took)
			}
			if n == 0 {
				first = slowest
			} else if slowest > 10*first+time.Second {
				return // it takes its time
			}
		}
		t.Failf("%d wrong secrets in a row were answered at once, each as fast as the first", guesses)
	}, check.With(NeedsRateClient), check.Serial(), check.Intrusive(),
		check.Sends("30 wrong secrets of one client in a row."))
})

// guess sends some wrong secrets of a client, at the same time.
func guess(t *T, k *config.Client, from, many int) []*wire.Answer {
	requests, answers := make([]*wire.Request, many), make([]*wire.Answer, many)
	for n := range requests {
		requests[n] = t.Request(By(k), Subject("none"), withSecret(k, fmt.Sprintf("guess-%d", from+n)))
		requests[n].Impatient = true
	}
	var done sync.WaitGroup
	for n, r := range requests {
		done.Go(func() { answers[n] = t.Wire.Do(t, r, t.Recorder(), reports.Attack, "must be refused") })
	}
	done.Wait()
	return answers
}
