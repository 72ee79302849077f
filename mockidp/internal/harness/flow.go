package harness

import (
	"net/url"
	"testing"

	"github.com/emaconform/emaconform/mockidp"
)

// Who and what is in directory.Default.
const (
	Agent     = "0oa1acmeagent0000000"
	Codepilot = "0oa2acmecodepilot000"
	Alice     = "alice@acme.example"
	Bob       = "bob@acme.example"
	Carol     = "carol@acme.example"

	Notes         = "https://auth.notes.example"
	NotesResource = "https://mcp.notes.example/mcp"
)

// Exchange is a good request for an ID-JAG, with changes: a value of "" takes a parameter away.
func Exchange(subject string, changes ...string) url.Values {
	form := url.Values{
		"grant_type":           {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"requested_token_type": {"urn:ietf:params:oauth:token-type:id-jag"},
		"audience":             {Notes}, "resource": {NotesResource}, "scope": {"notes.read"},
		"subject_token": {subject}, "subject_token_type": {"urn:ietf:params:oauth:token-type:id_token"},
	}
	for i := 0; i < len(changes); i += 2 {
		if form.Del(changes[i]); changes[i+1] != "" {
			form.Set(changes[i], changes[i+1])
		}
	}
	return form
}

// ClaimsOf is the claims of a token, which ends the test when it is no JWT.
func ClaimsOf(t testing.TB, token any) map[string]any {
	t.Helper()
	compact, _ := token.(string)
	decoded, ok := mockidp.Decode(compact)
	if !ok {
		t.Fatalf("expected a JWT, got %d characters", len(compact))
	}
	return decoded.Claims
}
