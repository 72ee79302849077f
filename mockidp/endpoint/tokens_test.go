package endpoint_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

// codeOf signs alice in and returns the code, not yet redeemed.
func codeOf(t *testing.T, idp *mockidp.Test, changes ...string) string {
	t.Helper()
	p := visitor(t, idp)
	return p.back(p.follow(p.signIn(p.authorize(changes...), url.Values{"person": {alice}}))).Get("code")
}

func redemption(code string, changes ...string) url.Values {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback},
		"code_verifier": {verifier}}
	for i := 0; i < len(changes); i += 2 {
		if form.Del(changes[i]); changes[i+1] != "" {
			form.Set(changes[i], changes[i+1])
		}
	}
	return form
}

func refresh(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
}

func TestCodeIsBoundToItsRequest(t *testing.T) {
	idp := mockidp.New(t)
	code := codeOf(t, idp)
	for name, changes := range map[string][]string{
		"no verifier": {"code_verifier", ""}, "wrong verifier": {"code_verifier", strings.Repeat("x", 43)},
		"no redirect URI": {"redirect_uri", ""}, "another redirect URI": {"redirect_uri", "http://localhost/callback"},
		"no code": {"code", ""}, "another code": {"code", "x" + code},
	} {
		if status, answer := idp.TokenRequest(agent, redemption(code, changes...)); status != http.StatusBadRequest ||
			answer["error"] != "invalid_grant" {
			t.Errorf("%s: %d %v", name, status, answer["error"])
		}
	}
	if status, answer := idp.TokenRequest(codepilot, redemption(code)); status != http.StatusBadRequest ||
		answer["error"] != "invalid_grant" {
		t.Errorf("another client: %d %v", status, answer["error"])
	}
	status, answer := idp.TokenRequest(agent, redemption(code))
	if status != http.StatusOK || claimsOf(t, answer["id_token"])["nonce"] != "n" {
		t.Fatalf("the honest twin: %d %v", status, answer["error"])
	}
	if status, again := idp.TokenRequest(agent, redemption(code)); status != http.StatusBadRequest ||
		again["error"] != "invalid_grant" {
		t.Errorf("redeemed twice: %d", status)
	}
	if status, _ := idp.TokenRequest(agent, refresh(answer["refresh_token"].(string))); status != http.StatusBadRequest {
		t.Error("what the code was redeemed for outlives its second use")
	}
}

func TestPKCEDowngradeIsRefused(t *testing.T) {
	idp := mockidp.New(t)
	code := codeOf(t, idp, "code_challenge", "", "code_challenge_method", "")
	if status, answer := idp.TokenRequest(agent, redemption(code)); status != http.StatusBadRequest ||
		answer["error"] != "invalid_grant" {
		t.Errorf("a verifier without challenge: %d", status)
	}
}

func TestRefreshRotatesAndDetectsReuse(t *testing.T) {
	now := time.Now()
	idp := mockidp.New(t, mockidp.WithClock(func() time.Time { return now }))
	first := idp.Login(alice, agent, "offline_access", "profile").RefreshToken
	status, answer := idp.TokenRequest(agent, refresh(first))
	second, _ := answer["refresh_token"].(string)
	if status != http.StatusOK || second == first || second == "" || claimsOf(t, answer["id_token"])["name"] !=
		"Alice Adams" {
		t.Fatalf("%d %v", status, answer["error"])
	}
	if status, _ := idp.TokenRequest(agent, refresh(first)); status != http.StatusOK {
		t.Error("refused within the leeway")
	}
	widened := refresh(second)
	widened.Set("scope", "openid email")
	if status, answer := idp.TokenRequest(agent, widened); status != http.StatusBadRequest ||
		answer["error"] != "invalid_scope" {
		t.Errorf("widened: %d %v", status, answer["error"])
	}
	idp.Advance(time.Minute)
	if status, answer := idp.TokenRequest(agent, refresh(first)); status != http.StatusBadRequest ||
		answer["error"] != "invalid_grant" {
		t.Errorf("reuse: %d %v", status, answer["error"])
	}
	if status, _ := idp.TokenRequest(agent, refresh(second)); status != http.StatusBadRequest {
		t.Error("the newest token outlives the reuse of an old one")
	}
	if found := idp.Audit().Find(audit.Query{Types: []string{audit.ReuseDetected}, Limit: 9}); len(found) != 1 {
		t.Errorf("%d entries about the reuse, expected 1", len(found))
	}
}

func TestStaticRefreshTokenStays(t *testing.T) {
	d := directory.Default().Clone()
	d.Clients[0].Rotation = directory.Static
	idp := mockidp.New(t, mockidp.WithDirectory(d))
	token := idp.Login(alice, agent, "offline_access").RefreshToken
	for range 2 {
		if status, answer := idp.TokenRequest(agent, refresh(token)); status != http.StatusOK ||
			answer["refresh_token"] != token {
			t.Errorf("%d, the same token %t", status, answer["refresh_token"] == token)
		}
	}
}

// call sends a request with a bearer token or a form, and returns the answer.
func request(t *testing.T, method, to, bearer string, form url.Values) response {
	t.Helper()
	req, err := http.NewRequest(method, to, strings.NewReader(form.Encode()))
	harness.Must(t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := http.DefaultClient.Do(req)
	harness.Must(t, err)
	return readAll(t, res)
}

func TestUserinfoIntrospectionRevocation(t *testing.T) {
	idp := mockidp.New(t)
	tokens := idp.Login(alice, agent, "email", "offline_access")
	userinfo := idp.URL() + "/oauth2/v1/userinfo"
	if body := request(t, http.MethodGet, userinfo, tokens.AccessToken, nil).text; !strings.Contains(body,
		`"email_verified":true`) {
		t.Error(body)
	}
	introspect := func(client, secret, token string) string {
		return request(t, http.MethodPost, idp.URL()+"/oauth2/v1/introspect", "",
			url.Values{"client_id": {client}, "client_secret": {secret}, "token": {token}}).text
	}
	own, other := idp.Directory().Client(agent), idp.Directory().Client(codepilot)
	for _, token := range []string{tokens.AccessToken, tokens.RefreshToken} {
		if body := introspect(own.ID, own.Secret, token); !strings.Contains(body, `"active":true`) {
			t.Error(body)
		}
		if body := introspect(other.ID, other.Secret, token); body != `{"active":false}` {
			t.Error("another client learns of it: " + body)
		}
		if body := introspect(own.ID, "wrong", token); !strings.Contains(body, "invalid_client") {
			t.Error(body)
		}
	}
	revoke := idp.URL() + "/oauth2/v1/revoke"
	request(t, http.MethodPost, revoke, "", url.Values{"client_id": {other.ID}, "client_secret": {other.Secret},
		"token": {tokens.RefreshToken}})
	if body := introspect(own.ID, own.Secret, tokens.RefreshToken); !strings.Contains(body, `"active":true`) {
		t.Error("another client revoked it")
	}
	res := request(t, http.MethodPost, revoke, "", url.Values{"client_id": {own.ID}, "client_secret": {own.Secret},
		"token": {tokens.RefreshToken}})
	if res.StatusCode != http.StatusOK {
		t.Error(res.Status)
	}
	if body := introspect(own.ID, own.Secret, tokens.AccessToken); body != `{"active":false}` {
		t.Error("the access token outlives its refresh token: " + body)
	}
	res = request(t, http.MethodGet, userinfo, tokens.AccessToken, nil)
	if res.StatusCode != http.StatusUnauthorized || !strings.Contains(res.Header.Get("WWW-Authenticate"),
		`Bearer error="invalid_token"`) {
		t.Errorf("%d %s", res.StatusCode, res.Header.Get("WWW-Authenticate"))
	}
	if res = request(t, http.MethodGet, userinfo, "", nil); res.Header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("without a token: %s", res.Header.Get("WWW-Authenticate"))
	}
}

func TestLogout(t *testing.T) {
	d := directory.Default().Clone()
	d.Clients[0].LogoutURIs = []string{"http://127.0.0.1/bye"}
	idp := mockidp.New(t, mockidp.WithDirectory(d))
	p := visitor(t, idp)
	code := p.back(p.follow(p.signIn(p.authorize(), url.Values{"person": {alice}}))).Get("code")
	_, answer := idp.TokenRequest(agent, redemption(code))
	logout := func(q url.Values) response { return p.get(idp.URL() + "/oauth2/v1/logout?" + q.Encode()) }
	for name, q := range map[string]url.Values{
		"unregistered URI":      {"client_id": {agent}, "post_logout_redirect_uri": {"https://evil.example/"}},
		"nobody's URI":          {"post_logout_redirect_uri": {"http://127.0.0.1/bye"}},
		"hint that is no token": {"id_token_hint": {"x.y.z"}, "post_logout_redirect_uri": {"http://127.0.0.1/bye"}},
	} {
		if res := logout(q); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
	res := logout(url.Values{"id_token_hint": {answer["id_token"].(string)},
		"post_logout_redirect_uri": {"http://127.0.0.1/bye"}, "state": {"s"}})
	if res.Header.Get("Location") != "http://127.0.0.1/bye?state=s" {
		t.Errorf("%d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	if back := p.back(p.authorize("prompt", "none")); back.Get("error") != "login_required" {
		t.Errorf("still signed in: %v", back)
	}
}

func TestCustomAuthorizationServerMintsNoIDJAG(t *testing.T) {
	idp := mockidp.New(t)
	client := idp.Directory().Client(agent)
	honest, err := idp.IDToken(alice, agent).Sign()
	harness.Must(t, err)
	form := exchange(honest, "client_id", client.ID, "client_secret", client.Secret)
	if res := request(t, http.MethodPost, idp.URL()+"/oauth2/v1/token", "", form); res.StatusCode != http.StatusOK {
		t.Fatalf("the honest twin: %d", res.StatusCode)
	}
	res := request(t, http.MethodPost, idp.URL()+"/oauth2/default/v1/token", "", form)
	if body := res.text; res.StatusCode != http.StatusBadRequest || !strings.Contains(body, "invalid_request") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if body := request(t, http.MethodGet, idp.URL()+"/oauth2/default/.well-known/oauth-authorization-server", "",
		nil).text; !strings.Contains(body,
		`"issuer":"`+idp.URL()+`/oauth2/default"`) || strings.Contains(body, "token-exchange") {
		t.Error(body)
	}
	if res := request(t, http.MethodGet, idp.URL()+"/oauth2/aus1/v1/keys", "", nil); res.StatusCode !=
		http.StatusNotFound ||
		!strings.Contains(res.text, "E0000007") {
		t.Error(res.Status)
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	idp := mockidp.New(t)
	for _, path := range []string{"/.well-known/openid-configuration", "/oauth2/v1/keys", "/oauth2/v1/userinfo"} {
		res := request(t, http.MethodGet, idp.URL()+path, "", nil)
		if !strings.HasPrefix(res.Header.Get("X-Okta-Request-Id"), "req") || res.Header.Get("X-Rate-Limit-Limit") == "" ||
			res.Header.Get("X-Rate-Limit-Remaining") == "" || res.Header.Get("X-Rate-Limit-Reset") == "" {
			t.Errorf("%s: %v", path, res.Header)
		}
	}
	res := request(t, http.MethodPost, idp.TokenURL(), "", url.Values{"grant_type": {"authorization_code"}})
	if res.StatusCode != http.StatusUnauthorized || res.Header.Get("Cache-Control") != "no-store" ||
		res.Header.Get("Pragma") != "no-cache" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	if res := request(t, http.MethodGet, idp.TokenURL(), "", nil); res.StatusCode != http.StatusMethodNotAllowed {
		t.Error(res.Status)
	}
}

func TestOversizedAndMalformedRequests(t *testing.T) {
	idp := mockidp.New(t)
	post := func(kind, body string) response {
		res, err := http.Post(idp.TokenURL(), kind, strings.NewReader(body))
		harness.Must(t, err)
		return readAll(t, res)
	}
	const form = "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		kind, body string
		status     int
	}{
		"JSON":       {"application/json", `{"grant_type":"x"}`, 400},
		"bad escape": {form, "a=%zz", 400},
		"2 MiB":      {form, "a=" + strings.Repeat("x", 2<<20), 413},
		"no type":    {"", "a=b", 400},
	} {
		res := post(c.kind, c.body)
		if body := res.text; res.StatusCode != c.status || !strings.Contains(body, `"error":"invalid_request"`) {
			t.Errorf("%s: %d %s", name, res.StatusCode, body)
		}
	}
}

func TestCustomAuthorizationServer(t *testing.T) {
	d := directory.Default().Clone()
	d.Settings.Servers = []directory.AuthorizationServer{{ID: "aus1", Audience: "api://notes",
		Scopes: []string{"notes.read"}}}
	idp := mockidp.New(t, mockidp.WithDirectory(d))
	p := visitor(t, idp)
	server := idp.URL() + "/oauth2/aus1"
	authorize := func(scope string) url.Values {
		sum := sha256.Sum256([]byte(verifier))
		res := p.get(server + "/v1/authorize?" + url.Values{"response_type": {"code"}, "client_id": {agent},
			"redirect_uri": {callback},
			"scope":        {scope}, "code_challenge_method": {"S256"},
			"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}}.Encode())
		if to, err := res.Location(); err == nil && to.Path == "/login/signin" {
			res = p.follow(p.signIn(res, url.Values{"person": {alice}}))
		}
		return p.back(res)
	}
	if back := authorize("openid notes.write"); back.Get("error") != "invalid_scope" {
		t.Errorf("a scope that the server does not have: %v", back)
	}
	form := redemption(authorize("openid offline_access notes.read").Get("code"), "client_id", agent, "client_secret",
		idp.Directory().Client(agent).Secret)
	if res := request(t, http.MethodPost, idp.TokenURL(), "", form); res.StatusCode != http.StatusBadRequest {
		t.Error("the org server redeems a code of the custom one")
	}
	var tokens mockidp.Tokens
	harness.Must(t, json.Unmarshal([]byte(request(t, http.MethodPost, server+"/v1/token", "", form).text), &tokens))

	access := claimsOf(t, tokens.AccessToken)
	for claim, want := range map[string]any{"iss": server, "aud": "api://notes", "sub": alice, "cid": agent,
		"uid": idp.User(alice).ID, "ver": 1.0} {
		if access[claim] != want {
			t.Errorf("%s is %v, expected %v", claim, access[claim], want)
		}
	}
	var keys jose.JSONWebKeySet
	harness.Must(t, json.Unmarshal(harness.Get(t, nil, server+"/v1/keys").Body, &keys))
	token, err := jwt.ParseSigned(tokens.AccessToken, []jose.SignatureAlgorithm{jose.RS256})
	harness.Must(t, err)
	if err := token.Claims(&keys, new(jwt.Claims)); err != nil {
		t.Errorf("the access token does not verify with the server's keys: %v", err)
	}
	for kind, subject := range map[string]string{"id_token": tokens.IDToken, "refresh_token": tokens.RefreshToken} {
		if status, _ := idp.TokenRequest(agent, exchange(subject, "subject_token_type",
			"urn:ietf:params:oauth:token-type:"+kind)); status != http.StatusBadRequest {
			t.Errorf("the org server takes the custom server's %s", kind)
		}
	}
}
