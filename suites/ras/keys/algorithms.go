package keys

import (
	"strings"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// labelled is the ID-JAG with a good signature and an alg that does not say how it was made; nil is no alg.
func labelled(alg any) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string {
		honest.Header["alg"] = alg
		if alg == nil {
			delete(honest.Header, "alg")
		}
		return hostile.Sign(honest)
	}
}

var _ = check.For("RAS-SIG-ALG", func() {
	server.Refuses(
		server.Attack{Slug: "hmac-client-secret", What: "an HMAC keyed with the client's own secret",
			Craft: func(t *server.T, honest *server.Token) string {
				return hostile.HMAC(honest, []byte(t.Client(0).Secret))
			}, Options: []check.Option{check.With(server.NeedsSecret)}},
		server.Attack{Slug: "missing", What: "a signed ID-JAG without alg", Craft: labelled(nil)},
		server.Attack{Slug: "unknown", What: "a signed ID-JAG whose alg does not exist", Craft: labelled("XS256")},
		server.Attack{Slug: "number", What: "a signed ID-JAG whose alg is a number", Craft: labelled(256)},
	)

	server.It("other-key-type", "refuses an ID-JAG whose alg does not fit the key that its kid names", func(t *server.T) {
		key := mustTakeES256(t)
		server.ExpectRefused(t, t.Attack(hostile.Sign(t.Grant(server.SignedBy(key), server.SetHeader("alg", "RS256")))))
	}, check.Sends("An ID-JAG signed with ES256 as control, then one by the same key with RS256 in its header"))
})

var _ = check.For("RAS-SIG-ALG", func() {
	for _, alg := range []string{"PS256", "RS512"} {
		server.It("sibling-"+strings.ToLower(alg), "refuses "+alg+
			" by a key that is published for another algorithm", func(t *server.T) {
			t.Control(t.Grant())
			key := *t.IdP.Keys.Signing()
			if key.Algorithm != "RS256" {
				t.Skipf("the IdP signs with %s, which has no sibling (idp.alg)", key.Algorithm)
			}
			key.Algorithm = alg
			server.ExpectRefused(t, t.Attack(t.Grant(server.SignedBy(&key))))
		}, check.By("RFC 8725 §3.1"), server.Refusal(),
			check.Sends("An honest ID-JAG as control, then one that the same key has signed with "+alg+
				", though the JWKS names RS256"))
	}
})
