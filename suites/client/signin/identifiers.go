package signin

import (
	"net/url"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
	"github.com/emaconform/emaconform/suites/grammar"
)

// ofIDToken sends an ID token with another value of this claim.
func ofIDToken(claim string) func(grammar.Attack) func(*world.World) {
	return func(a grammar.Attack) func(*world.World) {
		return editIDToken(func(t *mockidp.Token) {
			right, _ := t.Claims[claim].(string)
			if given, ok := a.Variant.Of(right); ok {
				t.Claims[claim] = given
			}
		})
	}
}

// senders change what the client compares, by the ids of the grammar.
var senders = map[string]func(grammar.Attack) func(*world.World){
	"nonce": ofIDToken("nonce"), "id-iss": ofIDToken("iss"), "id-aud": ofIDToken("aud"),
	"state": func(a grammar.Attack) func(*world.World) {
		return answersOf(func(_ *world.World, answer url.Values) {
			if given, ok := a.Variant.Of(answer.Get("state")); ok {
				answer.Set("state", given.(string))
			}
		})
	},
}

var _ = check.ForAttacks("client", senders, declare)

func declare(send func(grammar.Attack) func(*world.World), a grammar.Attack) {
	change := send(a)
	meets := check.Sentence(a.What())
	why := a.What() + ", and it is " + a.Way.Said()
	scenario, judge := Login.But(meets, change).From(GotIDToken), idTokenUnused(why)
	switch a.Identifier.ID {
	case "state":
		scenario, judge = Login.But(meets, change).From(LoggedIn), when("state", codeUnused(why))
	case "nonce":
		judge = when("nonce", judge)
	}
	It(a.Slug(), "does not take "+a.What(), scenario, judge, check.Of(a))
}
