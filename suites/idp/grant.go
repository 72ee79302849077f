package idp

import (
	"encoding/json"
	"strings"
	"sync"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/config"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/wire"
)

// integer is a JSON number.
func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case float64:
		return int64(n), true
	case json.Number:
		i, err := n.Int64()
		return i, err == nil
	}
	return 0, false
}

var _ = check.For("IDP-JAG-HEADER", func() {
	It("typ", "types the grant as oauth-id-jag+jwt", func(t *T) {
		Expect(t.Control().Header["typ"]).To(Equal("oauth-id-jag+jwt"), "typ (ID-JAG 3.1)")
	}, honest)

	It("alg", "signs the grant with an asymmetric algorithm", func(t *T) {
		Expect(t.Control().Header["alg"]).To(BeElementOf("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",
			"ES384", "ES512", "EdDSA",
			"Ed25519"), "alg")
	}, honest)

	It("kid", "names the key that signed the grant", func(t *T) {
		Expect(t.Control().Header["kid"]).NotTo(BeElementOf(nil, ""), "kid (RFC 7515 4.1.4)")
	}, check.Should(), honest)

	It("verifies", "signs the grant with a published key", func(t *T) {
		if _, err := t.Read(t.Control().Answer); err != nil {
			t.Failf("the ID-JAG does not verify with the keys at %s: %v", t.Provider.JWKSURI, err)
		}
	}, check.Sends("An honest exchange; the grant is verified with the key set."))
})

var _ = check.For("IDP-JAG-CLAIMS", func() {
	claim := func(name, title string, judge func(*T, *Grant)) {
		It(name, title, func(t *T) { judge(t, t.Control()) }, honest)
	}
	claim("iss", "puts its issuer identifier into iss", func(t *T, g *Grant) {
		Expect(g.Claims["iss"]).To(Equal(t.Config.IdP.Issuer), "iss")
	})
	claim("aud", "puts the issuer identifier of the resource authorization server into aud, and "+
		"nothing else", func(t *T, g *Grant) {
		aud := g.Claims["aud"]
		if list, ok := aud.([]any); ok && len(list) == 1 {
			aud = list[0]
		}
		Expect(aud).To(Equal(t.Notes().Audience), "aud")
	})
	claim("sub", "puts the user into sub", func(_ *T, g *Grant) {
		Expect(g.String("sub")).NotTo(BeEmpty(), "sub")
	})
	claim("jti", "gives the grant an id", func(_ *T, g *Grant) {
		Expect(g.String("jti")).NotTo(BeEmpty(), "jti")
	})
	claim("iat", "dates the grant", func(t *T, g *Grant) {
		iat, ok := g.Number("iat")
		Expect(ok).To(BeTrue(), "iat is to be a number")
		Expect(iat).To(BeNumerically("~", t.Now().Unix(), 120), "iat, compared with now")
	})
	claim("exp", "gives the grant an end that is ahead", func(t *T, g *Grant) {
		exp, ok := g.Number("exp")
		Expect(ok).To(BeTrue(), "exp is to be a number")
		Expect(exp).To(BeNumerically(">", t.Now().Unix()), "exp, compared with now")
	})
	It("client-id", "puts the client's id at the target into client_id", func(t *T) {
		Expect(t.Control().Claims["client_id"]).To(Equal(t.Notes().ClientID), "client_id (ID-JAG 3.1: as known to the RAS)")
	}, check.With(NeedsClientID), honest)
	It("client-id-there", "names the client in client_id", func(t *T) {
		Expect(t.Control().String("client_id")).NotTo(BeEmpty(), "client_id")
	}, honest)
	It("two-users", "gives two users two subjects", func(t *T) {
		Expect(t.Control().String("sub")).NotTo(Equal(t.Control(For(t.Bob())).String("sub")), "sub of another user")
	}, check.With(NeedsBob), check.Sends("An honest exchange for each of two users."))
	It("one-user", "names a user in the same way each time", func(t *T) {
		first := t.Control().String("sub")
		Expect(t.Control().String("sub")).To(Equal(first), "sub of the same user")
	}, check.Sends("An honest exchange, twice."))
	each := func(slug, title string, judge func(*T, []*Grant)) {
		It(slug, title, func(t *T) { judge(t, manyGrants(t)) }, check.Slow(), ofMany)
	}
	each("jti-unique", "gives each of 200 grants an id of its own", func(t *T, grants []*Grant) {
		seen := map[string]int{}
		for _, g := range grants {
			if seen[g.String("jti")]++; seen[g.String("jti")] == 2 {
				t.Failf("%d grants have fewer ids than that: replay detection throws honest users out", len(grants))
			}
		}
	})
	each("many-subjects", "names each user in one way in all of 200 grants, and two users otherwise",
		func(t *T, grants []*Grant) {
			subs := map[string]string{} // login → sub
			for _, g := range grants {
				login, sub := g.Of.Login, g.String("sub")
				if subs[login] == "" {
					subs[login] = sub
				}
				Expect(sub).To(Equal(subs[login]), "sub of "+login+" in one of %d grants", len(grants))
			}
			if bob := t.Bob(); bob != nil {
				Expect(subs[bob.Login]).NotTo(Equal(subs[t.Alice().Login]), "sub of another user")
			}
		})
	each("many-times", "dates each of 200 grants by the same clock", func(t *T, grants []*Grant) {
		for _, g := range grants {
			iat, _ := g.Number("iat")
			exp, _ := g.Number("exp")
			Expect(iat).To(BeNumerically("~", t.Now().Unix(), 120), "iat of one of %d grants", len(grants))
			Expect(exp).To(BeNumerically(">", iat), "exp of one of %d grants", len(grants))
		}
	})
})

var _ = check.For("IDP-JAG-HEADER", func() {
	It("many-verify", "signs each of 200 grants with a published key", func(t *T) {
		for _, g := range manyGrants(t) {
			if g.Unverified != nil {
				t.Failf("one of 200 grants does not verify with the keys at %s: %v", t.Provider.JWKSURI, g.Unverified)
			}
		}
	}, check.Slow(), ofMany)
})

var ofMany = check.Sends("200 honest exchanges, by turns for two users where there are two.")

// many is how many grants are compared: enough for a counter of a byte, or a clock of milliseconds, to repeat, and for
// each of the machines behind an address to have its turn.
const many = 200

// manyGrants are many grants, for two users by turns, and as many at a time as the identity provider bears. The first
// few are recorded.
func manyGrants(t *T) []*Grant {
	type made struct {
		Chapter
		grants []*Grant
	}
	m := Season(t, "many grants", func() *made {
		m := &made{}
		t.Tell(&m.Chapter, func(t *T) { m.grants = makeGrants(t) })
		if m.Problem == "" && len(m.grants) < many/2 {
			m.Stopf("only %d of %d exchanges were granted", len(m.grants), many)
		}
		return m
	})
	t.Look(&m.Chapter)
	return m.grants
}

func makeGrants(t *T) (list []*Grant) {
	users := []*config.User{t.Alice()}
	if bob := t.Bob(); bob != nil {
		users = append(users, bob)
	}
	requests, answers := make([]*wire.Request, many), make([]*wire.Answer, many)
	for n := range requests {
		requests[n] = t.Request(For(users[n%len(users)]))
	}
	var done sync.WaitGroup
	for n, r := range requests {
		recorder := t.Recorder()
		if n > 3 {
			recorder = nil
		}
		done.Go(func() { answers[n] = t.Wire.Do(t, r, recorder, reports.Control, "one of 200") })
	}
	done.Wait()
	for n, a := range answers {
		if Granted(a) {
			g, err := t.Read(a)
			g.Of, g.Unverified = users[n%len(users)], err
			list = append(list, g)
		}
	}
	return list
}

var _ = check.For("IDP-JAG-SHORT", func() {
	It("lifetime", "issues grants that end within an hour", func(t *T) {
		g := t.Control()
		exp, _ := g.Number("exp")
		iat, _ := g.Number("iat")
		if iat == 0 {
			iat = t.Now().Unix()
		}
		life := exp - iat
		Expect(life).To(BeNumerically("<=", 3600), "seconds that the grant lives")
		if life > 300 {
			t.Warnf("the grant lives for %d seconds: 300 are enough", life)
		}
	}, honest)
})

var _ = check.For("IDP-JAG-RESOURCE", func() {
	It("resource", "puts the resource into the grant", func(t *T) {
		Expect(single(t.Control().Claims["resource"])).To(Equal(t.Notes().Resource), "resource")
	}, check.With(NeedsResource), honest)
	It("second-resource", "puts the resource that was asked for into the grant, and not the first one", func(t *T) {
		Expect(single(t.Control(Param("resource",
			t.Notes().SecondResource)).Claims["resource"])).To(Equal(t.Notes().SecondResource), "resource")
	}, check.With(NeedsResource, NeedsSecondResource), check.Sends("An exchange for the target's second resource."))
	It("scope", "puts the scopes into the grant", func(t *T) {
		Expect(t.Control().Scopes()).To(ConsistOf(t.Notes().Scopes), "scope")
	}, check.With(NeedsScope), honest)
	It("narrower-scope", "grants no more than what was asked for", func(t *T) {
		Expect(t.Control(Param("scope", t.Notes().Scopes[0])).Scopes()).To(ConsistOf(t.Notes().Scopes[0]),
			"scope of an exchange for one of them")
	}, check.With(NeedsTwoScopes), check.Sends("An exchange for one of the scopes."))
	It("scope-repeated", "says the same of the scope in the answer and in the grant", func(t *T) {
		g := t.Control(Param("scope", t.Notes().Scopes[0]))
		said := g.Answer.String("scope")
		if said == "" {
			said = t.Notes().Scopes[0]
		}
		Expect(strings.Fields(said)).To(ConsistOf(g.Scopes()), "scope of the answer, compared with the grant's")
	}, check.With(NeedsTwoScopes), check.Sends("An exchange for one of the scopes."))
})

// single is the one value of a claim that may be a list of one.
func single(v any) any {
	if list, ok := v.([]any); ok && len(list) == 1 {
		return list[0]
	}
	return v
}

var _ = check.For("IDP-JAG-SUB", func() {
	It("sub-at-ras", "names the user as the target's own sign-on does", func(t *T) {
		Expect(t.Control().String("sub")).To(Equal(t.Alice().SubAtRAS), "sub")
	}, check.With(NeedsSub), honest)
})

// personal are claims that say more of a person than a grant needs (OpenID Connect Core section 5.1, and what vendors
// add).
var personal = []string{"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile",
	"picture", "website",
	"gender", "birthdate", "zoneinfo", "locale", "phone_number", "address", "groups", "roles", "upn", "unique_name"}

var _ = check.For("IDP-JAG-MINIMAL", func() {
	It("personal-data", "keeps names, numbers and groups out of the grant", func(t *T) {
		g := t.Control()
		for _, name := range personal {
			if g.Claims[name] != nil {
				t.Failf("the grant has the claim %s", name)
			}
		}
		noteExtras(t, g)
	}, honest)
	It("email", "keeps the e-mail address out of the grant unless the connection asks for it", func(t *T) {
		switch g := t.Control(); {
		case g.Claims["email"] == nil:
		case t.Notes().Email:
			t.Notef("the grant has the e-mail address, as the connection asks for")
		default:
			t.Failf("the grant has the claim email, and targets[0].email does not say that the connection asks for it")
		}
	}, honest)
})

// noteExtras notes what vendors are known to add.
func noteExtras(t *T, g *Grant) {
	for _, name := range []string{"act", "sub_profile", "auth_time", "amr", "acr", "app_org", "aud_sub", "aud_tenant",
		"ver", "tid", "oid"} {
		if g.Claims[name] != nil {
			t.Notef("the grant has the claim %s", name)
		}
	}
}

var _ = check.For("IDP-TENANT", func() {
	It("there", "names the user's tenant in the grant", func(t *T) {
		Expect(t.Control().String("tenant")).NotTo(BeEmpty(), "tenant (ID-JAG 6.1)")
	}, check.With(NeedsTenant), honest)
	It("right", "names the tenant that the user belongs to", func(t *T) {
		if t.Alice().Tenant == "" {
			t.Skipf("users[0].tenant does not say which it is")
		}
		Expect(t.Control().String("tenant")).To(Equal(t.Alice().Tenant), "tenant")
	}, check.With(NeedsTenant), honest)
	It("not-asked", "takes the tenant from the user and not from the request", func(t *T) {
		before := t.Control().String("tenant")
		if a := t.Probe(Param("tenant", "another-tenant")); Granted(a) {
			g, _ := t.Read(a)
			Expect(g.String("tenant")).To(Equal(before), "tenant of an exchange that names another one")
		}
	}, check.With(NeedsTenant), check.Sends("An exchange with a parameter tenant."))
})

var _ = check.For("IDP-SUB-ID", func() {
	It("members", "has the members of the NameID in sub_id, and no others", func(t *T) {
		target := t.SubIDTarget()
		id, _ := t.Control(To(target)).Claims["sub_id"].(map[string]any)
		for name, want := range target.SubID {
			Expect(id[name]).To(Equal(want), "sub_id.%s", name)
		}
		for name := range id {
			Expect(target.SubID).To(HaveKey(name), "members of sub_id")
		}
	}, check.With(NeedsSubID), check.Sends("An honest exchange for a target that knows people by SAML names."))
	It("only-where-needed", "leaves sub_id out for a target that needs none", func(t *T) {
		Expect(t.Control().Claims["sub_id"]).To(BeNil(), "sub_id")
	}, check.With(NeedsSubID, Need("targets[].sub_id", "the first target needs one", func(w *World) bool {
		return w.Notes().SubID == nil
	})), honest)
})

var _ = check.For("IDP-JWE", func() {
	It("encrypted", "encrypts the grant to the target's key", func(t *T) {
		a := t.Exchange(To(t.EncryptedTarget()))
		if !Granted(a) {
			t.Inconclusivef("the honest exchange was not granted: %s", a.Summary())
		}
		token := a.String("access_token")
		Expect(strings.Count(token, ".")).To(Equal(4), "dots of a token that is encrypted (RFC 7516 7.1)")
		if _, err := t.Read(a); err != nil {
			t.Failf("%v", err)
		}
	}, check.With(NeedsDecryptKey), check.Sends("An honest exchange for a target whose grants are encrypted."))
	It("signed", "signs the grant before it encrypts it", func(t *T) {
		g := t.Control(To(t.EncryptedTarget()))
		if strings.Count(g.Answer.String("access_token"), ".") != 4 {
			t.Skipf("the grant is not encrypted: see IDP-JWE/encrypted")
		}
		if err := t.Verify(g.Compact); err != nil {
			t.Failf("what is encrypted is not signed with a published key: %v", err)
		}
	}, check.With(NeedsDecryptKey), check.Sends("An honest exchange for a target whose grants are encrypted."))
	It("not-elsewhere", "does not encrypt grants for others to that key", func(t *T) {
		Expect(strings.Count(t.Control().Answer.String("access_token"), ".")).To(Equal(2),
			"dots of a token for the first target")
	}, check.With(NeedsDecryptKey, Need("targets[].decrypt_key_file", "the first target's grants are encrypted, too",
		func(w *World) bool { return w.Notes().DecryptKey == nil })), honest)
})
