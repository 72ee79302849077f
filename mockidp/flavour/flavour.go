// Package flavour describes how the tokens of identity providers differ, as data. Each difference names the public
// document that shows it; what no document shows is marked as a guess.
package flavour

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/directory"
)

// Flavour is an identity provider's way with tokens.
type Flavour struct {
	Name, Title  string
	Algorithm    jose.SignatureAlgorithm
	Algorithms   []jose.SignatureAlgorithm // that it is known to sign with, Algorithm among them; nil is Algorithm alone
	Hypothetical bool                      // no public document shows that it issues ID-JAGs
	IssuerPath   string                    // appended to an issuer that is derived from the listener; {tenant} is Tenant
	Tenant       string                    // of Settings, when the configuration has none
	TenantSilent bool                      // the tenant is in the issuer alone, in no claim

	Subject         directory.SubjectStyle // sub of ID tokens, and of ID-JAGs unless the connector has its own
	IDTokenLifetime time.Duration
	IDTokenTyp      string
	IDTokenJTI      string         // prefix; jti is left out when NoIDTokenJTI
	Thin            bool           // claims of scope profile and email go to userinfo when an access token comes too
	IDTokenClaims   map[string]any // constant members
	TenantClaim     string         // of ID tokens: where Settings.Tenant goes; "" is tenant, when there is one
	OrgClaim        string         // of ID tokens: an id of the organization; "" for none
	ObjectClaim     string         // of ID tokens: the user's id, whatever sub is; "" for none
	DomainClaim     string         // of ID tokens: the domain of the user's e-mail address; "" for none
	PartyClaim      bool           // azp in ID tokens

	IDJAGLifetime    time.Duration
	IDJAGJTI         string // prefix
	Email            EmailRule
	NotBefore        bool   // nbf, in ID tokens too
	AudienceArray    bool   // aud as an array of one
	Authenticated    bool   // auth_time, acr and amr in ID-JAGs
	ScopeEcho        bool   // scope in the response even when it is what was asked
	ActorProfile     string // sub_profile of the client in act, in every ID-JAG; "" for neither
	SubjectProfile   string // sub_profile of the user
	SAMLSubject      bool   // sub_id with the SAML name of the user
	ResourceRequired bool   // a request without resource is refused
	IDTokenOnly      bool   // no other subject token is taken

	SAMLDirect bool // a SAML assertion can be exchanged for an ID-JAG without a refresh token in between

	AnnounceTypes    bool // identity_chaining_requested_token_types_supported (ID-JAG draft-04 section 7.1)
	AnnounceProfiles bool // authorization_grant_profiles_supported (section 7.2, for servers that also accept ID-JAGs)
	IssuerAudience   bool // a client assertion's aud may be the issuer, besides the endpoint's URL
	ResponseIssuer   bool // iss in authorization responses (RFC 9207)

	Differences []Difference
}

// EmailRule says when an ID-JAG holds the user's e-mail address.
type EmailRule string

// When an ID-JAG holds the e-mail address.
const (
	EmailByScope EmailRule = "scope" // the sign-in asked for the scope email
	EmailAlways  EmailRule = "always"
	EmailNever   EmailRule = "never"
)

// Difference is one way in which a flavour is itself. Source is a URL, or "" for a guess; Date is when that was so: of
// the document, of its version or of the day on which it was seen.
type Difference struct{ What, Source, Date string }

// Guess reports that no public document shows the difference.
func (d Difference) Guess() bool { return d.Source == "" }

// Default is the name of the flavour that is used when none is named.
const Default = "okta-agent"

// okta is short for the default.
const okta = "okta"

// All returns every flavour, the default first.
func All() []Flavour {
	return []Flavour{oktaAgent(), oktaSAMLApp(), oktaMCPServer(), xaaDev(), claude(), generic(), entra(), google()}
}

// Find returns the flavour of that name, Default's for "".
func Find(name string) (*Flavour, error) {
	if name == "" || name == okta {
		name = Default
	}
	for _, f := range All() {
		if f.Name == name {
			return &f, nil
		}
	}
	return nil, fmt.Errorf("there is no flavour %q: use one of %s", name, strings.Join(Names(), ", "))
}

// Names lists the flavours.
func Names() []string {
	var names []string
	for _, f := range All() {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

// Describe writes every flavour with its differences, each with its source and date, guesses marked: for people to
// read.
func Describe(w io.Writer) error {
	var out strings.Builder
	for _, f := range All() {
		fmt.Fprintf(&out, "%s  %s\n", f.Name, f.Title)
		for _, d := range f.Differences {
			if d.Guess() {
				fmt.Fprintf(&out, "  - %s (a guess)\n", d.What)
			} else {
				fmt.Fprintf(&out, "  - %s\n    %s, %s\n", d.What, d.Source, d.Date)
			}
		}
		out.WriteString("\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}
