package tokens

import (
	"crypto/rand"
	"net/http"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// expectRevoked has the first client revoke its token.
func expectRevoked(t *server.T, token string) {
	a := t.Send(server.RevocationRequest(t, token, t.Client(0)), reports.Control, "must be taken")
	Expect(a).To(server.BeStatus(http.StatusOK), "RFC 7009 2.2 answers 200 to a client that revokes its own token")
}

// patience is how long the MCP server may take to hear of a revocation: RFC 7009 2.1 allows for a delay.
const patience = time.Second

var _ = check.For("RAS-REVOKE", func() {
	endpoint := check.With(server.NeedsEndpoint("revocation_endpoint"))

	server.It("offered", "names a revocation endpoint in its metadata", func(t *server.T) {
		if t.Target.ServerMetadata == nil {
			t.Skipf("it publishes no metadata")
		}
		Expect(t.Target.Endpoint("revocation_endpoint")).NotTo(BeEmpty(),
			"without one a client that loses a token, or signs its user out, cannot take it back (RFC 7009)")
	}, check.Open(), check.Should(), check.By("EMA proposal §7.5.4"),
		check.Sends("Nothing: the authorization server's metadata is read"))

	server.It("revokes", "revokes an access token, so that the MCP server refuses it", func(t *server.T) {
		token := t.AccessToken()
		t.Use(token)
		expectRevoked(t, token)
		Eventually(t.Context, func() *wire.Answer { return t.Break(t.Knock(token)) }).WithTimeout(patience).
			WithPolling(100*time.Millisecond).Should(server.BeTurnedAway(),
			"the token was revoked, and a second later the MCP server still takes it: it does not ask the RAS")
	}, endpoint,
		check.Sends("An access token to the MCP server as control, its revocation by the client, then the token once more"))

	server.It("other-client", "does not let one client revoke the token of another", func(t *server.T) {
		token := t.AccessToken()
		t.Use(token)
		t.Send(server.RevocationRequest(t, token, t.Client(1)), reports.Attack, "must not revoke")
		Expect(t.Break(t.Knock(token))).To(server.BeLetIn(), "the token was revoked by a client that it was not issued to")
	}, endpoint, check.With(server.NeedsSecondClient), check.Must(),
		check.Sends("A revocation request by a second client for the first one's token, then the token to the MCP server"))

	server.It("unauthenticated", "does not revoke for a confidential client that does not "+
		"authenticate", func(t *server.T) {
		token := t.AccessToken()
		t.Use(token)
		r := server.RevocationRequest(t, token, nil)
		r.AddField("client_id", t.Client(0).ID)
		Expect(t.Send(r, reports.Attack, "must be refused")).To(server.BeRefused())
		Expect(t.Break(t.Knock(token))).To(server.BeLetIn(), "the token was revoked by somebody who did not authenticate")
	}, endpoint, check.Must(), check.With(server.NeedsConfidential),
		check.Sends("A revocation request that only names the client, then the token to the MCP server"))

	server.It("unknown-token", "answers 200 when an unknown token is revoked", func(t *server.T) {
		expectRevoked(t, t.AccessToken())
		a := t.Send(server.RevocationRequest(t, rand.Text(), t.Client(0)), reports.Attack, "must be answered like any other")
		Expect(a).To(server.BeStatus(http.StatusOK), "RFC 7009 2.2 gives no error for a token that is not valid")
	}, endpoint, check.Sends("The revocation of a token that does not exist, after that of a good one as control"))
})
