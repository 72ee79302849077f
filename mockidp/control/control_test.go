package control_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

// describedAPI is the control API of an identity provider, each request and answer of which is held against the
// description.
type describedAPI struct {
	t      *testing.T
	idp    *mockidp.Test
	router routers.Router
	used   map[string]bool
}

func described(t *testing.T) *describedAPI {
	idp := mockidp.New(t, mockidp.WithControl("s"))
	document, err := openapi3.NewLoader().LoadFromData(mockidp.OpenAPI())
	harness.Must(t, err)
	harness.Must(t, document.Validate(t.Context()))
	document.Servers = openapi3.Servers{{URL: idp.ControlURL()}}
	router, err := gorillamux.NewRouter(document)
	harness.Must(t, err)
	return &describedAPI{t, idp, router, map[string]bool{}}
}

// do sends a request that the description allows and decodes the answer, whose status it must be.
func (d *describedAPI) do(method, path string, body any, status int, into any) {
	d.t.Helper()
	raw := []byte(nil)
	if body != nil {
		var err error
		raw, err = json.Marshal(body)
		harness.Must(d.t, err)
	}
	req, err := http.NewRequest(method, d.idp.ControlURL()+path, bytes.NewReader(raw))
	harness.Must(d.t, err)
	req.Header.Set("Authorization", "Bearer s")
	req.Header.Set("Content-Type", "application/json")
	route, parameters, err := d.router.FindRoute(req)
	if err != nil {
		d.t.Fatalf("%s %s is not described: %v", method, path, err)
	}
	d.used[route.Operation.OperationID] = true
	in := &openapi3filter.RequestValidationInput{Request: req, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
	if err := openapi3filter.ValidateRequest(d.t.Context(), in); err != nil && status < 300 {
		d.t.Errorf("%s %s: the description refuses the request: %v", method, path, err)
	}
	req.Body = io.NopCloser(bytes.NewReader(raw))
	res, err := http.DefaultClient.Do(req)
	harness.Must(d.t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	harness.Must(d.t, err)
	if res.StatusCode != status {
		d.t.Fatalf("%s %s: %d %s, expected %d", method, path, res.StatusCode, answer, status)
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: res.StatusCode, Header: res.Header}
	if len(answer) > 0 {
		out.SetBodyBytes(answer)
	}
	if err := openapi3filter.ValidateResponse(d.t.Context(), out); err != nil {
		d.t.Errorf("%s %s: the answer is not what is described: %v", method, path, err)
	}
	if into != nil {
		harness.Must(d.t, json.Unmarshal(answer, into))
	}
}

// TestControlAPIDoesAllThatGoCan goes through every operation of the description, and the effect of each.
func TestControlAPIDoesAllThatGoCan(t *testing.T) {
	d := described(t)
	idp := d.idp
	d.directory()
	d.tokens()
	d.behaviour()

	status, _ := idp.TokenRequest(harness.Agent, harness.Exchange(idp.Login(harness.Alice, harness.Agent).IDToken))
	if status != http.StatusOK {
		t.Fatal(status)
	}
	var log struct {
		Entries []struct{ Type string }
		Total   int
	}
	d.do("GET", "/audit", nil, 200, &log)
	if n := len(log.Entries); n == 0 || log.Entries[n-1].Type != "app.oauth2.token.grant.id_jag" {
		t.Errorf("%+v", log)
	}
	var exchanges []mockidp.Exchange
	d.do("GET", "/exchanges", nil, 200, &exchanges)
	if last := exchanges[len(exchanges)-1]; last.Endpoint != "token" || last.Tokens()["access_token"].Claims["aud"] !=
		harness.Notes {
		t.Errorf("%+v", last)
	}
	var sizes, counts map[string]int
	d.do("GET", "/sizes", nil, 200, &sizes)
	d.do("GET", "/dropped", nil, 200, nil)
	d.do("GET", "/unknown", nil, 200, nil)
	d.do("GET", "/counts", nil, 200, &counts)
	if sizes["grants"] != 1 || counts["token"] < 2 {
		t.Errorf("sizes %v, counts %v", sizes, counts)
	}
	d.do("POST", "/reset", nil, 204, nil)
	d.do("GET", "/sizes", nil, 200, &sizes)
	if sizes["grants"] != 0 || len(idp.Audit().Entries()) != 0 || idp.Directory().Login("new@acme.example") != nil {
		t.Error("not reset")
	}

	var document struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	harness.Must(t, json.Unmarshal(mockidp.OpenAPI(), &document))
	for path, methods := range document.Paths {
		for method, o := range methods {
			if !d.used[o.OperationID] {
				t.Errorf("%s %s is described and not tested", strings.ToUpper(method), path)
			}
		}
	}
}

func (d *describedAPI) directory() {
	t, idp := d.t, d.idp
	user := directory.User{Login: "new@acme.example", Groups: []string{"Engineering"}}
	d.do("POST", "/users", user, 204, nil)
	d.do("POST", "/users", user, 400, nil) // twice
	var got directory.User
	d.do("GET", "/users/new@acme.example", nil, 200, &got)
	if got.ID == "" || got.Login != user.Login {
		t.Errorf("%+v", got)
	}
	tokens := idp.Login(user.Login, harness.Agent, "offline_access")
	d.do("PUT", "/users/new@acme.example/status", map[string]string{"status": "suspended"}, 204, nil)
	if status, _ := idp.TokenRequest(harness.Agent, harness.Exchange(tokens.IDToken)); status != http.StatusBadRequest {
		t.Error("a suspended user's ID token is taken")
	}
	d.do("PUT", "/users/new@acme.example/status", map[string]string{"status": "asleep"}, 400, nil)
	got.Status, got.Name = directory.Active, "New"
	d.do("PUT", "/users/new@acme.example", got, 204, nil)
	if idp.User(user.Login).Name != "New" {
		t.Error("not replaced")
	}
	d.do("DELETE", "/users/new@acme.example/sessions", nil, 204, nil)
	d.do("DELETE", "/users/new@acme.example", nil, 204, nil)
	d.do("GET", "/users/new@acme.example", nil, 404, nil)
	d.do("PUT", "/users/new@acme.example/status", map[string]string{"status": "active"}, 404, nil)
	var users []directory.User
	d.do("GET", "/users", nil, 200, &users)

	client := directory.Client{ID: "app", Secret: "s", Assigned: directory.Assignment{Everyone: true}}
	connector := directory.Connector{ID: "r", Audience: "https://r.example", Scopes: []string{"a"},
		Assigned: directory.Assignment{Everyone: true}}
	link := directory.Connection{Client: "app", Connector: "r", ClientID: "x"}
	for _, row := range []struct {
		path, key string
		value     any
	}{{"/clients", "app", client}, {"/connectors", "r", connector}, {"/connections", "app~r", link}} {
		d.do("POST", row.path, row.value, 204, nil)
		d.do("PUT", row.path+"/"+row.key, row.value, 204, nil)
		d.do("GET", row.path+"/"+row.key, nil, 200, nil)
		d.do("GET", row.path, nil, 200, nil)
	}
	d.do("DELETE", "/clients/app", nil, 400, nil) // a connection names it
	for _, path := range []string{"/connections/app~r", "/connectors/r", "/clients/app"} {
		d.do("DELETE", path, nil, 204, nil)
		d.do("DELETE", path, nil, 404, nil)
	}
	d.do("PUT", "/policies", []directory.Policy{{Name: "nobody", Effect: directory.Deny}}, 204, nil)
	if status, answer := idp.TokenRequest(harness.Agent,
		harness.Exchange(idp.Login(harness.Alice, harness.Agent).IDToken)); answer["error"] != "access_denied" {
		t.Errorf("%d %v", status, answer["error"])
	}
	d.do("PUT", "/policies", []directory.Policy{}, 204, nil)
	var all directory.Directory
	d.do("GET", "/directory", nil, 200, &all)
	d.do("PUT", "/directory", all, 204, nil)
}

func (d *describedAPI) tokens() {
	t, idp := d.t, d.idp
	var minted struct{ Token string }
	d.do("POST", "/tokens", map[string]any{"kind": "id_jag", "user": harness.Alice, "client": harness.Agent,
		"connector": "notes",
		"set":       map[string]any{"aud": "https://other.example"}, "delete": []string{"jti"},
		"header": map[string]any{"typ": nil, "x": 1}}, 200, &minted)
	token, _ := mockidp.Decode(minted.Token)
	if token.Claims["aud"] != "https://other.example" || token.Claims["jti"] != nil || token.Header["typ"] != nil ||
		token.Header["x"] != 1.0 {
		t.Errorf("%+v", token)
	}
	d.do("POST", "/tokens", map[string]any{"user": harness.Alice, "client": harness.Agent}, 200, &minted)
	if status, _ := idp.TokenRequest(harness.Agent, harness.Exchange(minted.Token)); status != http.StatusOK {
		t.Error("a minted ID token is not taken")
	}
	d.do("POST", "/tokens", map[string]any{"kind": "access_token", "user": harness.Alice, "client": harness.Agent,
		"set": map[string]any{"scp": []string{"x"}}}, 200, &minted)
	own, err := idp.NewAccessToken(harness.Alice, harness.Agent, "")
	harness.Must(t, err)
	if token, _ = mockidp.Decode(minted.Token); token.Claims["iss"] != own.Claims["iss"] ||
		token.Claims["cid"] != own.Claims["cid"] ||
		!reflect.DeepEqual(token.Claims["scp"], []any{"x"}) {
		t.Errorf("an access token: %+v", token)
	}
	d.do("POST", "/tokens", map[string]any{"set": map[string]any{"a": 1}}, 200, &minted)
	d.do("POST", "/tokens", map[string]any{"user": "nobody"}, 404, nil)
	d.do("POST", "/tokens", map[string]any{"header": map[string]any{"alg": "none"}}, 400, nil)

	d.do("POST", "/edits", mockidp.Edit{Token: mockidp.TokenIDJAG, Set: map[string]any{"aud": "https://edited.example"},
		Count: 1}, 204, nil)
	d.do("POST", "/edits", map[string]any{"token": "x"}, 400, nil)
	d.do("GET", "/edits", nil, 200, nil)
	subject := idp.Login(harness.Alice, harness.Agent).IDToken
	for _, want := range []string{"https://edited.example", harness.Notes} {
		if _, answer := idp.TokenRequest(harness.Agent, harness.Exchange(subject)); harness.ClaimsOf(t,
			answer["access_token"])["aud"] != want {
			t.Errorf("expected the audience %s", want)
		}
	}
	d.do("DELETE", "/edits", nil, 204, nil)

	var prepared, rotated struct{ KID string }
	d.do("POST", "/keys/prepare", nil, 200, &prepared)
	if !strings.Contains(string(harness.Get(t, nil, idp.JWKSURI()).Body), prepared.KID) {
		t.Error("the prepared key is not published")
	}
	d.do("POST", "/keys/rotate", map[string]bool{"withdraw": true}, 200, &rotated)
	if rotated.KID != prepared.KID || idp.Issuer().Keys.Signing().KeyID != rotated.KID {
		t.Error("the prepared key is not used")
	}
	d.do("PUT", "/jwks", map[string]any{"keys": []any{}}, 204, nil)
	if body := string(harness.Get(t, nil, idp.JWKSURI()).Body); body != `{"keys":[]}` {
		t.Error(body)
	}
	d.do("PUT", "/jwks/max-age", map[string]int{"seconds": 7}, 204, nil)
	d.do("PUT", "/jwks/max-age", map[string]int{"seconds": -7}, 400, nil)
	d.do("POST", "/restore", nil, 204, nil)
	if got := harness.Get(t, nil, idp.JWKSURI()); !strings.Contains(string(got.Body), rotated.KID) ||
		strings.Contains(got.Header.Get("Cache-Control"), "max-age=7,") {
		t.Error("not restored")
	}
}

func (d *describedAPI) behaviour() {
	t, idp := d.t, d.idp
	d.do("POST", "/faults", mockidp.Fault{Endpoint: mockidp.EndpointDiscovery, After: 1, Count: 1,
		Reply: mockidp.Reply{Status: 503, Delay: time.Millisecond, Header: map[string]string{"Retry-After": "1"}}}, 204, nil)
	d.do("POST", "/faults", map[string]any{"endpoint": "nowhere", "reply": map[string]any{}}, 400, nil)
	d.do("GET", "/faults", nil, 200, nil)
	for i, want := range []int{200, 503, 200} {
		if got := harness.Get(t, nil, idp.URL()+"/.well-known/openid-configuration"); got.Status != want {
			t.Errorf("request %d: %d, expected %d", i, got.Status, want)
		}
	}
	d.do("POST", "/faults", mockidp.Fault{Endpoint: mockidp.EndpointKeys, Reply: mockidp.Reply{Drop: true}}, 204, nil)
	d.do("DELETE", "/faults?endpoint=keys", nil, 204, nil)
	if got := harness.Get(t, nil, idp.JWKSURI()); got.Status != 200 {
		t.Error("the fault is still in force")
	}
	d.do("PUT", "/clock", map[string]string{"time": "2030-01-01T00:00:00Z"}, 204, nil)
	d.do("POST", "/clock/advance", map[string]string{"by": "24h"}, 204, nil)
	d.do("POST", "/clock/advance", map[string]string{"by": "a day"}, 400, nil)
	var clock struct{ Time time.Time }
	d.do("GET", "/clock", nil, 200, &clock)
	if clock.Time.Format(time.DateOnly) != "2030-01-02" {
		t.Error(clock.Time)
	}
}

func TestControlAPICanBeOffOrElsewhere(t *testing.T) {
	off := mockidp.New(t)
	if got := harness.Get(t, nil, off.URL()+"/control/directory"); got.Status != http.StatusNotFound ||
		off.ControlURL() != "" {
		t.Errorf("%d at %q", got.Status, off.ControlURL())
	}
	if got := harness.Get(t, nil, off.URL()+"/api/v1/logs"); got.Status != http.StatusNotFound {
		t.Error(got.Status)
	}
	elsewhere := harness.Serve(t, mockidp.ServerOptions{ControlSecret: "s", ControlListen: "127.0.0.1:0"})
	if strings.HasPrefix(elsewhere.ControlURL(), elsewhere.Issuer().URL) {
		t.Error(elsewhere.ControlURL())
	}
	if got := harness.Get(t, nil, elsewhere.Issuer().URL+"/control/directory"); got.Status != http.StatusNotFound {
		t.Errorf("at the issuer, too: %d", got.Status)
	}
	if got := harness.Get(t, nil, elsewhere.ControlURL()+"/directory"); got.Status != http.StatusUnauthorized {
		t.Errorf("without the secret: %d", got.Status)
	}
	if got := harness.Get(t, nil, elsewhere.ControlURL()+"/openapi.json"); got.Status != http.StatusOK ||
		!strings.Contains(string(got.Body), `"3.1.0"`) {
		t.Errorf("the description: %d", got.Status)
	}
}

func TestControlAPISaysWhatItDoesNotKnow(t *testing.T) {
	idp := mockidp.New(t, mockidp.WithControl("s"))
	for path, c := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"/token":  {`{}`, http.StatusNotFound, "openapi.json"},
		"/tokens": {`{"kind":"bogus"}`, http.StatusBadRequest, "id_jag"},
	} {
		req, err := http.NewRequest(http.MethodPost, idp.ControlURL()+path, strings.NewReader(c.body))
		harness.Must(t, err)
		req.Header.Set("Authorization", "Bearer s")
		res, err := http.DefaultClient.Do(req)
		harness.Must(t, err)
		body, err := io.ReadAll(res.Body)
		harness.Must(t, errors.Join(err, res.Body.Close()))
		if res.StatusCode != c.status || !strings.Contains(string(body), c.want) {
			t.Errorf("%s: %s %s", path, res.Status, body)
		}
	}
}
