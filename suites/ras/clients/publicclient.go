package clients

import (
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

var _ = check.For("RAS-CLIENT-PUBLIC", func() {
	server.It("not-granted", "grants nothing to a client without credentials", func(t *server.T) {
		public := &target.Client{ID: t.Config.PublicClient, Auth: target.NoAuthentication}
		if served := t.ClientBy(target.NoAuthentication); public.ID == "" {
			public = served
		}
		t.Control(t.Grant())
		server.ExpectRefused(t, t.Attack(server.GrantFor(t, public), server.As(public)),
			server.UnauthorizedClient, server.InvalidClient, server.InvalidGrant)
	}, check.With(server.NeedsPublicClient),
		check.Sends("An ID-JAG for a client that is registered without credentials, which names "+
			"itself in the form, after one for a confidential client as control"))
})
