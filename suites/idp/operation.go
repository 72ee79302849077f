package idp

import (
	"os"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/signin"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/wire"
)

// rotation is what becomes of grants and the published keys when keys are rotated.
type rotation struct {
	Chapter
	keysBefore, keysAfter jose.JSONWebKeySet
}

// rotate has the keys rotated once, between two honest exchanges.
func rotate(t *T) *rotation {
	return Season(t, "rotation", func() *rotation {
		r := &rotation{}
		t.Tell(&r.Chapter, func(t *T) {
			if r.Before = honestly(t); !Granted(r.Before) {
				r.Stopf("the honest exchange was not granted before the keys were rotated: %s", r.Before.Summary())
				return
			}
			if r.keysBefore = readKeys(t, &r.Chapter); r.Problem != "" {
				return
			}
			if _, err := hook(t, t, t.Config.Hooks.Rotate, ""); err != nil {
				r.Stopf("%v", err)
				return
			}
			r.keysAfter = readKeys(t, &r.Chapter)
			r.After = honestly(t)
		})
		return r
	})
}

// honestly makes an honest exchange, with a sign-in of its own where a rotation has ended the others.
func honestly(t *T) *wire.Answer {
	a := t.Exchange()
	if Granted(a) || !signin.Repeatable(t.Alice()) {
		return a
	}
	return t.Exchange(Subject(subjectOf(t, t.Fresh(signin.Ask{User: t.Alice(), Client: t.A()}))))
}

func readKeys(t *T, c *Chapter) jose.JSONWebKeySet {
	if _, _, err := t.Keys.Read(t, t.Wire, t.Recorder(), t.Provider.JWKSURI); err != nil {
		c.Stopf("%v", err)
	}
	return t.Keys.Set()
}

var _ = check.For("IDP-KEY-ROTATION", func() {
	rotated := func(slug, title, sends string, judge func(*T, *rotation)) {
		It(slug, title, func(t *T) {
			r := rotate(t)
			t.Look(&r.Chapter)
			judge(t, r)
		}, check.With(NeedsRotation), check.Serial(), check.Sends(sends))
	}
	// after is the first grant after the rotation.
	after := func(t *T, r *rotation) *Grant {
		if !Granted(r.After) {
			t.Inconclusivef("after the keys were rotated the honest exchange was not granted: %s", r.After.Summary())
		}
		g, _ := t.Read(r.After)
		return g
	}
	rotated("published-before", "publishes a new key before it is used", "The key set, a rotation, and an exchange.",
		func(t *T, r *rotation) {
			g := after(t, r)
			if err := t.Verify(g.Compact); err != nil {
				t.Failf("the first grant after a rotation does not verify: %v", err)
			}
			if VerifyWith(r.keysBefore, g.Compact) != nil {
				t.Failf("the first grant after a rotation is signed with a key that was not published before it")
			}
		})
	rotated("old-stays", "keeps an old key published while grants that it signed live",
		"An exchange, a rotation, and the key set.",
		func(t *T, r *rotation) {
			before, _ := t.Read(r.Before)
			if err := VerifyWith(r.keysAfter, before.Compact); err != nil {
				t.Failf("a grant from before a rotation does not verify any more: %v", err)
			}
		})
	rotated("changes", "signs with another key after a rotation", "An exchange before and after a rotation.",
		func(t *T, r *rotation) {
			before, _ := t.Read(r.Before)
			Expect(after(t, r).Header["kid"]).NotTo(Equal(before.Header["kid"]), "kid after a rotation")
		})
})

// auditLog is the audit log, once it has what is looked for or half of the check's time is over.
func auditLog(t *T, has func(string) bool) string {
	var text string
	t.Within(min(t.Config.Timing.Check/2, 5*time.Second), func() bool {
		text = do(t, t.Config.Audit, "")
		return has(text)
	})
	return text
}

var _ = check.For("IDP-AUDIT", func() {
	It("granted", "logs a grant by its jti", func(t *T) {
		jti := t.Control().String("jti")
		if jti == "" {
			t.Inconclusivef("the grant has no jti: see IDP-JAG-CLAIMS/jti")
		}
		log := auditLog(t, func(text string) bool { return strings.Contains(text, jti) })
		if !strings.Contains(log, jti) {
			t.Failf("the audit log has no entry with the jti of a grant")
		}
	}, check.With(NeedsAudit), check.Sends("An honest exchange; its jti is looked for in the log."))
	It("entry", "logs who, by which client, for which target", func(t *T) {
		jti := t.Control().String("jti")
		log := auditLog(t, func(text string) bool { return strings.Contains(text, jti) })
		for line := range strings.Lines(log) {
			if strings.Contains(line, jti) {
				Expect(line).To(ContainSubstring(t.A().ID), "the client in the entry")
				Expect(line).To(ContainSubstring(t.Notes().Audience), "the target in the entry")
				return
			}
		}
		t.Skipf("the log has no entry for the grant: see IDP-AUDIT/granted")
	}, check.With(NeedsAudit), check.Sends("An honest exchange; its entry in the log is read."))
	It("denied", "logs a denial", func(t *T) {
		t.Control()
		mark := "https://audited-" + strings.ToLower(time.Now().Format("150405.000000")) + ".example"
		t.Attack(Param("audience", mark))
		log := auditLog(t, func(text string) bool { return strings.Contains(text, mark) })
		if !strings.Contains(log, mark) {
			t.Failf("the audit log has no entry with the audience of an exchange that was denied")
		}
	}, check.With(NeedsAudit),
		check.Sends("An exchange for an audience that nobody knows; that is looked for in the log."))
})

var _ = check.For("IDP-NO-LOG", func() {
	search := func(slug, title string, secret func(*T) string) {
		It(slug, title, func(t *T) {
			token := secret(t)
			t.Attack(Param("audience", "https://unknown.example"))
			raw, err := os.ReadFile(t.Config.LogFile)
			if err != nil {
				t.Inconclusivef("log_file: %v", err)
			}
			if strings.Contains(string(raw), token) {
				t.Failf("the log holds it whole: whoever reads the log can use it")
			}
		}, check.With(NeedsLog), check.Sends("Exchanges, one granted and one not; the log is searched."))
	}
	search("id-jag", "does not write ID-JAGs to its log", func(t *T) string { return t.Control().Compact })
	search("subject-token", "does not write subject tokens to its log", func(t *T) string {
		t.Control()
		return t.Subject(t.Alice(), t.A())
	})
	It("secret", "does not write client secrets to its log", func(t *T) {
		if t.A().Secret == "" {
			t.Skipf("the first client has no secret (clients[0].auth)")
		}
		t.Control()
		t.Send(post(t, "grant_type", "urn:example:nothing"), reports.Setup, "")
		raw, err := os.ReadFile(t.Config.LogFile)
		if err != nil {
			t.Inconclusivef("log_file: %v", err)
		}
		if strings.Contains(string(raw), t.A().Secret) {
			t.Failf("the log holds the secret of client %s", t.A().ID)
		}
	}, check.With(NeedsLog), check.Sends("Exchanges; the log is searched."))
})
