package rs

import (
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// A session id that can be guessed from another one differs from it in fewer characters; of ids that begin with a time,
// the rest counts.
const (
	sessions       = 4
	sessionsDiffer = 8
)

var _ = check.For("RS-SESSION-NOT-AUTH", func() {
	server.It("unguessable", "gives each session an id that nobody can guess from another one", func(t *server.T) {
		token := t.AccessToken()
		var ids []string
		for range sessions {
			s := t.Open(token)
			if s.ID == "" {
				t.Skipf("the server keeps no sessions: it answers initialize without Mcp-Session-Id")
			}
			for _, other := range ids {
				if n := server.Apart(s.ID, other); n < sessionsDiffer {
					t.Failf("two session ids, of %d characters, differ in %d of them: who has one guesses others. 128 random bits "+
						"are the least",
						len(s.ID), n)
				}
			}
			ids = append(ids, s.ID)
		}
	}, check.By("MCP security best practices §Session Hijacking"),
		check.Sends("Several sessions of one user; their ids are compared with each other"))
})
