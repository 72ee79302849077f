package mockidp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// stand is what an example has in the place of a test's t.
type stand struct {
	testing.TB
	cleanups []func()
}

func (s *stand) Helper()                      {}
func (s *stand) Cleanup(f func())             { s.cleanups = append(s.cleanups, f) }
func (s *stand) Fatalf(form string, a ...any) { log.Fatalf(form, a...) }

func (s *stand) end() {
	for _, f := range s.cleanups {
		f()
	}
}

// In a test one line starts an identity provider, which stops when the test ends, as a server of httptest does. It
// mints ID-JAGs, whose claims are yours to change.
func ExampleNew() {
	t := new(stand) // in func TestMyServer(t *testing.T) it is there
	defer t.end()

	idp := mockidp.New(t, mockidp.WithConnector(directory.Connector{
		ID: "mine", Audience: "https://auth.mine.example", Resources: []string{"https://mcp.mine.example/mcp"},
		Scopes: []string{"read"}, Assigned: directory.Assignment{Everyone: true},
	}, nil))
	// myServer.Trust(idp.URL(), idp.JWKSURI())

	grant := idp.IDJAG("alice@acme.example", "0oa1acmeagent0000000", "mine")
	fmt.Println(grant.Header["typ"], grant.Claims["aud"], grant.Claims["resource"], grant.Claims["scope"])

	grant.Claims["aud"] = "https://other.example" // which myServer must refuse
	delete(grant.Claims, "jti")
	assertion, err := grant.Sign()
	idp.Must(err)
	token, err := jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.RS256})
	idp.Must(err)
	claims := map[string]any{}
	idp.Must(token.Claims(keys(idp.Client(), idp.JWKSURI()), &claims)) // its signature is good
	fmt.Println(claims["iss"] == idp.URL(), claims["aud"], claims["jti"])
	// Output:
	// oauth-id-jag+jwt https://auth.mine.example https://mcp.mine.example/mcp read
	// true https://other.example <nil>
}

// keys fetches a key set, as a server under test does.
func keys(client *http.Client, from string) *jose.JSONWebKeySet {
	res, err := client.Get(from)
	if err != nil {
		log.Fatal(err)
	}
	set := new(jose.JSONWebKeySet)
	err = json.NewDecoder(res.Body).Decode(set)
	_ = res.Body.Close()
	if err != nil {
		log.Fatal(err)
	}
	return set
}

// A client signs Alice in and exchanges her ID token for an ID-JAG at the token endpoint (RFC 8693).
func ExampleTest_Login() {
	t := new(stand)
	defer t.end()
	idp := mockidp.New(t)

	tokens := idp.Login("alice@acme.example", "0oa1acmeagent0000000")
	status, answer := idp.TokenRequest("0oa1acmeagent0000000", url.Values{
		"grant_type":           {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"requested_token_type": {"urn:ietf:params:oauth:token-type:id-jag"},
		"subject_token_type":   {"urn:ietf:params:oauth:token-type:id_token"},
		"subject_token":        {tokens.IDToken},
		"audience":             {"https://auth.notes.example"},
		"resource":             {"https://mcp.notes.example/mcp"},
	})
	fmt.Println(status, answer["issued_token_type"])
	// Output:
	// 200 urn:ietf:params:oauth:token-type:id-jag
}

// Package hostile makes what no library signs: here an ID-JAG whose header names no algorithm (RFC 8725 section 3.1).
func ExampleTest_IDJAG() {
	t := new(stand)
	defer t.end()
	idp := mockidp.New(t)

	unsigned := hostile.None(idp.IDJAG("alice@acme.example", "0oa1acmeagent0000000", "notes"), "none")
	token, ok := mockidp.Decode(unsigned)
	fmt.Println(ok, token.Header["alg"], token.Claims["aud"])
	// Output:
	// true none https://auth.notes.example
}

// start serves an identity provider with the default directory for an example.
func start() *mockidp.Server {
	idp, err := mockidp.Serve(context.Background(), mockidp.ServerOptions{Directory: directory.Default()})
	if err != nil {
		log.Fatal(err)
	}
	return idp
}

// ask exchanges an ID token of Alice's for an ID-JAG for the notes server.
func ask(idp *mockidp.Server) (status int, answer map[string]any) {
	idToken, err := idp.NewIDToken("alice@acme.example", "0oa1acmeagent0000000")
	if err != nil {
		log.Fatal(err)
	}
	subject, err := idToken.Sign()
	if err != nil {
		log.Fatal(err)
	}
	res, err := http.PostForm(idp.TokenURL(), url.Values{
		"grant_type":           {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"requested_token_type": {"urn:ietf:params:oauth:token-type:id-jag"},
		"subject_token_type":   {"urn:ietf:params:oauth:token-type:id_token"},
		"subject_token":        {subject},
		"audience":             {"https://auth.notes.example"},
		"resource":             {"https://mcp.notes.example/mcp"},
		"scope":                {"notes.read"},
		"client_id":            {"0oa1acmeagent0000000"},
		"client_secret":        {"acme-agent-development-secret"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	_ = json.NewDecoder(res.Body).Decode(&answer)
	return res.StatusCode, answer
}

func ExampleServe() {
	idp := start()
	defer func() { _ = idp.Close() }()
	_, answer := ask(idp)
	grant, _ := mockidp.Decode(answer["access_token"].(string))
	fmt.Println(answer["token_type"], answer["expires_in"])
	fmt.Println(grant.Header["typ"])
	fmt.Println(grant.Claims["aud"], grant.Claims["client_id"], grant.Claims["scope"])
	// Output:
	// N_A 300
	// oauth-id-jag+jwt
	// https://auth.notes.example acme-agent-at-notes notes.read
}

// The next ID-JAG is for another audience; the one after it is honest again.
func ExampleIdP_Edit() {
	idp := start()
	defer func() { _ = idp.Close() }()
	_ = idp.Edit(mockidp.Edit{Token: mockidp.TokenIDJAG, Set: map[string]any{"aud": "https://other.example"},
		Delete: []string{"jti"}, Count: 1})
	for range 2 {
		_, answer := ask(idp)
		grant, _ := mockidp.Decode(answer["access_token"].(string))
		fmt.Println(grant.Claims["aud"], grant.Claims["jti"] != nil)
	}
	// Output:
	// https://other.example false
	// https://auth.notes.example true
}

// The token endpoint fails twice, then recovers.
func ExampleIdP_Fault() {
	idp := start()
	defer func() { _ = idp.Close() }()
	_ = idp.Fault(mockidp.Fault{Endpoint: mockidp.EndpointToken, Count: 2,
		Reply: mockidp.Reply{Status: http.StatusServiceUnavailable, Body: "{}"}})
	for range 3 {
		status, _ := ask(idp)
		fmt.Println(status)
	}
	// Output:
	// 503
	// 503
	// 200
}

// A deactivated user gets no more grants, and the log says why.
func ExampleIdP_SetStatus() {
	idp := start()
	defer func() { _ = idp.Close() }()
	_ = idp.SetStatus("alice@acme.example", directory.Deprovisioned)
	_, answer := ask(idp)
	fmt.Println(answer["error"])
	entries := idp.Audit().Entries()
	last := entries[len(entries)-1]
	fmt.Println(last.Outcome, last.Rule, last.Reason)
	// Output:
	// invalid_request
	// FAILURE user invalid_subject_token_user_inactive
}

// A policy lets a group into a connector, with fewer scopes.
func ExampleIdP_Update() {
	idp := start()
	defer func() { _ = idp.Close() }()
	_ = idp.Update(func(d *directory.Directory) error {
		d.Policies = []directory.Policy{{Name: "engineers read", Groups: []string{"Engineering"},
			Connectors: []string{"notes"},
			Scopes:     []string{"notes.read"}}}
		return nil
	})
	_, answer := ask(idp)
	grant, _ := mockidp.Decode(answer["access_token"].(string))
	entries := idp.Audit().Entries()
	fmt.Println(grant.Claims["scope"], "by", entries[len(entries)-1].Rule)
	// Output:
	// notes.read by engineers read
}

// Time passes when the test says so.
func ExampleIdP_Advance() {
	idp := start()
	defer func() { _ = idp.Close() }()
	before := idp.Now()
	idp.Advance(24 * time.Hour)
	fmt.Println(idp.Now().Sub(before).Round(time.Hour))
	// Output:
	// 24h0m0s
}
