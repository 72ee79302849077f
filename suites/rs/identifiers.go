package rs

import (
	"net/http"
	"net/url"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/grammar"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// sender is how attacks on one identifier of the grammar are sent and judged.
type sender struct {
	right func(t *server.T, token string) string // the value that the attack changes; nil: it is written from the token
	send  func(t *server.T, token, given string) *wire.Answer
	judge func(a *wire.Answer)
}

// senders is one for each identifier of an MCP server in the grammar.
var senders = map[string]sender{
	"access-token": {
		right: func(_ *server.T, token string) string { return token },
		send:  func(t *server.T, _, given string) *wire.Answer { return t.Break(t.Knock(given)) },
		judge: func(a *wire.Answer) {
			Expect(a).To(server.BeStatus(http.StatusUnauthorized, http.StatusBadRequest))
		},
	},
	"token": {
		send: func(t *server.T, _, given string) *wire.Answer { return t.Break(t.Knock(given)) },
		judge: func(a *wire.Answer) {
			Expect(a).To(server.BeStatus(http.StatusUnauthorized, http.StatusBadRequest))
		},
	},
	"session": {
		right: func(t *server.T, token string) string { return aliceSessionOf(t, token).ID },
		send: func(t *server.T, token, given string) *wire.Answer {
			s := &server.Session{ID: given}
			r := s.With(server.Message(t.Config.URL, token, map[string]any{
				"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": map[string]any{}}))
			r.Header.Set("Mcp-Protocol-Version", server.Revision2025)
			return t.Break(r)
		},
		judge: func(a *wire.Answer) { Expect(a).To(server.BeTurnedAway()) },
	},
	"origin": {
		right: func(t *server.T, _ string) string {
			u, err := url.Parse(t.Config.URL)
			Expect(err).NotTo(HaveOccurred())
			return u.Scheme + "://" + u.Host
		},
		send: func(t *server.T, token, given string) *wire.Answer {
			r := t.Knock(token)
			r.Header.Set("Origin", given)
			return t.Break(r)
		},
		judge: func(a *wire.Answer) { Expect(a).To(server.BeStatus(http.StatusForbidden)) },
	},
}

// knocks is the kind of requests with a good token, in the revision that is judged.
func knocks(t *server.T) server.Kind {
	revision := t.Speaks()
	return server.Kind{Name: "knock " + revision, Good: server.LetIn, Send: func(t *server.T) *wire.Answer {
		t = t.Speaking(revision)
		return t.Send(t.Knock(t.AccessToken()), reports.Control, "the honest twin of many attacks: must be let in")
	}}
}

var _ = check.ForAttacks("rs", senders, sender.declare)

// onlyPort reports whether two origins differ in nothing but the port, which no text forbids a server to let in.
func onlyPort(a, b string) bool {
	x, err := url.Parse(a)
	y, err2 := url.Parse(b)
	return err == nil && err2 == nil && x.Host != "" && x.Scheme == y.Scheme && x.Hostname() == y.Hostname() &&
		y.Path == "" && y.User == nil
}

// given is the right value, and what the attack makes of it.
func (s sender) given(t *server.T, a grammar.Attack, token string) (right, given string) {
	if s.right == nil {
		return written(t, a, token)
	}
	right = s.right(t, token)
	value, _ := a.Variant.Of(right)
	given, ok := value.(string)
	if !ok || given == right {
		nothing(t, a)
	}
	return right, given
}

// written is an access token, this one or another, and what the attack makes of it.
func written(t *server.T, a grammar.Attack, token string) (right, given string) {
	for range 8 { // until one has what can be spelled otherwise
		copyOf(t, token, nil) // skips what is opaque
		if given, ok := a.Variant.Write(grammar.Forge{Issued: token}); ok {
			return token, given
		}
		token = t.AccessToken()
	}
	nothing(t, a)
	return "", ""
}

// nothing ends a check whose attack would change nothing.
func nothing(t *server.T, a grammar.Attack) {
	t.Skipf("%s has nothing here that this could change", a.Name)
}

func (s sender) declare(a grammar.Attack) {
	server.It(a.Slug(), "refuses "+a.What(), server.InEach(func(t *server.T) {
		token := t.AccessToken()
		right, given := s.given(t, a, token)
		_, answer := t.Beside(knocks(t), func() *wire.Answer {
			t.Use(token) // so that the server knows it
			return s.send(t, token, given)
		})
		if server.LetIn(answer) && onlyPort(right, given) {
			t.Warnf("pages of another port of the server's own host are let in: what is served there is not the server's own")
			return
		}
		if server.LetIn(answer) {
			t.Failf("expected a refusal, but the request was let in: %s, so that %s", a.Mistake(), a.Way.Why)
		}
		s.judge(answer)
	}), check.Of(a), check.Sends("A request with a good token as control, then "+a.What()))
}
