package keys

import (
	"net/http"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// fault is something that is wrong with the IdP's JWKS endpoint.
type fault struct {
	slug, what string
	reply      func(t *server.T) mockidp.Reply
	options    []check.Option
}

func reply(r mockidp.Reply) func(*server.T) mockidp.Reply {
	return func(*server.T) mockidp.Reply { return r }
}

var faults = []fault{
	{slug: "500", what: "answers 500", reply: reply(mockidp.Reply{Status: http.StatusInternalServerError, Body: `{}`})},
	{slug: "dropped", what: "drops the connection", reply: reply(mockidp.Reply{Drop: true})},
	{slug: "not-json", what: "answers with HTML", reply: reply(mockidp.Reply{
		Header: map[string]string{"Content-Type": "text/html"}, Body: "<html><body>Scheduled maintenance</body></html>"})},
}

var _ = check.For("RAS-JWKS-FAULTS", func() {
	for _, f := range faults {
		server.It(f.slug, "refuses an unknown key when the JWKS endpoint "+f.what, func(t *server.T) {
			t.Control(t.Grant())
			key := newKey(t)
			spoil(t, f.reply(t))
			until(t, func() *server.Token { return t.Grant(server.SignedBy(key)) })
			recovers(t)
		}, append(f.options, changesKeys(failing, "ID-JAGs by a new key while the JWKS endpoint "+f.what+
			", and an honest one"))...)
	}

	server.It("slow", "goes on serving others while the JWKS endpoint does not answer", func(t *server.T) {
		t.Control(t.Grant())
		key := newKey(t)
		spoil(t, mockidp.Reply{Delay: time.Hour})
		mustNotBlock(t, key, "JWKS endpoint", fetches)
		recovers(t)
	}, check.Slow(), check.Should(), check.InAllLanes(), changesKeys(failing,
		"ID-JAGs by a new key while the JWKS endpoint does not answer, and "+
			"honest ones"))

	server.It("redirect", "takes no keys from a host that the JWKS endpoint redirects to", func(t *server.T) {
		t.Control(t.Grant())
		elsewhere := map[string]string{"Location": t.Canary + "/redirected/jwks"}
		spoil(t, mockidp.Reply{Status: http.StatusFound, Header: elsewhere})
		until(t, func() *server.Token { return t.Grant(server.SignedBy(t.Attacker)) })
	}, check.Should(), check.With(server.NeedsCanary),
		changesKeys(failing, "ID-JAGs by a stranger's key while the IdP's JWKS endpoint redirects to a host "+
			"that publishes that key"))

	server.It("5-mb", "does not read a JWKS of 5 MB", func(t *server.T) {
		t.Control(t.Grant())
		key := newKey(t)
		swollen := keySet(append(plainly(t, own(t)), published(t, key, nil)))
		swollen.Repeat = 5 << 20
		spoil(t, swollen)
		until(t, func() *server.Token { return t.Grant(server.SignedBy(key)) })
	}, check.Should(), changesKeys(swelling, "ID-JAGs by a key that stands in a JWKS of 5 MB, most of it blanks"))
})

// recovers fails unless an honest ID-JAG is granted again soon after the fault is gone.
func recovers(t *server.T) {
	server.MustControl(t, t.World.Control.Restore(t, t.IdPName))
	if !eventually(t, "what is there again", func() bool { return server.Granted(t.Redeem(t.Grant())) }) {
		t.Failf("expected an honest ID-JAG to be granted within %s (timing.jwks_patience) after the keys were there again",
			t.Config.Timing.JWKSPatience)
	}
}

// mustNotBlock presents an ID-JAG whose key the target has to fetch from an endpoint that does not answer; count is of
// the requests there. Meanwhile an honest one, whose key it knows, has to be granted, and one of another IdP; and the
// first one has to be answered within the time that any request may take.
func mustNotBlock(t *server.T, key *mockidp.Key, where string, count func(*server.T) int) {
	before, served := count(t), false
	var attack *wire.Answer
	asked := eventually(t, "the IdP's keys", func() bool {
		answered := make(chan *wire.Answer, 1)
		go func() {
			answered <- t.Wire.Do(t, t.TokenRequest(t.Grant(server.SignedBy(key))), t.Recorder(), reports.Attack,
				"must be refused")
		}()
		for {
			select {
			case attack = <-answered:
				return count(t) > before
			case <-time.After(50 * time.Millisecond):
				if served || count(t) == before {
					continue
				}
				mustServe(t, where)
				served = true
			case <-t.Done():
				return false
			}
		}
	})
	switch {
	case !asked:
		t.Inconclusivef("the target did not ask for the IdP's keys within %s (timing.jwks_patience)",
			t.Config.Timing.JWKSPatience)
	case attack.Err != nil:
		t.Failf("an ID-JAG by an unknown key was not answered within %s (timing.request), while the IdP's %s "+
			"does not answer: set a limit of a few seconds on fetching it", t.Config.Timing.Request, where)
	default:
		server.ExpectRefused(t, attack)
	}
}

// mustServe fails unless honest ID-JAGs are granted now, of this IdP and of another one.
func mustServe(t *server.T, where string) {
	granted := func(honest *server.Token) bool {
		return server.Granted(t.Wire.Do(t, t.TokenRequest(honest), t.Recorder(), reports.Control, "an honest one meanwhile"))
	}
	if !granted(t.Grant()) {
		t.Failf("while the IdP's %s does not answer, an honest ID-JAG whose key is known is not answered within %s: one "+
			"slow identity provider takes the token endpoint down for everybody", where, t.Config.Timing.Request)
	}
	if t.SecondIdP != nil && len(t.Config.SecondIdP.Users) > 0 &&
		!granted(t.GrantFrom(t.SecondIdP, t.Config.SecondIdP.Users[0])) {
		t.Failf("while one IdP's %s does not answer, an honest ID-JAG of another one is not answered within %s: one "+
			"slow identity provider takes the token endpoint down for the others' customers", where, t.Config.Timing.Request)
	}
}

var _ = check.For("RAS-JWKS-FAULTS", func() {
	server.It("other-issuer", "tries no other issuer's keys when those of the issuer cannot be had", func(t *server.T) {
		t.Control(t.Grant())
		t.Control(t.GrantFrom(t.SecondIdP, t.Config.SecondIdP.Users[0]))
		spoil(t, mockidp.Reply{Status: http.StatusInternalServerError, Body: "{}"})
		until(t, func() *server.Token { return t.Grant(server.SignedBy(t.SecondIdP.Keys.Signing())) })
		recovers(t)
	}, check.InAllLanes(), check.With(server.NeedsSecondIdP),
		changesKeys(failing, "ID-JAGs in the name of one trusted IdP that another one signed, while the first "+
			"one's keys cannot be had"))

	server.It("stale", "does not use keys without end that it could not fetch again", func(t *server.T) {
		const advice = "keep keys no longer than Cache-Control says"
		if kept := inAutumn(t).kept; kept > 0 {
			t.Proven()
			t.Warnf("the target did not ask for the keys for %s, though they came with max-age=0, must-revalidate, and granted "+
				"what a withdrawn one signed (RAS-JWKS-ROTATION/withdrawn-key): %s", kept.Round(time.Second), advice)
			return
		}
		if !inWinter(t) {
			t.Inconclusivef("the target does not fetch the keys that it is to keep no longer: see RAS-JWKS-ROTATION/new-key")
		}
		spoil(t, mockidp.Reply{Status: http.StatusInternalServerError, Body: "{}"})
		before := fetches(t)
		refused := func() bool { return !server.Granted(t.Attack(t.Grant())) }
		wait := inTime + t.Config.Timing.JWKSPatience
		kept := !t.Within(wait, refused)
		if kept {
			t.Proven() // by each of these grants
		}
		switch asked := fetches(t) > before; {
		case kept && asked:
			t.Failf("the target asked for the keys again, got HTTP 500, and has granted ID-JAGs for %s since, though "+
				"they came with max-age=0, must-revalidate: who can keep the IdP's keys from being fetched keeps a "+
				"stolen key alive", wait)
		case kept:
			t.Warnf("the target has not asked for the keys for %s, though they came with max-age=0, must-revalidate: %s",
				wait, advice)
		}
		recovers(t)
	}, check.By("RFC 9111 §5.2.2.2"), inYear(frost,
		"ID-JAGs signed with a key that may not be used without asking again, while the JWKS endpoint answers 500"))
})
