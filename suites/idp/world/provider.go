package world

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/signin"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// Provider is what the identity provider tells of itself.
type Provider struct {
	MetadataURL   string         `json:"metadata_url"`
	Metadata      map[string]any `json:"metadata"`
	Authorization string         `json:"authorization"`
	Token         string         `json:"token"`
	JWKSURI       string         `json:"jwks_uri"`

	// What the preflight saw of sign-ins.
	Refreshes    bool `json:"refreshes"`     // they yield refresh tokens
	AccessTokens bool `json:"access_tokens"` // and access tokens
}

// Endpoint is a string member of the metadata, or "".
func (p *Provider) Endpoint(member string) string {
	s, _ := p.Metadata[member].(string)
	return s
}

// Discover reads the metadata: OpenID Connect Discovery first, for that is where identity providers are at home, then
// RFC 8414. Endpoints in the configuration win.
func Discover(ctx context.Context, c *config.Config, client *wire.Client, rec *wire.Recorder) (*Provider, error) {
	p := &Provider{Metadata: map[string]any{}}
	send := func(r *wire.Request) *wire.Answer {
		return steady(func() *wire.Answer { return client.Do(ctx, r, rec, reports.Setup, "") })
	}
	urls := target.ServerMetadataURLs(c.IdP.Issuer)
	var tried []string
	for i := len(urls) - 1; i >= 0; i-- {
		document, _, err := target.Fetch(send, urls[i])
		if err != nil {
			tried = append(tried, err.Error())
			continue
		}
		p.MetadataURL, p.Metadata = urls[i], document
		break
	}
	override := func(given, member string) string {
		if given != "" {
			return given
		}
		return p.Endpoint(member)
	}
	p.Authorization = override(c.IdP.AuthorizationEndpoint, "authorization_endpoint")
	p.Token = override(c.IdP.TokenEndpoint, "token_endpoint")
	p.JWKSURI = override(c.IdP.JWKSURI, "jwks_uri")
	if p.Token == "" || p.JWKSURI == "" {
		if p.MetadataURL == "" {
			return p, fmt.Errorf("there is no metadata: %s", strings.Join(tried, "; "))
		}
		return p, fmt.Errorf("%s names no %s", p.MetadataURL, map[bool]string{true: "token_endpoint",
			false: "jwks_uri"}[p.Token == ""])
	}
	return p, nil
}

// steady asks again when there was no answer to go by. A 429 is one: package wire has waited for as long as anybody
// will.
func steady(ask func() *wire.Answer) (a *wire.Answer) {
	for range tries {
		if a = ask(); a.Doubt() == "" || a.Throttled() {
			break
		}
	}
	return a
}

// Endpoints are those that sign-in needs.
func (p *Provider) Endpoints(c *config.Config) signin.Endpoints {
	return signin.Endpoints{Issuer: c.IdP.Issuer, Authorization: p.Authorization, Token: p.Token}
}

// Keys is the published key set. It is safe for concurrent use.
type Keys struct {
	mu  sync.Mutex
	set jose.JSONWebKeySet
}

// Set is the key set as it was last read.
func (k *Keys) Set() jose.JSONWebKeySet {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.set
}

// Read fetches the key set. raw is its keys as they are published, private members included.
func (k *Keys) Read(ctx context.Context, client *wire.Client, rec *wire.Recorder,
	uri string) (raw []map[string]any, a *wire.Answer, err error) {
	a = steady(func() *wire.Answer {
		return client.Do(ctx, &wire.Request{URL: uri, Header: http.Header{"Accept": {"application/json"}}}, rec,
			reports.Setup, "the key set")
	})
	if a.Err != nil || a.Status != http.StatusOK {
		return nil, a, fmt.Errorf("the key set at %s cannot be read: %s", uri, a.Summary())
	}
	object, err := a.Object()
	if err != nil {
		return nil, a, fmt.Errorf("the key set at %s: %w", uri, err)
	}
	list, _ := object["keys"].([]any)
	var set jose.JSONWebKeySet
	for _, entry := range list {
		one, ok := entry.(map[string]any)
		if !ok {
			continue
		}
		raw = append(raw, one)
		var key jose.JSONWebKey
		if text, err := encodeJSON(one); err == nil && key.UnmarshalJSON(text) == nil {
			set.Keys = append(set.Keys, key)
		}
	}
	if len(raw) == 0 {
		return nil, a, fmt.Errorf("the key set at %s holds no keys", uri)
	}
	k.mu.Lock()
	k.set = set
	k.mu.Unlock()
	return raw, a, nil
}
