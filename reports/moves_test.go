package reports

import (
	"html"
	"html/template"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// clientRun is what a client sends in one run, where the parties have these hosts: it calls the MCP server, asks the
// IdP for an ID-JAG, redeems it and calls again.
func clientRun(part Part, mcp, idp, ras string) []Exchange {
	send := func(note, url string, form ...Field) Exchange {
		return Exchange{
			Part: part, Note: note, Response: granted(1),
			Request: Request{Method: "POST", URL: url, Header: http.Header{"Content-Length": {mcp[len(mcp)-5:]}}, Form: form},
		}
	}
	exchange := send("IdP: token request", "http://"+idp+"/token", Field{"grant_type", "token-exchange"},
		Field{"audience", "http://" + ras}, Field{"resource", "http://" + mcp + "/mcp"},
		Field{"subject_token", "‹id token 1›"})
	exchange.Tokens = []Token{{Ref: "id token 1", Header: `{"alg":"ES256"}`,
		Claims: `{"iss":"http://` + idp + `","sub":"alice"}`}}
	return []Exchange{
		send("MCP server: MCP request", "http://"+mcp+"/mcp"),
		exchange,
		send("RAS: access token request", "http://"+ras+"/token", Field{"grant_type", "jwt-bearer"}),
		send("MCP server: MCP request", "http://"+mcp+"/mcp"),
	}
}

// attacked is a client's honest run, and one against other ports of the same machine.
func attacked() (control, attack []Exchange) {
	return clientRun(Control, "127.0.0.1:40001", "127.0.0.1:40002", "127.0.0.1:40003"),
		clientRun(Attack, "127.0.0.1:50001", "127.0.0.1:50002", "127.0.0.1:50003")
}

func TestPairsOfTwoRunsOfAClient(t *testing.T) {
	control, attack := attacked()
	leaked := Exchange{Part: Attack, Note: "attacker",
		Request: Request{Method: "POST", URL: "http://localhost:50009/token"}}
	attack = append(attack, leaked, attack[0]) // and a third call of the MCP server
	rows := pairs(append(control, attack...))
	want := "control1+attack5 control2+attack6 control3+attack7 control4+attack8 attack9 attack10"
	if got := shape(rows); got != want {
		t.Errorf("rows are %s, want %s", got, want)
	}
	for i, r := range rows {
		if r.Alike != (i < 4) || r.Differs != nil {
			t.Errorf("row %d: alike %v, differs in %v", i, r.Alike, r.Differs)
		}
		for _, e := range r.Exchanges {
			if marked := markedIn(e.Request); marked != nil {
				t.Errorf("exchange %d: %q is marked", e.Number, marked)
			}
		}
	}
}

func TestPairsOfAClientTellWhatItDidOtherwise(t *testing.T) {
	control, attack := attacked()
	attack[1].Request.Form[1].Value = "http://127.0.0.1:50009" // the attacker, in the place of the RAS
	attack[1].Tokens[0].Claims = strings.Replace(attack[1].Tokens[0].Claims, "alice", "mallory", 1)
	rows := pairs(append(control, attack...))
	want := []difference{{"sub", changed}, {"audience", changed}}
	if !reflect.DeepEqual(rows[1].Differs, want) {
		t.Errorf("differs in %v, want %v", rows[1].Differs, want)
	}
	for i, host := range []string{"40003", "50009"} {
		marked := markedIn(rows[1].Exchanges[i].Request)
		if len(marked) != 1 || marked[0] != "audience=http://127.0.0.1:"+host {
			t.Errorf("exchange %d: marked are %q", i, marked)
		}
	}
}

// markedIn is what is marked as changed.
func markedIn(text template.HTML) []string {
	var marked []string
	changes := regexp.MustCompile(`<span class="changed">([^<]*)</span>`)
	for _, match := range changes.FindAllStringSubmatch(string(text), -1) {
		marked = append(marked, html.UnescapeString(match[1]))
	}
	return marked
}

func TestPairsOfAPartyThatMovedTwice(t *testing.T) {
	control, attack := attacked()
	attack[3].Request.URL = "http://127.0.0.1:50009/mcp"
	for i, r := range pairs(append(control, attack...)) {
		if !r.Alike {
			t.Errorf("row %d differs in %v", i, r.Differs)
		}
	}
}

func TestTokensAreComparedByTheirReference(t *testing.T) {
	control, attack := redeem(Control, 1, `"aud": "a"`), redeem(Attack, 2, `"aud": "b"`)
	control.Tokens = append(control.Tokens, attack.Tokens...)
	if rows := pairs([]Exchange{control, attack}); !rows[0].Alike {
		t.Errorf("the same token differs in %v", rows[0].Differs)
	}
}

func TestAttacksThatDifferOpenFirst(t *testing.T) {
	control, attack := attacked()
	attack[3].Request.Body = "{}"
	attack = append(attack, attack[2]) // which has no twin
	var open []int
	rows := pairs(append(control, attack...))
	for i, r := range rows {
		if r.Open {
			open = append(open, i)
		}
	}
	if got := shape(rows); got != "control1+attack5 control2+attack6 control3+attack7 control4+attack8 attack9" ||
		!reflect.DeepEqual(open, []int{3, 4}) {
		t.Errorf("of %s, %v are open", got, open)
	}
}

func TestPairsKeepOtherKindsOfRequestApart(t *testing.T) {
	for name, change := range map[string]func(*Exchange){
		"party":  func(e *Exchange) { e.Note = "RAS: token request" },
		"method": func(e *Exchange) { e.Request.Method = "GET" },
		"path":   func(e *Exchange) { e.Request.URL += "/2" },
		"grant":  func(e *Exchange) { e.Request.Form[0].Value = "authorization_code" },
		"no URL": func(e *Exchange) { e.Request.URL = "http://127.0.0.1:50002/%zz" },
	} {
		t.Run(name, func(t *testing.T) {
			control, attack := attacked()
			change(&attack[1])
			rows := pairs([]Exchange{control[1], attack[1]})
			if len(rows) != 2 || rows[1].Differs != nil || rows[1].Alike {
				t.Errorf("rows are %s, differences %v", shape(rows), rows[len(rows)-1].Differs)
			}
		})
	}
}

func TestPairsLookPastThePortOfACallback(t *testing.T) {
	control, attack := attacked()
	for i, e := range []*Exchange{&control[1], &attack[1]} {
		e.Request.Form = []Field{{"redirect_uri", "http://localhost:" + []string{"41000", "51000"}[i] + "/callback"}}
	}
	if rows := pairs([]Exchange{control[1], attack[1]}); !rows[0].Alike {
		t.Errorf("differs in %v", rows[0].Differs)
	}
	attack[1].Request.Form[0].Value += "/other"
	want := []difference{{"redirect_uri", changed}}
	if rows := pairs([]Exchange{control[1], attack[1]}); !reflect.DeepEqual(rows[0].Differs, want) {
		t.Errorf("differs in %v, want %v", rows[0].Differs, want)
	}
}

// TestPairsAtAServer: at one server the place alone counts, and its hosts are not looked past.
func TestPairsAtAServer(t *testing.T) {
	token, attack := redeem(Control, 1, `"aud": "a"`), call(Attack, 401)
	if rows := pairs([]Exchange{token, attack}); len(rows) != 2 || rows[1].Differs != nil {
		t.Errorf("rows are %s, though the attack went elsewhere", shape(rows))
	}
	first, last := call(Control, 200), call(Control, 200)
	attack.Request.Method, attack.Request.URL = "GET", attack.Request.URL+"?access_token=x"
	if got, want := shape(pairs([]Exchange{first, last, attack})), "control1 control2+attack3"; got != want {
		t.Errorf("rows are %s, want %s", got, want)
	}
	evil := redeem(Attack, 2, `"aud": "a"`)
	token.Note, evil.Note = "the honest twin: must be granted", "must be refused"
	token.Request.Header.Set("Host", "auth.acme.example")
	evil.Request.Header.Set("Host", "evil.example")
	if rows := pairs([]Exchange{token, evil}); !reflect.DeepEqual(rows[0].Differs, []difference{{"Host", changed}}) {
		t.Errorf("differs in %v", rows[0].Differs)
	}
}
