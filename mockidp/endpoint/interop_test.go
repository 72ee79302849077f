package endpoint_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/auth/extauth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"

	"github.com/emaconform/emaconform/fixtures"
	"github.com/emaconform/emaconform/fixtures/reference"
	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

// humanAt signs in as a person would: it goes to the authorization URL, picks the person on the page, and returns the
// parameters that come back to the client.
func humanAt(authorization, login string) (url.Values, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	var back *url.URL
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), callback) {
			back = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := browser.Get(authorization)
	if err != nil {
		return nil, err
	}
	shown, err := io.ReadAll(page.Body)
	page.Body.Close()
	if err != nil {
		return nil, err
	}
	form := url.Values{"person": {login}, "fromURI": {page.Request.URL.Query().Get("fromURI")},
		"form": {tokenOf(string(shown))}}
	done, err := browser.PostForm(page.Request.URL.Scheme+"://"+page.Request.URL.Host+"/login/signin", form)
	if err != nil {
		return nil, err
	}
	done.Body.Close()
	if back == nil {
		return nil, errors.New("the browser did not come back to the client")
	}
	return back.Query(), nil
}

// withPKCE adds code_challenge_methods_supported to authorization server metadata: the SDK takes no metadata without
// it, and the reference RAS, which has no authorization endpoint, has no use for it.
type withPKCE struct{}

func (withPKCE) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasPrefix(r.URL.Path, "/.well-known/oauth-authorization-server") ||
		res.StatusCode != http.StatusOK {
		return res, err
	}
	defer res.Body.Close()
	var metadata map[string]any
	if err := json.NewDecoder(res.Body).Decode(&metadata); err != nil {
		return nil, err
	}
	metadata["code_challenge_methods_supported"] = []string{"S256"}
	raw, err := json.Marshal(metadata)
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	res.Header.Del("Content-Length")
	return res, err
}

// TestOfficialMCPClientCompletesTheFlow lets the MCP Go SDK's enterprise handler, unchanged, reach a tool of the
// reference MCP server with nothing but a sign-in at the mock identity provider.
func TestOfficialMCPClientCompletesTheFlow(t *testing.T) {
	ctx := t.Context()
	idp := mockidp.New(t)
	options, err := fixtures.DefaultOptions(fixtures.TrustedIssuer{Issuer: idp.URL(), JWKSURI: idp.JWKSURI()})
	harness.Must(t, err)
	target, err := reference.Start(ctx, options)
	harness.Must(t, err)
	defer func() { harness.Must(t, target.Close()) }()
	there := options.Client(fixtures.ConnectorB)
	idp.Must(idp.Update(func(d *directory.Directory) error {
		d.Connectors = append(d.Connectors, directory.Connector{ID: "reference", Audience: target.Issuer(),
			Resources: []string{target.ResourceURL(0)},
			Scopes:    []string{fixtures.ScopeRead}, Assigned: directory.Assignment{Everyone: true}})
		d.Connections = append(d.Connections, directory.Connection{Client: agent, Connector: "reference", ClientID: there.ID})
		d.Users[0].Accounts = map[string]directory.Account{"reference": {Subject: options.User(fixtures.Alice).Logins[0].Subject}}
		return nil
	}))

	here := &oauthex.ClientCredentials{ClientID: agent,
		ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: idp.Directory().Client(agent).Secret}}
	config := &extauth.EnterpriseHandlerConfig{
		IdPIssuerURL: idp.URL(), IdPCredentials: here,
		MCPAuthServerURL: target.Issuer(), MCPResourceURI: target.ResourceURL(0), MCPScopes: []string{fixtures.ScopeRead},
		HTTPClient: &http.Client{Transport: withPKCE{}},
		MCPCredentials: &oauthex.ClientCredentials{ClientID: there.ID,
			ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: there.Secret}},
		IDTokenFetcher: func(ctx context.Context) (*oauth2.Token, error) {
			return extauth.PerformOIDCLogin(ctx, &extauth.OIDCLoginConfig{IssuerURL: idp.URL(), Credentials: here,
				RedirectURL: callback,
				Scopes: []string{"openid",
					"email"}}, func(_ context.Context, a *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
				q, err := humanAt(a.URL, alice)
				return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state")}, err
			})
		},
	}
	connect := func() (*mcp.ClientSession, error) {
		handler, err := extauth.NewEnterpriseHandler(config)
		harness.Must(t, err)
		client := mcp.NewClient(&mcp.Implementation{Name: "interop", Version: "1"}, nil)
		return client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: target.ResourceURL(0),
			OAuthHandler: handler}, nil)
	}
	session, err := connect()
	harness.Must(t, err)
	defer func() { harness.Must(t, session.Close()) }()
	tools, err := session.ListTools(ctx, nil)
	harness.Must(t, err)
	if len(tools.Tools) == 0 {
		t.Error("no tool is reached")
	}
	idp.Must(idp.SetStatus(alice, directory.Deprovisioned))
	if _, err := connect(); err == nil {
		t.Error("a deactivated user gets in")
	}
}

func TestGoOIDCSignsIn(t *testing.T) {
	ctx := t.Context()
	for _, flavour := range []string{"okta", "generic"} {
		t.Run(flavour, func(t *testing.T) {
			idp := mockidp.New(t, mockidp.WithFlavour(flavour))
			provider, err := oidc.NewProvider(ctx, idp.URL())
			harness.Must(t, err)
			config := oauth2.Config{ClientID: agent, ClientSecret: idp.Directory().Client(agent).Secret,
				Endpoint:    provider.Endpoint(),
				RedirectURL: callback, Scopes: []string{oidc.ScopeOpenID, oidc.ScopeOfflineAccess, "profile", "email", "groups"}}
			verifier := oauth2.GenerateVerifier()
			back, err := humanAt(config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier), oidc.Nonce("nonce")), alice)
			harness.Must(t, err)
			if back.Get("state") != "state" {
				t.Error("another state came back")
			}
			tokens, err := config.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(verifier))
			harness.Must(t, err)
			raw, _ := tokens.Extra("id_token").(string)
			id, err := provider.Verifier(&oidc.Config{ClientID: agent}).Verify(ctx, raw)
			harness.Must(t, err)
			if id.Nonce != "nonce" || id.VerifyAccessToken(tokens.AccessToken) != nil {
				t.Error("nonce or at_hash is not that of this sign-in")
			}
			info, err := provider.UserInfo(ctx, config.TokenSource(ctx, tokens))
			harness.Must(t, err)
			var claims struct{ Groups []string }
			harness.Must(t, info.Claims(&claims))
			if info.Subject != id.Subject || info.Email != alice || !info.EmailVerified || len(claims.Groups) != 2 {
				t.Errorf("%+v %v", info, claims)
			}

			fresh, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: tokens.RefreshToken}).Token()
			harness.Must(t, err)
			if fresh.RefreshToken == tokens.RefreshToken || fresh.AccessToken == tokens.AccessToken {
				t.Error("not refreshed")
			}
		})
	}
}
