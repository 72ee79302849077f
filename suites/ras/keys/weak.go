package keys

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// unfit has the IdP publish one more key, which nobody should verify with, until the check is over.
func unfit(t *server.T, key any) {
	var keys []any
	for _, k := range own(t) {
		keys = append(keys, k.Public())
	}
	body, err := json.Marshal(map[string]any{"keys": append(keys, key)})
	server.MustControl(t, err)
	spoil(t, mockidp.Reply{Header: map[string]string{"Content-Type": "application/json",
		"Cache-Control": "max-age=0, must-revalidate"},
		Body: string(body)})
}

var _ = check.For("RAS-SIG-ALG", func() {
	server.It("weak-key", "refuses a signature by an RSA key of 1024 bits", func(t *server.T) {
		t.Control(t.Grant())
		private, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // weak, that is the point
		server.MustControl(t, err)
		weak := &mockidp.Key{JSONWebKey: jose.JSONWebKey{Key: private, KeyID: rand.Text(), Algorithm: string(jose.RS256),
			Use: "sig"}}
		unfit(t, weak.Public())
		until(t, fetches, func() string { return hostile.Sign(t.Grant(server.SignedBy(weak))) })
		t.Control(t.Grant())
	}, check.By("RFC 7518 §3.3"), changesKeys(winter,
		"The IdP publishes one more key, RSA of 1024 bits; ID-JAGs signed with it, between honest ones"))

	server.It("shared-secret", "refuses an HMAC under a shared secret that the IdP publishes", func(t *server.T) {
		t.Control(t.Grant())
		secret, name := []byte(rand.Text()+rand.Text()), rand.Text()
		unfit(t, map[string]any{"kty": "oct", "k": base64.RawURLEncoding.EncodeToString(secret), "kid": name, "alg": "HS256"})
		until(t, fetches, func() *server.Token { // an HMAC is refused before anybody asks for keys
			return t.Grant(server.SignedBy(t.Attacker), server.SetHeader("kid", rand.Text()))
		})
		server.ExpectRefused(t, t.Attack(hostile.HMAC(t.Grant(server.SetHeader("kid", name)), secret)))
		t.Control(t.Grant())
	}, check.By("RFC 7523 §3"), changesKeys(winter,
		"The IdP publishes a shared secret in its key set; an HMAC under it, which everybody can make, between "+
			"honest ID-JAGs"))
})
