package idjag

import (
	"crypto/rand"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

var _ = check.For("RAS-JTI-PRESENT", func() {
	server.Refuses(
		server.Attack{Slug: "missing", What: "an ID-JAG without jti", Edit: server.Remove("jti")},
		server.Attack{Slug: "empty", What: "an ID-JAG whose jti is the empty string", Edit: server.Set("jti", "")},
		server.Attack{Slug: "number", What: "an ID-JAG whose jti is a number", Edit: server.Set("jti", 1)},
	)

	server.It("long", "refuses a jti of 64 KB, or at least remembers all of it", func(t *server.T) {
		t.Control(t.Grant())
		grant := t.Grant(server.Set("jti", rand.Text()+strings.Repeat("0", 64<<10)))
		a := t.Attack(grant)
		if !server.Granted(a) {
			Expect(a).To(server.BeRefused()) // by whatever code: there is none for a request that is too large
			return
		}
		if server.Granted(t.Attack(grant)) {
			t.Notef("it was redeemed twice: see RAS-JTI-REPLAY")
		}
		t.Warnf("granted with a jti of 64 KB: bound its length, or the store of used ones fills up")
	}, check.Intrusive(),
		check.Sends("An ID-JAG whose jti has 64 KB, after an honest one as control; where it is granted, once more"))
})
