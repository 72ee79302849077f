package idjag

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// atOnce is how many requests of a race are sent at the same time, and races how many there are at least: the first one
// has to open its connections, which spreads its requests in time. Where the way to the target spreads its answers over
// more than apart, requests meet less often: then there are up to mostRaces, as long as they take no longer than
// racing.
const (
	atOnce, races, mostRaces = 16, 3, 12
	apart, racing            = 60 * time.Millisecond, 4 * time.Second
)

// manyOthers is how many ID-JAGs a small cache cannot hold.
const manyOthers = 160

var _ = check.For("RAS-JTI-REPLAY", func() {
	server.It("twice", "refuses an ID-JAG that it has already redeemed", func(t *server.T) {
		grant := t.Grant()
		t.Control(grant)
		server.ExpectRefused(t, t.Attack(grant), server.InvalidGrant)
	}, server.Refusal(server.InvalidGrant), check.Sends("One ID-JAG twice: the first time is the control"))

	server.It("another", "grants another ID-JAG of the same user and client", func(t *server.T) {
		t.Redeem(t.Grant())
		Expect(t.Redeem(t.Grant())).To(server.BeGranted(), "its jti is another one: only that tells ID-JAGs apart")
	}, check.By("ID-JAG draft-04 §4.4"), check.Sends("Two ID-JAGs that differ in jti alone"))

	server.It("race", "grants no more than one of many simultaneous requests with one ID-JAG", func(t *server.T) {
		t.Control(t.Grant())
		for n, began, spread := 0, time.Now(), time.Duration(0); n < races || spread > apart && n < mostRaces &&
			time.Since(began) < racing; n++ {
			answers := t.Race(atOnce, t.Grant())
			granted := 0
			for _, a := range answers {
				if server.Granted(a) {
					granted++
				}
			}
			if granted > 1 { // a proof: what happens by chance need not happen again
				t.Provef("expected one grant, but %d of %d simultaneous requests with one ID-JAG were granted: looking a jti up "+
					"and recording it must be one atomic step", granted, atOnce)
			}
			if granted == 0 {
				t.Warnf("none of %d simultaneous requests with one ID-JAG was granted", atOnce)
			}
			took := func(a, b *wire.Answer) int { return cmp.Compare(a.Took, b.Took) }
			spread = slices.MaxFunc(answers, took).Took - slices.MinFunc(answers, took).Took
		}
	}, check.Intrusive(), check.Sends("The same ID-JAG in 16 requests at once, three times with a fresh one, more "+
		"often where the answers come spread in time"))

	server.It("re-signed", "refuses a used jti in an ID-JAG with other claims", func(t *server.T) {
		used := t.Grant()
		t.Control(used)
		again := t.Grant(server.Set("jti", used.Claims["jti"]), server.Ahead("exp", 4*time.Minute))
		server.ExpectRefused(t, t.Attack(again), server.InvalidGrant)
	}, server.Refusal(server.InvalidGrant),
		check.Sends("An ID-JAG as control, then another one of the same issuer, user and jti that expires at another time"))

	server.It("after-refusal", "redeems an ID-JAG once even when another client tried it before", func(t *server.T) {
		grant := t.Grant()
		t.Control(t.Grant())
		Expect(t.Attack(grant, server.As(t.Client(1)))).To(server.BeRefused())
		if server.Granted(t.Redeem(grant)) {
			t.Notef("the attempt of another client does not use an ID-JAG up")
		} else {
			t.Notef("the attempt of another client uses an ID-JAG up: whoever copies one can keep its owner from it")
		}
		server.ExpectRefused(t, t.Attack(grant))
	}, check.With(server.NeedsSecondClient),
		check.Sends("One ID-JAG by another client, then by the right one, then once more"))

	server.It("other-issuer", "grants an ID-JAG whose jti another issuer has used", func(t *server.T) {
		used := t.Grant()
		t.Control(used)
		theirs := t.Config.SecondIdP.Users[0]
		t.Control(t.GrantFrom(t.SecondIdP, theirs))
		Expect(t.Redeem(t.GrantFrom(t.SecondIdP, theirs, server.Set("jti", used.Claims["jti"])))).To(server.BeGranted(),
			"two issuers may choose the same jti, so used ones are remembered by issuer")
	}, check.Should(), check.With(server.NeedsSecondIdP),
		check.Sends("An ID-JAG of each of two issuers, then one of the second with the jti of the first"))

	server.It("after-revocation", "refuses a used ID-JAG also when its access token was revoked", func(t *server.T) {
		grant := t.Grant()
		token := t.Control(grant).String("access_token")
		server.MustRevoke(t, token)
		server.ExpectRefused(t, t.Attack(grant), server.InvalidGrant)
	}, server.Refusal(server.InvalidGrant), check.With(server.NeedsEndpoint("revocation_endpoint")),
		check.Sends("An ID-JAG as control, the revocation of its access token, then the same ID-JAG"))

	server.It("until-expiry", "remembers a used ID-JAG to the end of its life", func(t *server.T) {
		grant, exp := redeemShort(t)
		Consistently(t.Context, func() *wire.Answer { return t.Attack(grant) }).WithTimeout(exp.Sub(t.Now())).
			WithPolling(250 * time.Millisecond).Should(server.BeRefused())
		// The text proposed for EMA 7.4.2 wants it remembered until exp at least; leeway is RAS-EXP's.
		if after := t.Attack(grant); server.Granted(after) {
			t.Notef("a used ID-JAG is granted again after exp: the target has leeway, and forgets at exp what was used. " +
				"Remember it for as long as it would be taken")
		}
	}, check.Slow(),
		check.Sends("An ID-JAG that lives a second or two, the same again until it has expired, and once after that"))
})

// withinLeeway is the age at which most servers that allow for clocks that differ still take an ID-JAG.
const withinLeeway = 20 * time.Second

var _ = check.For("RAS-JTI-REPLAY", func() {
	server.It("within-leeway", "refuses a used ID-JAG also where it takes one that has just expired", func(t *server.T) {
		t.Control(t.Grant())
		late := t.Grant(expired(withinLeeway))
		if !server.Granted(t.Redeem(late)) {
			t.Notef("an ID-JAG that expired %s ago is refused", withinLeeway)
			return
		}
		server.ExpectRefused(t, t.Attack(late), server.InvalidGrant)
	}, server.Refusal(server.InvalidGrant), check.Sends("An ID-JAG that expired 20 seconds ago and, where it is granted "+
		"for clocks that differ, the same once more; after an honest one as control"))
})

// redeemShort redeems an ID-JAG whose end can be waited for. Where clocks differ or the target is far away, it takes
// one that lives longer.
func redeemShort(t *server.T) (grant *server.Token, exp time.Time) {
	for _, life := range []time.Duration{500 * time.Millisecond, 3 * time.Second, 8 * time.Second} {
		exp = t.Now().Add(life).Truncate(time.Second).Add(time.Second)
		grant = t.Grant(server.Set("exp", exp.Unix()))
		if server.Granted(t.Redeem(grant)) {
			return grant, exp
		}
	}
	t.Inconclusivef("an ID-JAG that lives 8 seconds was not granted: the target's clock is ahead, or it is slow")
	return nil, exp
}

var _ = check.For("RAS-JTI-REPLAY", func() {
	for slug, other := range map[string]struct {
		what    string
		edit    func(t *server.T) server.Edit
		options []check.Option
	}{
		"re-issued": {"that was issued at another time", func(t *server.T) server.Edit {
			return server.Set("iat", t.Now().Add(-10*time.Second).Unix())
		}, nil},
		"other-resource": {"for another MCP server", func(t *server.T) server.Edit {
			return server.Set("resource", t.Config.SecondServer)
		}, []check.Option{check.With(server.NeedsSecondServer)}},
		"other-scope": {"with another scope", func(t *server.T) server.Edit {
			return server.Set("scope", t.Config.Scopes[0])
		}, []check.Option{check.With(server.NeedsTwoScopes)}},
	} {
		server.It(slug, "refuses a used jti in an ID-JAG "+other.what, func(t *server.T) {
			used := t.Grant()
			t.Control(used)
			again := t.Grant(server.Set("jti", used.Claims["jti"]), other.edit(t))
			server.ExpectRefused(t, t.Attack(again), server.InvalidGrant)
		}, append([]check.Option{server.Refusal(server.InvalidGrant),
			check.Sends("An ID-JAG as control, then another one of the same issuer, user and jti " + other.what)},
			other.options...)...)
	}

	server.It("later", "refuses a used ID-JAG also later that it refuses at once", func(t *server.T) {
		grant := t.Grant()
		t.Control(grant)
		if server.Granted(t.Redeem(grant)) {
			t.Skipf("it remembers no used ID-JAG: RAS-JTI-REPLAY/twice says what to make of that")
		}
		t.Rest(t.Config.Timing.Replay, "a used ID-JAG, which lives on, is sent once more (timing.replay)")
		if exp, _ := grant.Claims["exp"].(int64); t.Now().After(time.Unix(exp, 0).Add(-t.Config.Timing.Request)) {
			t.Inconclusivef("when other checks were over, which ran meanwhile, the ID-JAG had nearly expired")
		}
		if a := t.Attack(grant); server.Granted(a) {
			t.Failf("an ID-JAG that lives five minutes was refused when it came again at once, and granted %s later: "+
				"who reads one in a log need only wait. Used ids are to be kept for as long as the ID-JAG is valid",
				t.Config.Timing.Replay)
		} else {
			server.ExpectRefused(t, a) // with which code is what RAS-JTI-REPLAY/twice judges
		}
		t.Control(t.Grant())
	}, server.Refusal(), check.Slow(),
		check.Sends("An ID-JAG that lives five minutes, again at once, and once more after 65 seconds (timing.replay)"))

	server.It("after-many", "refuses a used ID-JAG also after many others", func(t *server.T) {
		grant := t.Grant()
		t.Control(grant)
		if server.Granted(t.Redeem(grant)) {
			t.Skipf("it remembers no used ID-JAG: RAS-JTI-REPLAY/twice says what to make of that")
		}
		others := make([]*wire.Request, manyOthers)
		for i := range others {
			others[i] = t.TokenRequest(t.Quick())
		}
		for some := range slices.Chunk(others, atOnce) {
			t.SendAll(some)
		}
		if a := t.Attack(grant); server.Granted(a) {
			t.Failf("an ID-JAG that was refused when it came again at once is granted after %d others: what holds a "+
				"fixed number of used ids forgets them as fast as somebody redeems", manyOthers)
		} else {
			server.ExpectRefused(t, a)
		}
	}, check.Intrusive(), check.Slow(), server.Refusal(),
		check.Sends(fmt.Sprintf("An ID-JAG, again at once, then %d others, then the first once more", manyOthers)))

	server.It("other-client", "refuses a used jti in an ID-JAG for another client", func(t *server.T) {
		other := t.Client(1)
		t.Control(server.GrantFor(t, other), server.As(other))
		used := t.Grant()
		t.Control(used)
		again := t.Grant(server.Set("jti", used.Claims["jti"]), server.Set("client_id", other.ID))
		server.ExpectRefused(t, t.Attack(again, server.As(other)), server.InvalidGrant)
	}, server.Refusal(server.InvalidGrant), check.With(server.NeedsSecondClient),
		check.Sends("An ID-JAG as control, then another one of the same issuer, user and jti for another client, "+
			"by that one"))
})
