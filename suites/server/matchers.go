package server

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/gomega/types"

	"github.com/emaconform/emaconform/suites/wire"
)

// Error codes of RFC 6749 5.2 and the specifications that extend it.
const (
	InvalidRequest       = "invalid_request"
	InvalidClient        = "invalid_client"
	InvalidGrant         = "invalid_grant"
	InvalidScope         = "invalid_scope"
	InvalidTarget        = "invalid_target"
	AccessDenied         = "access_denied"
	UnauthorizedClient   = "unauthorized_client"
	UnsupportedGrantType = "unsupported_grant_type"
	InvalidDPoPProof     = "invalid_dpop_proof"
	UseDPoPNonce         = "use_dpop_nonce"
	InvalidDetails       = "invalid_authorization_details"
)

// BeGranted succeeds when an answer carries an access token.
func BeGranted() types.GomegaMatcher {
	return answerMatcher{
		good:   Granted,
		wanted: "expected the request to be granted",
	}
}

// BeRefused succeeds when the target answered without an access token. With codes, a 4xx answer must carry one of them.
func BeRefused(codes ...string) types.GomegaMatcher {
	wanted := "expected the request to be refused"
	if len(codes) > 0 {
		wanted += " with " + strings.Join(codes, " or ")
	}
	return answerMatcher{
		wanted: wanted,
		good: func(a *wire.Answer) bool {
			if a.Handshake {
				return true
			}
			if a.Err != nil || a.Doubt() != "" && a.String("error") == "" || Granted(a) || a.Status/100 == 2 {
				return false
			}
			return len(codes) == 0 || a.Status >= 500 || slices.Contains(codes, a.String("error"))
		},
	}
}

// BeStatus succeeds when an answer has one of these HTTP statuses.
func BeStatus(statuses ...int) types.GomegaMatcher {
	return answerMatcher{
		wanted: "expected HTTP " + strings.Trim(strings.ReplaceAll(fmt.Sprint(statuses), " ", " or "), "[]"),
		good:   func(a *wire.Answer) bool { return a.Err == nil && slices.Contains(statuses, a.Status) },
	}
}

// answerMatcher judges a *wire.Answer and words failures without quoting it.
type answerMatcher struct {
	good   func(*wire.Answer) bool
	wanted string
}

func (m answerMatcher) Match(actual any) (bool, error) {
	a, ok := actual.(*wire.Answer)
	if !ok {
		return false, fmt.Errorf("this matcher judges answers, not %T", actual)
	}
	return m.good(a), nil
}

func (m answerMatcher) FailureMessage(actual any) string {
	return fmt.Sprintf("%s, but the target answered: %s", m.wanted, actual.(*wire.Answer).Summary())
}

func (m answerMatcher) NegatedFailureMessage(actual any) string {
	return "not so: " + m.FailureMessage(actual)
}
