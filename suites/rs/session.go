package rs

import (
	"crypto/rand"
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
