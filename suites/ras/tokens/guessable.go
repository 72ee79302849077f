package tokens

import (
	"strings"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// many is how many tokens are compared with each other, and differing in how many characters each two of them have to
// differ: 128 bits are 22 characters of base64 (RFC 6749 section 10.10), of which some are the same by chance.
const many, differing = 6, 12

// grantedTokens are access tokens of one user, each granted for an ID-JAG of its own.
func grantedTokens(t *server.T) []string {
	var list []string
	for range many {
		list = append(list, t.Control(t.Grant()).String("access_token"))
	}
	return list
}

var _ = check.For("RAS-RESP-SHAPE", func() {
	server.It("unguessable", "grants access tokens that nobody can guess from another one", func(t *server.T) {
		tokens := grantedTokens(t)
		if strings.Count(tokens[0], ".") == 2 {
			ids := map[any]bool{}
			for _, token := range tokens {
				ids[server.JWTClaims(token)["jti"]] = true
			}
			if len(ids) < len(tokens) && !ids[nil] {
				t.Failf("%d access tokens have %d values of jti between them: an id is to be one token's alone (RFC 7519 "+
					"4.1.7), or revoking one revokes others", len(tokens), len(ids))
			}
			return
		}
		for i, one := range tokens {
			for _, other := range tokens[:i] {
				if one == other {
					t.Notef("two ID-JAGs of one user got the same access token")
				} else if n := server.Apart(one, other); n < differing {
					t.Failf("two access tokens, of %d characters, differ in %d of them: who has one guesses others. 128 random bits "+
						"are the least",
						len(one), n)
				}
			}
		}
	}, check.By("RFC 6749 §10.10"), check.Sends("Several honest ID-JAGs; the access tokens are compared with each other"))
})
