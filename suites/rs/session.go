package rs

import (
	"crypto/rand"
	"fmt"
	"net/http"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// aliceSession opens a session of Alice and sees that she can use it.
func aliceSession(t *server.T) (s *server.Session, token string) {
	token = t.AccessToken()
	return aliceSessionOf(t, token), token
}

// aliceSessionOf is aliceSession with this token of hers.
func aliceSessionOf(t *server.T, token string) *server.Session {
	s := t.Open(token)
	if s.ID == "" {
		t.Skipf("the server keeps no sessions: it answers initialize without Mcp-Session-Id")
	}
	t.UseWith(s.Request(token, "tools/list", nil))
	return s
}

func bobToken(t *server.T) string {
	bob := t.Control(t.GrantFrom(t.IdP, t.Bob())).String("access_token")
	t.Use(bob)
	return bob
}

var _ = check.For("RS-SESSION-NOT-AUTH", func() {
	server.It("other-user", "refuses another user's token in a session", func(t *server.T) {
		bob := bobToken(t)
		s, _ := aliceSession(t)
		Expect(
			t.Break(s.Request(bob, "tools/list", nil)),
		).To(
			server.BeStatus(http.StatusForbidden, http.StatusNotFound, http.StatusUnauthorized),
		)
	}, check.Should(), check.With(server.NeedsSecondUser),
		check.Sends("Alice's session with her token as control, then the same "+
			"session with Bob's token"))

	server.It("no-session", "answers nobody out of another user's session who names none", func(t *server.T) {
		bob := bobToken(t)
		whoami := func(s *server.Session, token string) *wire.Request {
			return s.Request(token, "tools/call", map[string]any{"name": t.Config.WhoamiTool, "arguments": map[string]any{}})
		}
		his := contentOf(t.UseWith(whoami(t.Open(bob), bob)))
		s, alice := aliceSession(t)
		hers := contentOf(t.UseWith(whoami(s, alice)))
		if his == hers {
			t.Skipf("%s tells the two users not apart in sessions (whoami_tool)", t.Config.WhoamiTool)
		}
		none := *s
		none.ID = ""
		a := t.Break(whoami(&none, bob))
		if server.LetIn(a) && contentOf(a) == hers {
			t.Failf("a request without a session id was answered out of another user's session: whoever comes next, with a " +
				"token of his own, acts in the name of who came before")
		}
		if server.LetIn(a) {
			t.Notef("a request of revision %s without a session id is answered; the sender's token says who it is",
				server.Revision2025)
		}
	}, check.With(server.NeedsSecondUser, server.NeedsWhoami), check.By("MCP security best practices §Session Hijacking"),
		check.Sends("Each of two users asks in a session of his own who he is, as controls; then one asks it without a "+
			"session id, while the other's session is the newest"))

	server.It("no-token", "answers 401 to a session id without a token", func(t *server.T) {
		s, _ := aliceSession(t)
		Expect(t.Break(s.Request("", "tools/list", nil))).To(server.BeUnauthorized())
	}, check.Sends("Alice's session with her token as control, then the session id alone"))

	server.It("bad-token", "answers 401 to a session id with a token that nobody issued", func(t *server.T) {
		s, _ := aliceSession(t)
		Expect(t.Break(s.Request(rand.Text(), "tools/list", nil))).To(server.BeUnauthorized())
	}, check.Sends("Alice's session with her token as control, then with a random token"))

	server.It("end-no-token", "does not let a session be ended without a token", func(t *server.T) {
		s, token := aliceSession(t)
		judgeEnd(t, s, "", token)
	}, check.Sends("A DELETE for Alice's session without a token, then her session again"))

	server.It("end-other-user", "does not let a session be ended by another user", func(t *server.T) {
		bob := bobToken(t)
		s, token := aliceSession(t)
		judgeEnd(t, s, bob, token)
	}, check.Should(), check.With(server.NeedsSecondUser),
		check.Sends("A DELETE for Alice's session with Bob's token, then her "+
			"session again"))
})

// contentOf is what a tool has answered, to compare.
func contentOf(a *wire.Answer) string { return fmt.Sprint(server.Result(a)["content"]) }

// judgeEnd lets a stranger end a session, and sees that its owner still has it.
func judgeEnd(t *server.T, s *server.Session, stranger, owner string) {
	r := &wire.Request{Method: http.MethodDelete, URL: t.Config.URL, Header: http.Header{}}
	if stranger != "" {
		r.Header.Set("Authorization", "Bearer "+stranger)
	}
	Expect(t.Break(s.With(r))).To(server.BeTurnedAway())
	a := t.Send(s.Request(owner, "tools/list", nil), reports.Attack, "her session must still be there")
	Expect(a).To(server.BeLetIn(), "the session was ended by somebody else")
}
