package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emaconform/emaconform/mockidp/console"
)

// TestActions does everything that forms do, one after the other, and looks at what has become of the identity
// provider.
func TestActions(t *testing.T) {
	s := open(t, console.Options{Write: true})
	key := s.idp.Issuer().Keys.Signing().KeyID
	keys := func() int { return len(s.idp.Issuer().Keys.Keys) }
	in := func(login, group string) bool { return slices.Contains(s.idp.User(login).Groups, group) }
	connected := func() bool { return s.idp.Directory().Connection(agent, "notes").Status.OK() }
	var start time.Time
	for _, a := range []struct {
		action string
		form   url.Values
		says   string
		did    func() bool
	}{
		{"status", url.Values{"login": {alice}, "status": {"suspended"}}, alice + " is suspended.",
			func() bool { return !s.idp.User(alice).Status.OK() }},
		{"status", url.Values{"login": {alice}, "status": {"active"}}, alice + " is active.",
			func() bool { return s.idp.User(alice).Status.OK() }},
		{"join", url.Values{"login": {carol}, "group": {"Engineering"}}, carol + " is in Engineering.",
			func() bool { return in(carol, "Engineering") }},
		{"join", url.Values{"login": {carol}, "group": {"Brand new"}}, carol + " is in Brand new.",
			func() bool { return in(carol, "Brand new") }},
		{"leave", url.Values{"login": {carol}, "group": {"Contractors"}}, carol + " is no longer in Contractors.",
			func() bool { return !in(carol, "Contractors") }},
		{"connection", url.Values{"client": {agent}, "connector": {"notes"}, "status": {"inactive"}}, "is inactive.",
			func() bool { return !connected() }},
		{"connection", url.Values{"client": {agent}, "connector": {"notes"}, "status": {"active"}}, "is active.", connected},
		{"rotate-keys", url.Values{}, "signs from now on", func() bool {
			return keys() == 2 && s.idp.Issuer().Keys.Signing().KeyID != key
		}},
		{"prepare-key", url.Values{}, "is published", func() bool {
			return strings.Count(s.get("../oauth2/v1/keys").body, `"kid"`) == 3 &&
				strings.Contains(s.get("").body, "<code>"+s.idp.NextKeyID()+`</code> <span class="chip">next</span>`)
		}},
		{"rotate-keys", url.Values{"withdraw": {"yes"}}, "signs from now on", func() bool { return keys() == 1 }},
		{"fault", url.Values{"endpoint": {"token"}, "status": {"503"}, "body": {"{}"}, "delay": {"1ms"}, "count": {"2"},
			"type": {"text/plain"}}, "in force at token",
			func() bool {
				f := s.idp.Faults()
				return len(f) == 1 && f[0].Reply.Status == 503 && f[0].Count == 2 &&
					f[0].Reply.Header["Content-Type"] == "text/plain"
			}},
		{"clear-faults", url.Values{}, "No fault is in force.", func() bool { return len(s.idp.Faults()) == 0 }},
		{"edit", url.Values{"token": {"id_jag"}, "set": {`{"aud":"x"}`}, "delete": {"jti"}, "header": {`{"typ":"JWT"}`},
			"user": {alice}, "count": {"1"}}, "from now on",
			func() bool {
				e := s.idp.Edits()
				return len(e) == 1 && e[0].Set["aud"] == "x" && e[0].User == s.idp.User(alice).ID && e[0].Header["typ"] == "JWT"
			}},
		{"clear-edits", url.Values{}, "honest again", func() bool { return len(s.idp.Edits()) == 0 }},
		{"advance", url.Values{"by": {"2h"}}, "moved by 2h0m0s", func() bool {
			start = s.idp.Now()
			return time.Until(start) > 119*time.Minute
		}},
		{"end-sessions", url.Values{"login": {alice}}, "have ended", func() bool { return len(s.idp.Audit().Entries()) > 0 }},
		{"reset", url.Values{}, "as at the start", func() bool {
			return s.idp.Now().Before(start) && !in(carol, "Engineering")
		}},
	} {
		a.form.Set("back", console.Path+"/groups")
		got := s.post("do/"+a.action, a.form)
		if got.status != http.StatusOK || got.at != console.Path+"/groups" || !strings.Contains(got.body, a.says) {
			t.Errorf("%s: status %d at %s, expected the page of groups with the message %q", a.action, got.status, got.at,
				a.says)
		}
		if !a.did() {
			t.Errorf("%s %v has not done what it says", a.action, a.form)
		}
	}
	if a := s.get("groups"); strings.Contains(a.body, `class="said"`) {
		t.Error("a message is shown twice")
	}
}

func TestActionsRefuseNonsense(t *testing.T) {
	s := open(t, console.Options{Write: true})
	for _, a := range []struct {
		action string
		form   url.Values
		says   string
	}{
		{"status", url.Values{"login": {"nobody"}, "status": {"active"}}, "no user"},
		{"status", url.Values{"login": {alice}, "status": {"happy"}}, "status"},
		{"end-sessions", url.Values{"login": {"nobody"}}, "no user"},
		{"join", url.Values{"login": {"nobody"}, "group": {"x"}}, "no user"},
		{"connection", url.Values{"client": {"nobody"}, "connector": {"notes"}}, "no connection"},
		{"fault", url.Values{"endpoint": {"kitchen"}, "status": {"500"}}, "expected one of"},
		{"fault", url.Values{"endpoint": {"token"}, "status": {"many"}}, "expected a number"},
		{"fault", url.Values{"endpoint": {"token"}, "status": {"999"}}, "expected 200 to 599"},
		{"fault", url.Values{"endpoint": {"token"}, "delay": {"soon"}}, "expected a duration"},
		{"edit", url.Values{"token": {"id_jag"}, "set": {"[1]"}}, "expected a JSON object"},
		{"edit", url.Values{"token": {"id_jag"}}, "Nothing would be changed"},
		{"edit", url.Values{"token": {"id_jag"}, "set": {`{"a":1}`}, "user": {"nobody"}}, "no user"},
		{"edit", url.Values{"token": {"id_jag"}, "header": {`{"alg":"none"}`}}, "mint such a token by hand"},
		{"edit", url.Values{"token": {"dream"}, "delete": {"jti"}}, "expected"},
		{"advance", url.Values{"by": {"a while"}}, "expected a duration"},
		{"advance", url.Values{"by": {"999999h"}}, "ten years at most"},
	} {
		got := s.post("do/"+a.action, a.form)
		if got.status != http.StatusBadRequest || !strings.Contains(got.body, a.says) {
			t.Errorf("%s %v: status %d, expected 400 with a message that says %q", a.action, a.form, got.status, a.says)
		}
	}
	if len(s.idp.Faults())+len(s.idp.Edits()) > 0 {
		t.Error("something that was refused is in force")
	}
}

func TestActionsLeadNowhereElse(t *testing.T) {
	s := open(t, console.Options{Write: true})
	s.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, back := range []string{"https://evil.example/console/", "//evil.example/console/", "/console/../evil",
		"/elsewhere", `\\evil`, "", "\x00",
		"javascript:alert(1)", "/console/%2e%2e/x"} {
		got := s.post("do/clear-edits", url.Values{"back": {back}})
		if to := got.header.Get("Location"); got.status != http.StatusSeeOther || to != console.Path+"/" {
			t.Errorf("back %q: status %d to %q, expected the overview", back, got.status, to)
		}
	}
}

func TestSwitchedOffConnectionRefuses(t *testing.T) {
	s := open(t, console.Options{Write: true})
	tokens := s.idp.Login(alice, agent)
	ask := func() int {
		status, _ := s.idp.TokenRequest(agent, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"},
			"requested_token_type": {"urn:ietf:params:oauth:token-type:id-jag"}, "audience": {"https://auth.notes.example"},
			"scope": {"notes.read"}, "subject_token": {tokens.IDToken},
			"subject_token_type": {"urn:ietf:params:oauth:token-type:id_token"}})
		return status
	}
	if got := ask(); got != http.StatusOK {
		t.Fatalf("before: status %d", got)
	}
	s.post("do/connection", url.Values{"client": {agent}, "connector": {"notes"}, "status": {"inactive"}})
	if got := ask(); got != http.StatusBadRequest {
		t.Errorf("after the connection was switched off: status %d", got)
	}
	if a := s.get("audit?only=refused"); !strings.Contains(a.body, "connection") ||
		strings.Contains(a.body, tokens.IDToken) {
		t.Error("the audit log does not name the step that refused, or shows a token")
	}
}

func TestPolicyTrialNamesTheStep(t *testing.T) {
	s := open(t, console.Options{})
	for _, c := range []struct{ query, says string }{
		{"user=" + alice + "&client=" + agent + "&connector=notes&scope=notes.read", "Granted"},
		{"user=" + carol + "&client=" + agent + "&connector=notes", "the user is not assigned to the resource application"},
		{"user=bob@acme.example&client=" + agent + "&connector=ledger&scope=ledger.read", "amr lacks mfa"},
		{"user=bob@acme.example&client=" + agent + "&connector=ledger&scope=ledger.read&strength=strong", "Granted"},
		{"user=nobody&client=" + agent + "&connector=notes", "Choose a person"},
		{"user=dave@acme.example&client=" + agent + "&connector=notes", "the user is not active"},
	} {
		if a := s.get("policies?" + c.query); !strings.Contains(a.body, c.says) {
			t.Errorf("%s: the page does not say %q", c.query, c.says)
		}
	}
	if n := len(s.idp.Audit().Entries()); n > 0 {
		t.Errorf("trying a decision leaves %d entries in the audit log", n)
	}
}
