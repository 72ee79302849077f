package clients

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// boundTo binds an ID-JAG to a certificate that nobody has.
func boundTo(j *server.Token) {
	sum := sha256.Sum256([]byte(rand.Text()))
	j.Claims["cnf"] = map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])}
}

var _ = check.For("RAS-MTLS-BOUND", func() {
	server.It("no-certificate", "refuses an ID-JAG that is bound to a certificate which the client "+
		"does not show", func(t *server.T) {
		t.Control(t.Grant())
		server.ExpectRefused(t, t.Attack(t.Grant(boundTo)), server.InvalidGrant)
	}, server.Refusal(server.InvalidGrant),
		check.Sends("A plain ID-JAG as control, then one whose cnf names another certificate (x5t#S256)"))
})
