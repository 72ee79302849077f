package directory

import (
	"slices"
)

// Authentication context classes (https://developer.okta.com/docs/guides/step-up-authentication/main/).
const (
	ACROneFactor         = "urn:okta:loa:1fa:any"
	ACRPassword          = "urn:okta:loa:1fa:pwd"
	ACRTwoFactors        = "urn:okta:loa:2fa:any"
	ACRPhishingResistant = "phr"
	ACRHardware          = "phrh"
)

// ACRs lists the acr_values that a sign-in can satisfy.
func ACRs() []string {
	return []string{ACROneFactor, ACRPassword, ACRTwoFactors, ACRPhishingResistant, ACRHardware}
}

// SatisfiedACR is the first of the asked classes that authentication by these methods (RFC 8176) satisfies, "" when
// none.
func SatisfiedACR(asked, amr []string) string {
	has := func(method string) bool { return slices.Contains(amr, method) }
	for _, acr := range asked {
		switch {
		case acr == ACROneFactor, acr == ACRPassword && has("pwd"), acr == ACRTwoFactors && has("mfa"),
			acr == ACRPhishingResistant && (has("hwk") || has("swk")), acr == ACRHardware && has("hwk"):
			return acr
		}
	}
	return ""
}

// ImpliedACR is the class of a sign-in that asked for none.
func ImpliedACR(amr []string) string { return SatisfiedACR([]string{ACRTwoFactors, ACROneFactor}, amr) }

// Methods is the amr of a sign-in: the user's first factor, or all of them.
func Methods(u *User, strong bool) []string {
	factors := u.Factors
	if len(factors) == 0 {
		factors = []string{"pwd"}
	}
	if !strong || len(factors) == 1 {
		return factors[:1]
	}
	return append(slices.Clone(factors), "mfa")
}
