package identifiers

import (
	"hash/fnv"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

var needsProofs = []check.Need{server.NeedsMetadata(server.ProofAlgorithms)}

// proven is the kind of ID-JAGs that are bound to a key and come with a proof of it.
var proven = server.Kind{Name: "proven", Send: func(t *server.T) *wire.Answer {
	p := t.NewProver()
	return t.Honest(t.Quick(p.Bind(t)), p.Proving(t))
}}

// ofProof is the sender of a claim of a DPoP proof.
func ofProof(claim string, right func(*server.T) string) sender {
	return sender{needs: needsProofs, right: right, kind: proven, send: func(t *server.T, given any) *wire.Answer {
		p := t.NewProver()
		proof := hostile.Sign(p.Proof(t, server.Set(claim, given)))
		return t.Attack(t.Quick(p.Bind(t)), server.Proofs(proof))
	}}
}

var proofSenders = map[string]sender{
	"htu": ofProof("htu", func(t *server.T) string { return t.Target.TokenEndpoint }),
	"htm": ofProof("htm", func(*server.T) string { return "POST" }),
	"jkt": {needs: needsProofs, each: func(t *server.T) sender {
		p := t.NewProver()
		return sender{
			right: p.JKT, kind: proven,
			send: func(t *server.T, given any) *wire.Answer {
				bound := server.Set("cnf", map[string]any{"jkt": given})
				return t.Attack(t.Quick(bound), p.Proving(t))
			},
		}
	}},
}

// loginSenders are of what a client authenticates with.
var loginSenders = map[string]sender{
	"login-iss": ofLogin("iss", func(t *server.T) string { return byKey(t).ID }),
	"login-sub": ofLogin("sub", func(t *server.T) string { return byKey(t).ID }),
	"login-aud": ofLogin("aud", func(t *server.T) string { return t.AssertionAudience(byKey(t)) }),
	"login-exp": ofLogin("exp", later(60)),
	"login-iat": ofLogin("iat", later(0)),
	"login-nbf": ofLogin("nbf", later(-1)),
	"secret": {needs: []check.Need{server.NeedsSecret}, intrusive: true, each: func(t *server.T) sender {
		c := guessed(t)
		return sender{
			right: func(*server.T) string { return c.Secret },
			kind: server.Kind{Name: "secret of " + c.ID, Send: func(t *server.T) *wire.Answer {
				return t.Honest(quickFor(t, c), server.As(c))
			}},
			send: func(t *server.T, given any) *wire.Answer {
				return t.Attack(quickFor(t, c), server.As(server.Impostor(c, c.ID, given.(string))))
			},
		}
	}},
}

// ofLogin is the sender of a claim of a client assertion.
func ofLogin(claim string, right func(*server.T) string) sender {
	return sender{
		needs: []check.Need{server.NeedsClientAuth(target.PrivateKeyJWT)}, right: right, kind: signedIn,
		send: func(t *server.T, given any) *wire.Answer {
			c := byKey(t)
			return signIn(t, t.ClientAssertion(c, func(claims map[string]any) { claims[claim] = given }))
		},
	}
}

// byKey is the client that authenticates with its key.
func byKey(t *server.T) *target.Client { return t.ClientBy(target.PrivateKeyJWT) }

// signIn attacks with this client assertion, and an honest ID-JAG.
func signIn(t *server.T, assertion string) *wire.Answer {
	return t.Attack(quickFor(t, byKey(t)), server.Asserting(byKey(t), assertion))
}

// quickFor is a quick ID-JAG for this client.
func quickFor(t *server.T, c *target.Client) *server.Token {
	return t.Quick(server.Set("client_id", c.ID))
}

// guessed is the client whose secret a check guesses: another one for each, for servers lock clients out.
func guessed(t *server.T) *target.Client {
	clients := server.WithSecret(t.World)
	name := fnv.New32()
	_, _ = name.Write([]byte(t.Check.ID))
	return clients[int(name.Sum32())%len(clients)]
}
