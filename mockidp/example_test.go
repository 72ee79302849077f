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
)

// In a test one line starts an identity provider and stops it when the test ends.
func ExampleNew() {
	// func TestMyServer(t *testing.T) {
	var t *testing.T
	run := func() {
		idp := mockidp.New(t, mockidp.WithConnector(directory.Connector{
			ID: "mine", Audience: "https://auth.mine.example", Resources: []string{"https://mcp.mine.example/mcp"},
			Scopes: []string{"read"}, Assigned: directory.Assignment{Everyone: true},
		}, nil))
		// myServer.Trust(idp.URL(), idp.JWKSURI())

		grant := idp.IDJAG("alice@acme.example", "0oa1acmeagent0000000", "mine")
		grant.Claims["aud"] = "https://other.example" // anything can be changed before it is signed
		assertion, err := grant.Sign()
		idp.Must(err)
		_ = assertion // myServer must refuse it
	}
	_ = run
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
