package keys

import (
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// encrypted declares a check that encrypts to the server's published key: an honest nested ID-JAG is granted first.
func encrypted(slug, what string, attack func(t *server.T, honest *server.Token, to jose.JSONWebKey) (string, error),
	options ...check.Option) {
	server.It(slug, "refuses "+what, func(t *server.T) {
		to := encryptionKey(t)
		control, err := hostile.Encrypt(hostile.Sign(t.Grant()), to)
		server.MustControl(t, err)
		t.Control(control)
		assertion, err := attack(t, t.Grant(), to)
		server.MustControl(t, err)
		server.ExpectRefused(t, t.Attack(assertion))
	}, append([]check.Option{check.With(server.NeedsJWE, server.NeedsEndpoint("jwks_uri")),
		check.Sends(check.Sentence(what) + ", after an honest encrypted one as control")}, options...)...)
}

var _ = check.For("RAS-JWE", func() {
	encrypted("unsigned", "an encrypted ID-JAG that nobody signed",
		func(_ *server.T, honest *server.Token, to jose.JSONWebKey) (string, error) {
			return hostile.EncryptUnsigned(honest.Claims, to)
		})
	encrypted("alg-none", "an encrypted ID-JAG whose inner token has alg none",
		func(_ *server.T, honest *server.Token, to jose.JSONWebKey) (string, error) {
			return hostile.Encrypt(hostile.None(honest, "none"), to)
		})
	encrypted("stranger", "an encrypted ID-JAG that a stranger's key signed",
		func(t *server.T, honest *server.Token, to jose.JSONWebKey) (string, error) {
			server.SignedBy(t.Attacker)(honest)
			return hostile.Encrypt(hostile.Sign(honest), to)
		})
	encrypted("bomb", "a compressed JWE that unfolds to 16 MB",
		func(_ *server.T, _ *server.Token, to jose.JSONWebKey) (string, error) {
			return hostile.Bomb(to, 16<<20)
		},
		check.Intrusive())

	// What follows needs no key of the server: whoever parses JWEs at all can be asked to open these.
	server.Refuses(server.Attack{Slug: "dir", What: "a JWE with alg dir under a key of zeros, which anybody can guess",
		Craft: func(t *server.T, honest *server.Token) string {
			zeros := jose.JSONWebKey{Key: make([]byte, 32), Algorithm: string(jose.DIRECT)}
			assertion, err := hostile.Encrypt(hostile.Sign(honest), zeros)
			server.MustControl(t, err)
			return assertion
		}})

	server.It("p2c", "refuses at once a JWE that asks for ten million rounds of key derivation", func(t *server.T) {
		const enough = 2 * time.Second // longer than an honest one
		control := t.Control(t.Grant())
		a := t.Attack(hostile.PBES2(10_000_000, []byte(hostile.Sign(t.Grant()))))
		server.ExpectRefused(t, a)
		if took := a.Took - control.Took; took > enough {
			t.Failf("refused, but only %s later than an honest one is granted: the sender of a token sets how long "+
				"the server works on it. Leave PBES2 out of the key management algorithms that are taken",
				took.Round(time.Millisecond))
		}
	}, check.Intrusive(), check.Sends("A JWE with a PBES2 key whose p2c is 10,000,000, after an honest ID-JAG as control"))
})

// encryptionKey is the key that the server publishes for encryption.
func encryptionKey(t *server.T) jose.JSONWebKey {
	_, answer, err := t.Get(t.Target.Endpoint("jwks_uri"))
	if err != nil {
		t.Inconclusivef("cannot read the server's own keys: %v", err)
	}
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(answer.Body, &set); err != nil {
		t.Inconclusivef("the server's own keys are no JWK set: %v", err)
	}
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) == nil && key.Use == "enc" && key.IsPublic() {
			return key
		}
	}
	t.Skipf("the server publishes no key for encryption (use enc in its jwks_uri)")
	return jose.JSONWebKey{}
}
