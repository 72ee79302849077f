package reports

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestCompareClaims(t *testing.T) {
	const control = `{"iss":"i","jti":"one","iat":100,"exp":400,"aud":"a"}`
	for _, c := range []struct {
		name, attack string
		want         []difference
	}{
		{"another honest token", `{"iss":"i","jti":"two","iat":102,"exp":402,"aud":"a"}`, nil},
		{"other order and space", `{ "aud":"a", "iss" : "i","jti":"two","iat":102,"exp":402}`, nil},
		{"changed", `{"iss":"i","jti":"two","iat":100,"exp":400,"aud":["a"]}`, []difference{{"aud", changed}}},
		{"added", `{"iss":"i","jti":"two","iat":100,"exp":400,"aud":"a","cnf":{}}`, []difference{{"cnf", only}}},
		{"removed", `{"iss":"i","jti":"two","iat":100,"exp":400}`, []difference{{"aud", missing}}},
		{"expired", `{"iss":"i","jti":"two","iat":100,"exp":-5,"aud":"a"}`, []difference{{"exp", changed}}},
		{"exp as text", `{"iss":"i","jti":"two","iat":100,"exp":"400","aud":"a"}`, []difference{{"exp", changed}}},
		{"exp null", `{"iss":"i","jti":"two","iat":100,"exp":null,"aud":"a"}`, []difference{{"exp", changed}}},
		{"empty jti", `{"iss":"i","jti":"","iat":100,"exp":400,"aud":"a"}`, []difference{{"jti", changed}}},
		{"member twice", `{"iss":"i","jti":"two","iat":100,"exp":400,"aud":"a","aud":"b"}`,
			[]difference{{"aud", only}}},
		{"no object", `["iss"]`, []difference{{"all of the claims", changed}}},
		{"no JSON", `not base64url, 12 characters`, []difference{{"all of the claims", changed}}},
		{"cut off", control[:20], []difference{{"all of the claims", changed}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			pieces, got := compare("claims", c.attack, control)
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("differences are %v, want %v", got, c.want)
			}
			var text strings.Builder
			for _, p := range pieces {
				text.WriteString(p.Text)
				if p.Class == changed && len(c.want) == 1 && c.want[0].Name == "aud" && p.Text != `"aud":["a"]` {
					t.Errorf("marks %q", p.Text)
				}
			}
			if text.String() != c.attack {
				t.Errorf("the pieces make %q", text.String())
			}
		})
	}
}

// shape is which exchanges stand in which row.
func shape(rows []pair) string {
	var list []string
	for _, r := range rows {
		var parts []string
		for _, x := range r.Exchanges {
			parts = append(parts, fmt.Sprint(x.Part, x.Number))
		}
		list = append(list, strings.Join(parts, "+"))
	}
	return strings.Join(list, " ")
}

func TestPairsPutTheControlBesideTheAttack(t *testing.T) {
	e := func(p Part, claim string) Exchange { return redeem(p, len(claim), claim) }
	rows := pairs([]Exchange{metadata(), e(Control, `"aud": "a"`), e(Attack, `"aud": "evil"`),
		e(Attack, `"aud": ["evil"]`), e(Control, `"aud": "again"`)})
	if got, want := shape(rows), "setup1 control2+attack3 attack4 control5"; got != want {
		t.Errorf("rows are %s, want %s", got, want)
	}
	rows2 := pairs([]Exchange{call(Control, 200), e(Control, `"aud": "a"`), call(Attack, 401)})
	if len(rows2) != 2 || len(rows2[0].Exchanges) != 2 {
		t.Error("the attack does not stand beside the control for its URL")
	}
	for _, i := range []int{1, 2} {
		if want := []difference{{"aud", changed}}; !reflect.DeepEqual(rows[i].Differs, want) || rows[i].Alike {
			t.Errorf("row %d differs in %v", i, rows[i].Differs)
		}
	}
	if rows[0].Open || !rows[1].Open {
		t.Error("the setup is open, or the control and its attack are not")
	}
}

func TestPairsOfOneToken(t *testing.T) {
	twice := redeem(Control, 1, `"aud": "a"`)
	again := redeem(Attack, 1, `"aud": "a"`)
	if rows := pairs([]Exchange{twice, again}); !rows[0].Alike {
		t.Errorf("the same request twice differs in %v", rows[0].Differs)
	}
	again.Request.Form[2].Value = "everything"
	again.Request.Header = nil
	want := []difference{{"scope", changed}, {"Accept", missing}, {"Authorization", missing}}
	if rows := pairs([]Exchange{twice, again}); !reflect.DeepEqual(rows[0].Differs, want) {
		t.Errorf("differs in %v, want %v", rows[0].Differs, want)
	}
}
