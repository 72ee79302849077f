package ras

import (
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/target"
)

var _ = check.For("RAS-CLIENT-PUBLIC", func() {
	check.It("not-granted", "grants nothing to a client without credentials", func(t *check.T) {
		public := &target.Client{ID: t.Config.PublicClient}
		t.Control(t.Grant())
		expectRefused(t, t.Attack(grantFor(t, public), check.As(public), named),
			check.UnauthorizedClient, check.InvalidClient, check.InvalidGrant)
	}, check.With(check.NeedsPublicClient),
		check.Sends("An ID-JAG for a client that is registered without credentials, which names "+
			"itself in the form, after one for a confidential client as control"))
})
