package signin

import (
	"github.com/emaconform/emaconform/suites/check" // the words that scenarios are declared in
	. "github.com/emaconform/emaconform/suites/client/scenario"
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-SAML", func() {
	It("refresh-token", "trades the SAML assertion for a refresh token, and uses that as subject token",
		SAML.Honest("An honest world in which the client has a SAML assertion").From(AskedIdP),
		func(t *T) {
			if len(t.SAMLExchanges()) == 0 {
				for _, s := range t.Exchanges() {
					if s.Form.Get("subject_token_type") == world.TypeSAML2 {
						t.Failf(
							"expected the SAML assertion to be traded for a refresh token first (ID-JAG draft-04 4.5), but it was the " +
								"subject token for the ID-JAG",
						)
					}
				}
				t.NotOffered()
			}
			for _, s := range t.Exchanges() {
				if kind := s.Form.Get("subject_token_type"); kind != world.TypeRefreshToken {
					t.Failf("expected the refresh token as subject token, but subject_token_type is %q", kind)
				}
			}
			t.MustSucceed("the refresh token stands for the user")
		}, check.Should())
	It("scope", "asks for openid and offline_access in that trade",
		SAML.Honest("An honest world in which the client has a SAML assertion").From(AskedIdP),
		func(t *T) {
			if len(t.SAMLExchanges()) == 0 {
				t.NotOffered()
			}
			for _, s := range t.SAMLExchanges() {
				if !HasAll(s.Form.Get("scope"), "openid", "offline_access") {
					t.Failf(
						"expected scope to have openid and offline_access (ID-JAG draft-04 4.5), but it is %q",
						s.Form.Get("scope"),
					)
				}
			}
		}, check.Should())
})
