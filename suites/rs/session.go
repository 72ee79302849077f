package rs

import (
	"crypto/rand"
	"net/http"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/wire"
)

// aliceSession opens a session of Alice and sees that she can use it.
func aliceSession(t *check.T) (s *check.Session, token string) {
	token = t.AccessToken()
	s = t.Open(token)
	if s.ID == "" {
		t.Skipf("the server keeps no sessions: it answers initialize without Mcp-Session-Id")
	}
	t.UseWith(s.Request(token, "tools/list", nil))
	return s, token
}

func bobToken(t *check.T) string {
	bob := t.Control(t.GrantFrom(t.IdP, t.Bob())).String("access_token")
	t.Use(bob)
	return bob
}

var _ = check.For("RS-SESSION-NOT-AUTH", func() {
	check.It("other-user", "refuses another user's token in a session", func(t *check.T) {
		bob := bobToken(t)
		s, _ := aliceSession(t)
		Expect(
			t.Break(s.Request(bob, "tools/list", nil)),
		).To(
			check.BeStatus(http.StatusForbidden, http.StatusNotFound, http.StatusUnauthorized),
		)
	}, check.With(check.NeedsSecondUser), check.Sends("Alice's session with her token as control, then the same "+
		"session with Bob's token"))

	check.It("no-token", "answers 401 to a session id without a token", func(t *check.T) {
		s, _ := aliceSession(t)
		Expect(t.Break(s.Request("", "tools/list", nil))).To(check.BeUnauthorized())
	}, check.Sends("Alice's session with her token as control, then the session id alone"))

	check.It("bad-token", "answers 401 to a session id with a token that nobody issued", func(t *check.T) {
		s, _ := aliceSession(t)
		Expect(t.Break(s.Request(rand.Text(), "tools/list", nil))).To(check.BeUnauthorized())
	}, check.Sends("Alice's session with her token as control, then with a random token"))

	check.It("end-no-token", "does not let a session be ended without a token", func(t *check.T) {
		s, token := aliceSession(t)
		judgeEnd(t, s, "", token)
	}, check.Sends("A DELETE for Alice's session without a token, then her session again"))

	check.It("end-other-user", "does not let a session be ended by another user", func(t *check.T) {
		bob := bobToken(t)
		s, token := aliceSession(t)
		judgeEnd(t, s, bob, token)
	}, check.With(check.NeedsSecondUser), check.Sends("A DELETE for Alice's session with Bob's token, then her "+
		"session again"))
})

// judgeEnd lets a stranger end a session, and sees that its owner still has it.
func judgeEnd(t *check.T, s *check.Session, stranger, owner string) {
	r := &wire.Request{Method: http.MethodDelete, URL: t.Config.URL, Header: http.Header{}}
	if stranger != "" {
		r.Header.Set("Authorization", "Bearer "+stranger)
	}
	Expect(t.Break(s.With(r))).To(check.BeTurnedAway())
	a := t.Send(s.Request(owner, "tools/list", nil), reports.Attack, "her session must still be there")
	Expect(a).To(check.BeLetIn(), "the session was ended by somebody else")
}
