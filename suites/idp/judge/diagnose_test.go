package judge

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/idp/bare"
	"github.com/emaconform/emaconform/suites/engine"
	_ "github.com/emaconform/emaconform/suites/idp" // the checks
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/target"
)

const (
	audience = "https://as.notes.example"
	resource = "https://mcp.notes.example/mcp"
	subject  = "zq8Fw3hXk2LmP9vT7cRb5nYd"
)

// answer is what the token endpoint of a test answers an exchange.
type answer func(r *http.Request) (status int, body map[string]any)

func refusal(code string) (int, map[string]any) {
	return http.StatusBadRequest, map[string]any{"error": code, "error_description": "no: " + code}
}

func always(code string) answer {
	return func(*http.Request) (int, map[string]any) { return refusal(code) }
}

// unless refuses with this code what has something wrong in the parameter.
func unless(parameter, value, code string) answer {
	return func(r *http.Request) (int, map[string]any) {
		if r.FormValue(parameter) != value {
			return refusal(code)
		}
		return refusal("")
	}
}

func chain(answers ...answer) answer {
	return func(r *http.Request) (status int, body map[string]any) {
		for _, a := range answers {
			if status, body = a(r); body["error"] != "" {
				return status, body
			}
		}
		return status, body
	}
}

// provider is an identity provider whose token endpoint answers so; nil: it is none.
func provider(t *testing.T, token answer) string {
	t.Helper()
	if token == nil {
		return bare.Start(t, map[string]http.HandlerFunc{bare.Metadata: http.NotFound})
	}
	return bare.Start(t, map[string]http.HandlerFunc{
		"GET /authorize": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "The redirect_uri is not registered.", http.StatusBadRequest)
		},
		"POST /token": func(w http.ResponseWriter, r *http.Request) {
			status, body := token(r)
			bare.JSON(status, body)(w, r)
		},
	})
}

// judged is the problem that the preflight ends with.
func judged(t *testing.T, vendor, issuer string, form bool) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "alice.json")
	if err := os.WriteFile(file, []byte(`{"id_token":"`+subject+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	signIn := config.SignIn{Tokens: map[string]string{"": file}}
	if form {
		signIn = config.SignIn{Form: &config.Form{Password: "correct horse battery"}}
	}
	c := &config.Config{
		IdP: config.IdP{Issuer: issuer, Vendor: vendor},
		Clients: []config.Client{{Client: target.Client{ID: "agent", Secret: "s3cret-s3cret-s3cret"},
			RedirectURI: "https://agent.example/cb"}},
		Targets: []config.Target{{Audience: audience, Resource: resource, Scopes: []string{"notes.read"}}},
		Users:   []config.User{{Login: "alice", SignIn: signIn}},
	}
	report, err := Run(t.Context(), Options{Config: c})
	if err != nil {
		t.Fatal(err)
	}
	if report.Ended != engine.EndedPreflight {
		t.Fatalf("the preflight did not end the run: %s", report.Ended)
	}
	return report.Problem
}

// Where the preflight stops, it names the one thing to fix, in the words of the vendor's console where that is known.
func TestThePreflightSpeaksTheVendorsWords(t *testing.T) {
	granted := func(*http.Request) (int, map[string]any) {
		return http.StatusOK, map[string]any{"access_token": "opaque", "token_type": "Bearer",
			"issued_token_type": world.TypeAccess}
	}
	noResource := func(r *http.Request) (int, map[string]any) {
		if r.FormValue("resource") != "" {
			return refusal("invalid_target")
		}
		return granted(r)
	}
	unsupported := func(*http.Request) (int, map[string]any) {
		return http.StatusBadRequest, map[string]any{"error": "invalid_request",
			"error_description": "requested_token_type is not supported"}
	}
	distinct := unless("subject_token", subject, "invalid_request")
	for name, c := range map[string]struct {
		token   answer
		form    bool
		setting string
		want    string
	}{
		"no metadata":          {nil, false, "issuer", "does not look like an identity provider"},
		"sign-in refused":      {always("server_error"), true, "redirect", "Correct sign_in of alice"},
		"client unknown":       {always("invalid_client"), false, "client", `Register client "agent"`},
		"exchange not allowed": {always("unauthorized_client"), false, "grant", "Allow the grant type"},
		"scope unknown":        {always("invalid_scope"), false, "scope", `Allow the scopes "notes.read"`},
		"no ID-JAG":            {granted, false, "feature", "Switch ID-JAGs"},
		"ID-JAGs not known":    {unsupported, false, "feature", "Switch ID-JAGs"},
		"resource not wanted":  {noResource, false, "target", "exchange.resource: never"},
		"subject not taken":    {always("invalid_grant"), false, "", "Correct exchange.subject_token"},
		"audience unknown": {chain(distinct, always("invalid_target")), false, "target",
			"Register " + audience + " as a resource authorization server"},
		"resource unknown": {chain(distinct, unless("audience", audience, "invalid_request"), always("invalid_target")),
			false, "target", "Register the resource " + resource},
		"user not assigned": {chain(distinct, unless("audience", audience, "invalid_target"),
			unless("resource", resource, "invalid_request"), always("access_denied")), false, "user",
			"Assign alice to the target"},
	} {
		for _, vendor := range config.Vendors() {
			t.Run(name+"/"+vendor, func(t *testing.T) {
				t.Parallel()
				g := NewWithT(t)
				problem := judged(t, vendor, provider(t, c.token), c.form)
				g.Expect(problem).To(ContainSubstring(c.want))
				g.Expect(strings.HasSuffix(problem, advice(&config.Config{IdP: config.IdP{Vendor: vendor}},
					c.setting))).To(BeTrue(),
					"the vendor's words end it: %s", problem)
				g.Expect(problem).NotTo(Or(ContainSubstring(subject), ContainSubstring("s3cret"), ContainSubstring("horse")))
				for _, other := range config.Vendors()[1:] {
					if other != vendor {
						g.Expect(strings.ToLower(problem)).NotTo(ContainSubstring(other+":"), "another vendor's words")
					}
				}
			})
		}
	}
}

// Every vendor has words for every setting.
func TestVendorsWordsAreComplete(t *testing.T) {
	g := NewWithT(t)
	var settings []string
	for s := range console["okta"] {
		settings = append(settings, s)
	}
	slices.Sort(settings)
	for _, vendor := range config.Vendors()[1:] {
		for _, s := range settings {
			g.Expect(console[vendor][s]).To(HaveSuffix("."), fmt.Sprintf("%s: %s", vendor, s))
		}
		g.Expect(console[vendor]).To(HaveLen(len(settings)), vendor)
	}
}
