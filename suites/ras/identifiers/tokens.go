package identifiers

import (
	"crypto/rand"
	"strconv"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/grammar"
	"github.com/emaconform/emaconform/suites/ras/accounts"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// later is a moment in seconds, as attacks on dates change it.
func later(seconds int64) func(*server.T) string {
	return func(t *server.T) string { return strconv.FormatInt(t.Now().Unix()+seconds, 10) }
}

// tokenSenders are of dates, and of whole JWTs.
var tokenSenders = map[string]sender{
	"exp":       ofClaim("exp", later(240)),
	"iat":       ofClaim("iat", later(0)),
	"nbf":       ofClaim("nbf", later(-1)),
	"proof-iat": ofProof("iat", later(0)),

	"id-jag": {
		forge: func(t *server.T) grammar.Forge { return grammar.Forge{Honest: *t.Quick()} },
		kind:  plainly("claims"),
		send:  func(t *server.T, given any) *wire.Answer { return t.Attack(given.(string)) },
	},
	"login": {
		needs: []check.Need{server.NeedsClientAuth(target.PrivateKeyJWT)},
		forge: func(t *server.T) grammar.Forge {
			c := byKey(t)
			return forge(t, t.ClientAssertion(c, nil), *c.Key)
		},
		kind: signedIn,
		send: func(t *server.T, given any) *wire.Answer { return signIn(t, given.(string)) },
	},
	"proof": {needs: needsProofs, each: func(t *server.T) sender {
		p := t.NewProver()
		return sender{
			forge: func(t *server.T) grammar.Forge { return grammar.Forge{Honest: *p.Proof(t)} },
			kind:  proven,
			send: func(t *server.T, given any) *wire.Answer {
				return t.Attack(t.Quick(p.Bind(t)), server.Proofs(given.(string)))
			},
		}
	}},
}

// requestSenders are of identifiers that stand in the request, or in a header of the ID-JAG.
var requestSenders = map[string]sender{
	"grant_type": {
		right: func(*server.T) string { return server.GrantJWTBearer },
		kind:  plainly("claims"),
		send: func(t *server.T, given any) *wire.Answer {
			return t.Attack(t.Quick(), server.Param("grant_type", given.(string)))
		},
	},
	"alg": {
		right: func(t *server.T) string { return t.Quick().Key.Algorithm },
		kind:  plainly("claims"),
		send: func(t *server.T, given any) *wire.Answer {
			return t.Attack(hostile.Sign(t.Quick(server.SetHeader("alg", given))))
		},
	},
	"alg-none": {
		right: func(*server.T) string { return "none" },
		kind:  plainly("claims"),
		send: func(t *server.T, given any) *wire.Answer {
			return t.Attack(hostile.None(t.Quick(), given))
		},
	},
	"jti": {each: func(*server.T) sender {
		used := rand.Text()
		return sender{
			distinct: true, kind: plainly("claims"),
			right: func(*server.T) string { return used },
			send: func(t *server.T, given any) *wire.Answer {
				t.Control(t.Quick(server.Set("jti", used)))
				return t.Redeem(t.Quick(server.Set("jti", given)))
			},
		}
	}, distinct: true},
	"aud_tenant": ofClaim("aud_tenant", func(t *server.T) string { return ownTenant(t.World) }, needsOwnTenant),
	"aud_sub": {
		right: (*server.T).OwnAccount,
		kind:  plainly("without email", server.NoEmail),
		send: func(t *server.T, given any) *wire.Answer {
			return t.Attack(t.QuickFrom(t.IdP, accounts.Stranger(t, ""), server.NoEmail, server.Set("aud_sub", given)))
		},
		judge: ofNobody(func(t *server.T) *server.Token {
			return t.QuickFrom(t.IdP, accounts.Stranger(t, ""), server.NoEmail, server.Set("aud_sub", rand.Text()))
		}),
	},
	"details-type": {
		needs: []check.Need{server.NeedsRAR},
		right: func(t *server.T) string { s, _ := grantable(t)["type"].(string); return s },
		kind: server.Kind{Name: "details", Send: func(t *server.T) *wire.Answer {
			return t.Honest(t.Quick(server.Set(server.Details, []any{grantable(t)})))
		}},
		send: func(t *server.T, given any) *wire.Answer {
			other := grantable(t)
			other["type"] = given
			return t.Attack(t.Quick(server.Set(server.Details, []any{other})))
		},
		judge: func(t *server.T, a grammar.Attack, _, attacked *wire.Answer) {
			if list, _ := server.GrantedDetails(t, attacked).([]any); len(list) > 0 {
				t.Failf("expected no authorization detail, but one was granted: %s, so that %s", a.Mistake(), a.Way.Why)
			}
		},
	},
}

// grantable is the authorization detail that the target grants.
func grantable(t *server.T) map[string]any { return server.Detail(t, t.Config.RAR.Granted) }

var needsOwnTenant = server.Need("claims", "needs the tenant of the server that honest ID-JAGs name (aud_tenant)",
	func(w *server.World) bool { return ownTenant(w) != "" })

func ownTenant(w *server.World) string {
	tenant, _ := w.Config.Claims["aud_tenant"].(string)
	return tenant
}
