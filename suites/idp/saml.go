package idp

import (
	"encoding/base64"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// document is a valid assertion as XML.
func document(t *T, from string) []byte { return assertion(t, do(t, from, t.Alice().Login)) }

// assertion is what a hook printed or a file holds, XML or base64 of it, as XML.
func assertion(t *T, text string) []byte {
	raw := []byte(text)
	if !strings.HasPrefix(text, "<") {
		plain := strings.NewReplacer("-", "+", "_", "/", "=", "", "\n", "", "\r", "").Replace(text)
		var err error
		if raw, err = base64.RawStdEncoding.DecodeString(plain); err != nil {
			t.Inconclusivef("saml: expected an assertion, as XML or as base64 of it")
		}
	}
	if !hostile.IsAssertion(raw) {
		t.Inconclusivef("saml: expected an Assertion element with a NameID and a signature; a whole Response is none")
	}
	return raw
}

// asserting presents an assertion as subject.
func asserting(t *T, document []byte) Option {
	return func(x *Exchange) {
		Subject(base64.RawURLEncoding.EncodeToString(document))(x)
		Param("subject_token_type", TypeSAML)(x)
		if t.Config.SAML.Refresh {
			for _, name := range []string{"audience", "resource"} {
				Without(name)(x)
			}
			Param("requested_token_type", TypeRefresh)(x)
			Param("scope", "openid offline_access")(x)
		}
	}
}

// subjectBehind is sub of the ID-JAG that an answer to an assertion leads to.
func subjectBehind(t *T, a *wire.Answer) string {
	if t.Config.SAML.Refresh {
		return t.Control(refreshing(a.String("access_token"))).String("sub")
	}
	g, _ := t.Read(a)
	return g.String("sub")
}

// besideAssertion has an attack sent between two valid assertions that are granted. want is sub of what they lead to.
func besideAssertion(t *T, attack func() *wire.Answer) (want string, attacked *wire.Answer) {
	control, attacked := t.BesideKind("assertion", Granted, func(t *T) *wire.Answer {
		a := t.Twin(asserting(t, document(t, t.Config.SAML.Assertion)))
		if Granted(a) && t.Config.SAML.Refresh {
			return t.Twin(refreshing(a.String("access_token")))
		}
		return a
	}, attack)
	g, _ := t.Read(control)
	return g.String("sub"), attacked
}

// forgedName is whom a forged assertion names: another user, where one is known.
func forgedName(t *T) string {
	if bob := t.Bob(); bob != nil {
		return bob.Login
	}
	return "somebody.else@" + strings.TrimPrefix(t.Alice().Login[strings.LastIndexByte(t.Alice().Login, '@')+1:], "@")
}

var _ = check.For("IDP-SUBJECT-SAML", func() {
	needs := check.With(NeedsSAML)
	It("granted", "takes a valid assertion and names the same user as for an ID token", func(t *T) {
		want, a := besideAssertion(t, func() *wire.Answer { return t.Exchange() })
		if !Granted(a) {
			t.Inconclusivef("the honest exchange was not granted: %s", a.Summary())
		}
		g, _ := t.Read(a)
		Expect(want).To(Equal(g.String("sub")), "sub of the grant for an assertion, compared with that for an ID token")
	}, needs, check.Must(), check.Sends("A valid assertion."))

	for _, attack := range hostile.SAMLAttacks() {
		options := []check.Option{needs, check.Must(), check.Sends("A valid assertion, then " + attack.What + ".")}
		if attack.Lax {
			options = append(options, check.Should())
		}
		if attack.Heavy {
			options = append(options, check.Intrusive())
		}
		title := "refuses " + attack.What
		if attack.Whole {
			title += ", or reads the whole name"
		}
		It(attack.ID, title, func(t *T) { judgeForged(t, attack) }, options...)
	}
	It("replayed", "refuses an assertion that it has taken before", func(t *T) {
		d := document(t, t.Config.SAML.Assertion)
		if a := t.Twin(asserting(t, d)); !Granted(a) {
			t.Inconclusivef("the valid assertion was not granted: %s", a.Summary())
		}
		Expect(t.Attack(asserting(t, d))).To(server.BeRefused(), "RFC 7522 3: may remember them")
	}, needs, check.Should(), check.Sends("The same assertion, twice."))

	for _, misuse := range hostile.SAMLMisuses() {
		key, of := misused(misuse.ID)
		It(misuse.ID, "refuses "+misuse.What, func(t *T) {
			_, a := besideAssertion(t, func() *wire.Answer { return t.Attack(asserting(t, document(t, of(t.World)))) })
			Expect(a).To(server.BeRefused())
		}, check.With(NeedsHook(key, of)), check.Must(), check.Sends("A valid assertion, then "+misuse.What+"."))
	}
})

// judgeForged presents what was made of a valid assertion.
func judgeForged(t *T, attack hostile.SAMLAttack) {
	forged := func() Option { return asserting(t, attack.Make(document(t, t.Config.SAML.Assertion), forgedName(t))) }
	if !attack.Whole {
		_, a := besideAssertion(t, func() *wire.Answer { return t.Attack(forged()) })
		Expect(a).To(server.BeRefused())
		return
	}
	if want, a := besideAssertion(t, func() *wire.Answer { return t.Probe(forged()) }); Granted(a) {
		Expect(subjectBehind(t, a)).To(Equal(want), "sub of what is granted for it, compared with the valid one's")
	}
}

// misused is the key of the configuration for an assertion that is meant for another use.
func misused(id string) (key string, of func(*World) string) {
	switch id {
	case "other-audience":
		return "saml.other_audience", func(w *World) string { return w.Config.SAML.OtherAudience }
	case "other-recipient":
		return "saml.other_recipient", func(w *World) string { return w.Config.SAML.OtherRecip }
	case "expired":
		return "saml.expired", func(w *World) string { return w.Config.SAML.Expired }
	case "early":
		return "saml.early", func(w *World) string { return w.Config.SAML.Early }
	}
	panic("no key of the configuration gives the assertion " + id)
}
