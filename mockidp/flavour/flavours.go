package flavour

import (
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/directory"
)

// All returns every flavour, the default first.
func All() []Flavour {
	return []Flavour{okta(), generic()}
}

func okta() Flavour {
	return Flavour{
		Name: "okta", Title: "Okta org authorization server", Algorithm: jose.RS256,
		Subject: directory.SubjectID, IDTokenLifetime: time.Hour, IDTokenJTI: "ID.", Thin: true,
		IDTokenClaims: map[string]any{"ver": 1},
		IDJAGLifetime: 5 * time.Minute, IDJAGJTI: "IDAAG.", Email: EmailByScope,
	}
}

func generic() Flavour {
	return Flavour{
		Name: "generic", Title: "By the letter of the specifications", Algorithm: jose.RS256,
		Subject: directory.SubjectUUID, IDTokenLifetime: time.Hour, IDTokenTyp: "JWT",
		IDJAGLifetime: 5 * time.Minute, Email: EmailAlways, Authenticated: true, ScopeEcho: true,
		AnnounceTypes: true, IssuerAudience: true, ResponseIssuer: true,
	}
}
