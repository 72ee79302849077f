package clients

import (
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// confirmation is cnf.jkt of the access token in an answer; seen is false when the token cannot be looked into.
func confirmation(t *server.T, a *wire.Answer) (jkt string, seen bool) {
	claims := server.TokenClaims(t, a)
	cnf, _ := claims["cnf"].(map[string]any)
	jkt, _ = cnf["jkt"].(string)
	return jkt, claims != nil && (jkt != "" || !server.Opaque(a))
}

// expectBound judges a token that the response calls bound.
func expectBound(t *server.T, a *wire.Answer, p server.Prover) {
	if jkt, seen := confirmation(t, a); seen {
		Expect(jkt).To(Equal(p.JKT(t)), "token_type is DPoP, but cnf.jkt of the token is not the key of the proof")
	}
}

var _ = check.For("RAS-DPOP-FREE", func() {
	refusesProofs("an ID-JAG that is bound to no key", func(*server.T, server.Prover) server.Edit {
		return func(*server.Token) {}
	})

	server.It("token-type", "tells by token_type whether the token is bound to the key of the proof", func(t *server.T) {
		p := t.NewProver()
		a := t.Control(t.Grant(), p.Proving(t))
		if strings.EqualFold(a.String("token_type"), "DPoP") {
			expectBound(t, a, p)
			return
		}
		if jkt, _ := confirmation(t, a); jkt != "" {
			t.Failf("expected token_type DPoP for a token with cnf.jkt, but saw %s: the client would send it as a bearer token",
				server.DescribeMember(a, "token_type"))
		}
	}, check.With(server.NeedsMetadata(server.ProofAlgorithms)),
		check.Sends("An honest ID-JAG without cnf and with a DPoP proof"))

	server.It("bearer", "issues a bearer token, called that, where no key was shown", func(t *server.T) {
		a := t.Control(t.Grant())
		if !strings.EqualFold(a.String("token_type"), "Bearer") {
			t.Failf("expected token_type Bearer, for no DPoP proof was sent, but saw %s", server.DescribeMember(a, "token_type"))
		}
		if jkt, _ := confirmation(t, a); jkt != "" {
			t.Failf("expected a token without cnf, since no key was shown, but it has one")
		}
	}, check.With(server.NeedsMetadata(server.ProofAlgorithms), server.NeedsBearer),
		check.Sends("An honest ID-JAG without cnf and without a DPoP proof"))
})
