package clients

import (
	"context"
	"net/http"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
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

	server.It("self-registered", "grants nothing to a client that has registered itself without "+
		"credentials", func(t *server.T) {
		t.Control(t.Grant())
		public := selfRegistered(t)
		server.ExpectRefused(t, t.Attack(server.GrantFor(t, public), server.As(public)),
			server.UnauthorizedClient, server.InvalidClient, server.InvalidGrant)
	}, check.With(server.NeedsEndpoint("registration_endpoint")), check.Intrusive(),
		check.Sends("A registration with token_endpoint_auth_method none, then an ID-JAG made out to that client, which "+
			"names itself in the form, after one for a confidential client as control"))
})

// selfRegistered is a client that has registered itself without credentials (RFC 7591 section 3). It is deleted with
// the check where the server says how (RFC 7592 section 2.3).
func selfRegistered(t *server.T) *target.Client {
	a := t.Send(&wire.Request{Method: http.MethodPost, URL: t.Target.Endpoint("registration_endpoint"),
		Header: http.Header{"Content-Type": {"application/json"}},
		Body: server.JSONOf(map[string]any{"client_name": "emaconform",
			"redirect_uris":              []string{"http://127.0.0.1/callback"},
			"token_endpoint_auth_method": target.NoAuthentication,
			"grant_types":                []string{"authorization_code", server.GrantJWTBearer}})},
		reports.Setup, "a client without credentials registers itself")
	id, method := a.String("client_id"), a.String("token_endpoint_auth_method")
	if a.Status/100 != 2 || id == "" {
		t.Skipf("no client registers itself without credentials: %s", a.Summary())
	}
	if at, token := a.String("registration_client_uri"), a.String("registration_access_token"); at != "" && token != "" {
		end := &wire.Request{Method: http.MethodDelete, URL: at, Header: http.Header{"Authorization": {"Bearer " + token}}}
		t.DeferCleanup(func(ctx context.Context) {
			t.Wire.Do(ctx, end, t.Recorder(), reports.Setup, "it is not needed any more")
		})
	}
	if method != "" && method != target.NoAuthentication {
		t.Skipf("the client that asked for none was registered for %s", wire.Printable(method, 80))
	}
	return &target.Client{ID: id, Auth: target.NoAuthentication}
}
