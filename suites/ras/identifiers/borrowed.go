package identifiers

import (
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/grammar"
	"github.com/emaconform/emaconform/suites/ras/accounts"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// claimElsewhere is an ID-JAG whose claim is not the right one, and the right value for another claim.
type claimElsewhere struct {
	needs []check.Need
	kind  server.Kind
	make  func(t *server.T) (wrong *server.Token, right any)
	known bool // whoever is not known may get an account of his own
}

// wrongly has another value of one claim than the first user's ID-JAG.
func wrongly(claim string, value func(t *server.T) any) func(*server.T) (*server.Token, any) {
	return func(t *server.T) (*server.Token, any) {
		token := t.Quick()
		right := token.Claims[claim]
		if token.Claims[claim] = value(t); token.Claims[claim] == nil {
			delete(token.Claims, claim)
		}
		return token, right
	}
}

func always(value any) func(*server.T) any { return func(*server.T) any { return value } }

// elsewhere is what to send of each claim.
var elsewhere = map[string]claimElsewhere{
	"sub": {kind: plainly("without email", server.NoEmail), known: true,
		make: func(t *server.T) (*server.Token, any) {
			return t.QuickFrom(t.IdP, accounts.Stranger(t, ""), server.NoEmail), t.Alice().Sub
		}},
	"email": {kind: accountSenders["email"].kind, needs: accountSenders["email"].needs, known: true,
		make: func(t *server.T) (*server.Token, any) {
			return t.QuickFrom(t.IdP, accounts.Stranger(t, ""), server.NoEmail), t.Config.LinkableEmail
		}},
	"tenant": {kind: accountSenders["tenant"].kind, needs: accountSenders["tenant"].needs, known: true,
		make: func(t *server.T) (*server.Token, any) {
			idp, user := accounts.MultiTenant(t)
			token := t.QuickFrom(idp, user, server.NoEmail)
			right, _ := token.Claims["tenant"].(string)
			token.Claims["tenant"] = server.Like(right)
			return token, right
		}},
	"iss":      {kind: plainly("claims"), make: wrongly("iss", always("https://idp.other.example"))},
	"aud":      {kind: plainly("claims"), make: wrongly("aud", always(server.OtherIssuer))},
	"resource": {kind: plainly("claims"), make: wrongly("resource", always(server.OtherResource))},
	"jti":      {kind: plainly("claims"), make: wrongly("jti", always(nil))},
	"exp": {kind: plainly("claims"), make: func(t *server.T) (*server.Token, any) {
		ended := t.Now().Add(-time.Hour)
		return t.Quick(server.Set("exp", ended.Unix()),
			server.Set("iat", ended.Add(-mockidp.IDJAGLifetime).Unix())), t.Now().Add(time.Minute).Unix()
	}},
}

// Claims that hold what another one has to say.
var _ = declareBorrowings()

func declareBorrowings() bool {
	for _, a := range grammar.Borrowings() {
		check.For(a.Requirement, func() { declareBorrowing(a) })
	}
	return true
}

func declareBorrowing(a grammar.Attack) {
	where, from := elsewhere[a.Identifier.ID], a.Variant.Slug
	title := "refuses " + a.What()
	if where.known {
		title = "takes " + a.What() + " for nobody that it knows"
	}
	server.It(a.Slug(), title, func(t *server.T) {
		control, attacked := t.Beside(where.kind, func() *wire.Answer {
			wrong, right := where.make(t)
			switch wrong.Claims[from] = right; from {
			case "act":
				wrong.Claims[from] = map[string]any{"sub": right}
			case "emails", "resources":
				wrong.Claims[from] = []any{right}
			}
			return t.Attack(wrong)
		})
		if where.known {
			expectNotTaken(t, control, attacked, a)
			return
		}
		if server.Granted(attacked) {
			t.Failf("expected a refusal, but a token was granted: %s, %s among them. %s", a.Mistake(), from, a.Gain)
		}
		server.ExpectRefused(t, attacked)
	}, check.Of(a), check.With(where.needs...), server.Refusal(),
		check.Sends(check.Sentence(a.What())+". An honest request is granted before it, and one after it"))
}

// expectNotTaken judges the answer for a user who is not known: another account than that of the known one.
func expectNotTaken(t *server.T, control, attacked *wire.Answer, a grammar.Attack) {
	if !server.Granted(attacked) {
		server.ExpectRefused(t, attacked)
		return
	}
	got, right := server.SeenAccount(t, attacked), server.SeenAccount(t, control)
	if got == right {
		stranger := t.Redeem(t.QuickFrom(t.IdP, accounts.Stranger(t, ""), server.NoEmail))
		if server.Granted(stranger) && server.AccountOf(t, stranger) == right {
			t.Skipf("everybody gets this account: see RAS-SUB")
		}
		t.Failf("the token is for %q, the account of the user with the right %s. %s", wire.Printable(got, 80), a.Name, a.Gain)
	}
}
