package grants

import (
	"net/http"
	"strings"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-REDEEM-REQ", func() {
	It("grant", "presents the ID-JAG as a jwt-bearer grant in a form",
		Given.Honest(MeetsGiven).From(Redeemed),
		func(t *T) {
			for _, s := range t.NeedRedemptions() {
				if got := s.Form["grant_type"]; len(got) != 1 || got[0] != world.GrantJWTBearer {
					t.Failf("expected grant_type=%s once, but it is %q", world.GrantJWTBearer, got)
				}
				if s.Method != http.MethodPost || !strings.HasPrefix(s.Header.Get("Content-Type"),
					"application/x-www-form-urlencoded") {
					t.Failf("expected a POST of a form, but it is a %s of %q", s.Method, s.Header.Get("Content-Type"))
				}
			}
		})
	It("assertion", "presents the ID-JAG as it was issued, once",
		Given.Honest(MeetsGiven).From(Redeemed),
		func(t *T) {
			for _, s := range t.NeedRedemptions() {
				if len(s.Form["assertion"]) != 1 {
					t.Failf("expected one assertion, but there are %d", len(s.Form["assertion"]))
				}
				if !t.Issued(world.IDJAG, s.Form.Get("assertion")) {
					t.Failf("expected the assertion to be the ID-JAG as the IdP issued it, but it is something else")
				}
			}
		})
	It("resource", "names the MCP server's resource identifier, where it names a resource at the RAS",
		Given.Honest(MeetsGiven).From(Redeemed),
		func(t *T) {
			for _, s := range t.NeedRedemptions() {
				if got := s.Form["resource"]; len(got) > 0 && (len(got) > 1 || got[0] != t.World.MCP.Resource) {
					t.Failf("expected resource=%s once, as in the ID-JAG (RFC 8707 2), but it is %q", t.World.MCP.Resource, got)
				}
			}
		})
	It("resource-origin", "names the MCP server's identifier as it is at the RAS when that is a bare origin",
		Given.But(meetsOrigin, func(w *world.World) { w.MCP.AtRoot() }).OfHosts().From(Redeemed),
		func(t *T) {
			for _, s := range t.NeedRedemptions() {
				if got := s.Form["resource"]; len(got) > 0 && (len(got) > 1 || got[0] != t.World.MCP.Resource) {
					t.Failf("expected resource=%s once, as the metadata has it, but it is %q", t.World.MCP.Resource, got)
				}
			}
		})
	It("client-auth", "authenticates at the RAS with its credentials there",
		Given.Honest(MeetsGiven).From(Redeemed),
		func(t *T) {
			for _, s := range t.NeedRedemptions() {
				method, ok := world.CredentialsOf(s.Header, s.Form, t.World.ClientSecret)
				id, basic := basicUser(s)
				if !basic {
					id = s.Form.Get("client_id")
				}
				if !ok || id != world.ClientID {
					t.Failf(
						"expected the client to authenticate with client_id and client_secret of the context, but it authenticates "+
							"by %s as %q",
						method,
						id,
					)
				}
			}
		})
	It("encoded-secret", "encodes its credentials before it puts them into a Basic header",
		Given.But("A client secret with characters that mean something in a URL or a header, and a RAS that takes "+
			"Basic alone",
			func(w *world.World) {
				w.NewClientSecret(" +%:/&=?ü")
				onlyMethod("client_secret_basic")(w)
			}).From(Redeemed),
		func(t *T) {
			basic := false
			for _, s := range t.NeedRedemptions() {
				method, ok := world.CredentialsOf(s.Header, s.Form, t.World.ClientSecret)
				basic = basic || method == "client_secret_basic"
				if method == "client_secret_basic" && !ok {
					t.Failf("expected client_secret of the context, form-encoded (RFC 6749 2.3.1), but what comes is something else")
				}
			}
			if !basic {
				t.Skipf("the client does not authenticate by Basic: see CL-REDEEM-REQ/basic-only")
			}
		}, check.Should())
	// RFC 6749 2.3.1 wants every server to take Basic, OAuth 2.1 wants the form: so neither is more than a SHOULD.
	It("basic-only", "authenticates by Basic where the RAS takes that alone",
		Given.But("A RAS whose metadata lists client_secret_basic alone",
			onlyMethod("client_secret_basic")).From(ReadServer),
		Succeeds("the metadata says how clients authenticate (RFC 8414 2)"), check.Should())
	It("post-only", "authenticates in the form where the RAS takes that alone",
		Given.But("A RAS whose metadata lists client_secret_post alone",
			onlyMethod("client_secret_post")).From(ReadServer),
		Succeeds("the metadata says how clients authenticate (RFC 8414 2)"), check.Should())
})

func onlyMethod(method string) func(*world.World) {
	return func(w *world.World) {
		w.RAS.RequireAuth = method
		w.RAS.Metadata["token_endpoint_auth_methods_supported"] = []string{method}
	}
}

var _ = check.For("CL-REDEEM-REQ", func() {
	It("one-method", "authenticates to the RAS by one method in a request",
		Given.Honest(MeetsGiven).From(Redeemed),
		func(t *T) {
			for _, s := range t.NeedRedemptions() {
				if _, _, basic := world.Basic(s.Header); basic && s.Form.Has("client_secret") {
					t.Failf("expected one way of client authentication, but the token request has Basic credentials and a " +
						"client_secret")
				}
			}
		}, check.By("RFC 6749 §2.3"))
	It("published", "names the client id that it publishes, and shows no secret",
		Published.Honest(MeetsPublished).From(Redeemed),
		func(t *T) {
			for _, s := range t.NeedRedemptions() {
				id, _, basic := world.Basic(s.Header)
				if !basic {
					id = s.Form.Get("client_id")
				}
				if id != t.World.Published {
					t.Failf("expected client_id %s, but it is %q", t.World.Published, id)
				}
				if s.Form.Get("client_secret") != "" {
					t.Failf("expected no secret beside a client id that is published, but the token request has one")
				}
			}
			t.MustSucceed("the metadata lists none as the way to authenticate")
		})
})
