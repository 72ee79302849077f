package ras

import (
	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
)

// needsTLS is for checks of how the target looks at the IdP's certificate.
var needsTLS = check.Need{Key: "idp.ca", Missing: func(w *check.World) string {
	if w.Config.IdP.CA == "" {
		return "needs a mock IdP that is served over https"
	}
	return ""
}}

var _ = check.For("RAS-TLS", func() {
	for _, bad := range []struct {
		kind mockidp.BadCertificate
		what string
	}{
		{mockidp.SelfSigned, "is self-signed"}, {mockidp.Expired, "has expired"}, {mockidp.WrongName, "is for another host"},
	} {
		check.It(string(bad.kind), "takes no keys from the IdP's host while its certificate "+bad.what, func(t *check.T) {
			t.Control(t.Grant())
			// The certificate changes first, so that nobody gets the key under a good one. The control API counts only
			// handshakes in which the bad one was sent: before there is one, nothing was shown to the target.
			mustControl(t, t.World.Control.SetCertificate(t, t.IdPName, bad.kind))
			key := newKey(t)
			publishAlso(t, key)
			until(t, handshakes, func() *check.Token { return t.Grant(signedBy(key)) })
			recovers(t)
		}, check.With(needsTLS),
			changesKeys("ID-JAGs by a new key that the IdP publishes while its certificate "+bad.what+", and an honest one"))
	}
})

func handshakes(t *check.T) int {
	n, err := t.World.Control.Handshakes(t, t.IdPName)
	mustControl(t, err)
	return n
}
