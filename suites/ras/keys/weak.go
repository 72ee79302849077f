package keys

import (
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

var _ = check.For("RAS-SIG-ALG", func() {
	server.It("weak-key", "refuses a signature by an RSA key of 1024 bits", func(t *server.T) {
		mustNotVerify(t, func(g *garden) *weed { return g.weak })
	}, check.By("RFC 7518 §3.3"), inYear(spring,
		"The IdP publishes one more key, RSA of 1024 bits; ID-JAGs signed with it, between honest ones"))

	server.It("shared-secret", "refuses an HMAC under a shared secret that the IdP publishes", func(t *server.T) {
		mustNotVerify(t, func(g *garden) *weed { return g.shared })
	}, check.By("RFC 7523 §3"), inYear(spring,
		"The IdP publishes a shared secret in its key set; an HMAC under it, which everybody can make, between "+
			"honest ID-JAGs"))
})

// mustNotVerify presents ID-JAGs that are signed with a weed of the garden, between honest ones.
func mustNotVerify(t *server.T, which func(*garden) *weed) {
	g := inSpring(t)
	w := which(g)
	g.with(t, w, func() { mustRefuse(t, func() string { return w.sign(t) }) })
}
