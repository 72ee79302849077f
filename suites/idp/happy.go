package idp

import (
	"net/http"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
)

var honest = check.Sends("An honest exchange.")

var _ = check.For("IDP-HAPPY", func() {
	It("granted", "grants an honest exchange", func(t *T) {
		Expect(t.Exchange()).To(server.BeGranted())
	}, honest)

	It("second-target", "grants an honest exchange for a second target", func(t *T) {
		Expect(t.Exchange(To(t.Other()))).To(server.BeGranted())
	}, check.With(NeedsTwoTargets), honest)

	It("second-client", "grants an honest exchange by a second client", func(t *T) {
		Expect(t.Exchange(By(t.B()))).To(server.BeGranted())
	}, check.With(NeedsB), honest)

	It("second-user", "grants an honest exchange for a second user", func(t *T) {
		Expect(t.Exchange(For(t.Bob()))).To(server.BeGranted())
	}, check.With(NeedsBob), honest)

	It("again", "grants the same exchange a second time", func(t *T) {
		t.Control()
		Expect(t.Exchange()).To(server.BeGranted())
	}, check.Sends("An honest exchange, twice with the same subject token."))
})

var _ = check.For("IDP-RESP", func() {
	It("issued-token-type", "says that it issued an ID-JAG", func(t *T) {
		Expect(t.Control().Answer.String("issued_token_type")).To(Equal(TypeIDJAG), "issued_token_type (ID-JAG 4.3.4)")
	}, honest)

	It("token-type", "says token_type N_A", func(t *T) {
		Expect(strings.EqualFold(t.Control().Answer.String("token_type"), "N_A")).To(BeTrue(),
			"token_type is to be N_A (RFC 8693 2.2.1)")
	}, honest)

	It("json", "answers with JSON", func(t *T) {
		Expect(t.Control().Answer.MediaType()).To(Equal("application/json"), "the media type (RFC 6749 5.1)")
	}, honest)

	It("no-store", "forbids caches to keep the answer", func(t *T) {
		h := t.Control().Answer.Header
		Expect(strings.Join(h.Values("Cache-Control"), ",")).To(ContainSubstring("no-store"), "Cache-Control (RFC 6749 5.1)")
	}, honest)

	It("expires-in", "says how long the grant lives", func(t *T) {
		g := t.Control()
		object, err := g.Answer.Object()
		Expect(err).NotTo(HaveOccurred())
		Expect(object["expires_in"]).NotTo(BeNil(), "expires_in (RFC 8693 2.2.1: RECOMMENDED)")
	}, check.Should(), honest)

	It("expires-in-fits", "says the same of the grant's life in the answer and in the grant", func(t *T) {
		g := t.Control()
		object, err := g.Answer.Object()
		Expect(err).NotTo(HaveOccurred())
		said, ok := integer(object["expires_in"])
		if !ok {
			t.Skipf("the answer has no expires_in that is a number")
		}
		exp, _ := g.Number("exp")
		iat, _ := g.Number("iat")
		Expect(said).To(BeNumerically("~", exp-iat, 5), "expires_in, compared with exp - iat in seconds")
	}, check.Should(), honest)

	It("no-refresh-token", "returns no refresh token with the grant", func(t *T) {
		Expect(t.Control().Answer.String("refresh_token")).To(BeEmpty(), "refresh_token (ID-JAG 4.3.4)")
	}, check.Should(), honest)

	It("scope", "says which scope was granted when it is not the one that was asked for", func(t *T) {
		t.Control()
		a := t.Probe(Param("scope", strings.Join(append([]string{t.Notes().ForbiddenScope}, t.Notes().Scopes...), " ")))
		if !Granted(a) {
			return // refused as a whole: there is nothing to tell
		}
		Expect(a.String("scope")).NotTo(BeEmpty(), "scope of an answer to more than what is allowed (RFC 6749 5.1)")
	}, check.With(NeedsForbiddenScope), check.Sends("An exchange for the allowed scopes and one that is not."))

	It("resource", "names the resource that the grant is for beside it", func(t *T) {
		g := t.Control()
		object, err := g.Answer.Object()
		Expect(err).NotTo(HaveOccurred())
		Expect(object["resource"]).To(Equal(g.Claims["resource"]), "resource of the answer, compared with the grant's")
	}, check.By("ID-JAG pull 123 §4.3.4"), check.With(NeedsResource), honest)

	It("status", "answers with HTTP 200", func(t *T) {
		Expect(t.Control().Answer.Status).To(Equal(http.StatusOK))
	}, honest)
})
