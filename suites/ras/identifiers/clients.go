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
	"login-iss": ofLogin("iss", func(c *target.Client, _ *server.T) string { return c.ID }),
	"login-sub": ofLogin("sub", func(c *target.Client, _ *server.T) string { return c.ID }),
	"login-aud": ofLogin("aud", func(c *target.Client, t *server.T) string { return t.AssertionAudience(c) }),
	"secret": {needs: []check.Need{server.NeedsSecret}, intrusive: true, each: func(t *server.T) sender {
		c := guessed(t)
		forClient := func(t *server.T) *server.Token {
			return t.Quick(server.Set("client_id", c.ID))
		}
		return sender{
			right: func(*server.T) string { return c.Secret },
			kind: server.Kind{Name: "secret of " + c.ID, Send: func(t *server.T) *wire.Answer {
				return t.Honest(forClient(t), server.As(c))
			}},
			send: func(t *server.T, given any) *wire.Answer {
				return t.Attack(forClient(t), server.As(server.Impostor(c, c.ID, given.(string))))
			},
		}
	}},
}

// ofLogin is the sender of a claim of a client assertion.
func ofLogin(claim string, right func(*target.Client, *server.T) string) sender {
	forClient := func(t *server.T, c *target.Client) *server.Token {
		return t.Quick(server.Set("client_id", c.ID))
	}
	login := func(t *server.T, given any) server.RedeemOption {
		c := t.ClientBy(target.PrivateKeyJWT)
		return server.Asserting(c, t.ClientAssertion(c, func(claims map[string]any) { claims[claim] = given }))
	}
	rightFor := func(t *server.T) string { return right(t.ClientBy(target.PrivateKeyJWT), t) }
	return sender{
		needs: []check.Need{server.NeedsClientAuth(target.PrivateKeyJWT)},
		right: rightFor,
		kind: server.Kind{Name: "client assertion " + claim, Send: func(t *server.T) *wire.Answer {
			return t.Honest(forClient(t, t.ClientBy(target.PrivateKeyJWT)), login(t, rightFor(t)))
		}},
		send: func(t *server.T, given any) *wire.Answer {
			return t.Attack(forClient(t, t.ClientBy(target.PrivateKeyJWT)), login(t, given))
		},
	}
}

// guessed is the client whose secret a check guesses: another one for each, for servers lock clients out.
func guessed(t *server.T) *target.Client {
	clients := server.WithSecret(t.World)
	name := fnv.New32()
	_, _ = name.Write([]byte(t.Check.ID))
	return clients[int(name.Sum32())%len(clients)]
}
