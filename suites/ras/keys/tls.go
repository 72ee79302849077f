package keys

import (
	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// needsTLS is for checks of how the target looks at the IdP's certificate.
var needsTLS = server.Need("idp.ca", "needs a mock IdP that is served over https",
	func(w *server.World) bool { return w.Config.IdP.CA != "" })

var _ = check.For("RAS-TLS", func() {
	for _, bad := range []struct {
		kind mockidp.BadCertificate
		what string
	}{
		{mockidp.SelfSigned, "is self-signed"}, {mockidp.Expired, "has expired"}, {mockidp.WrongName, "is for another host"},
	} {
		server.It(string(bad.kind), "takes no keys from the IdP's host while its certificate "+bad.what, func(t *server.T) {
			t.Control(t.Grant())
			// The certificate changes first, so that nobody gets the key under a good one.
			server.MustControl(t, t.World.Control.SetCertificate(t, t.IdPName, bad.kind))
			key := newKey(t)
			publishAlso(t, published(t, key, nil))
			mustRefuseKeys(t, key)
			recovers(t)
		}, check.With(needsTLS),
			changesKeys(failing, "ID-JAGs by a new key that the IdP publishes while its certificate "+bad.what+
				", and an honest one"))
	}
})

// mustRefuseKeys attacks with a key that is published under a bad certificate until that was sent in a full handshake,
// which the control API counts: before there is one, nothing was shown to the target.
func mustRefuseKeys(t *server.T, key *mockidp.Key) {
	attack := func() *server.Token { return t.Grant(server.SignedBy(key)) }
	before := handshakes(t)
	shown := eventually(t, "the IdP's keys", func() bool {
		a := t.Attack(attack())
		if handshakes(t) > before {
			mustBeRefused(t, a, attack)
			return true
		}
		if server.Granted(a) {
			t.Inconclusivef("the target fetched the keys by a connection that it had opened under the good certificate, and " +
				"so has not seen the bad one")
		}
		return false
	})
	if !shown {
		unasked(t)
	}
}

func handshakes(t *server.T) int {
	n, err := t.World.Control.Handshakes(t, t.IdPName)
	server.MustControl(t, err)
	return n
}
