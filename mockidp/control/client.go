// Package control is the control API: all that Go code can do with an identity provider, over HTTP. It has the
// handlers, their description (OpenAPI) and a client.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/ca"
	"github.com/emaconform/emaconform/mockidp/fault"
	"github.com/emaconform/emaconform/mockidp/observe"
)

// Client drives identity providers and a canary from another process, through the handler that Handler made.
// Every method returns an error that names the request and what the answer said.
type Client struct {
	url, secret string
	http        *http.Client
}

// NewClient makes a client for the control API at url.
func NewClient(url, secret string) *Client {
	return &Client{url: strings.TrimSuffix(url, "/"), secret: secret, http: &http.Client{Timeout: 30 * time.Second}}
}

// SetKeys sets what the JWKS publishes from now on. Private keys are published as their public parts; a key without kid
// is published without. What tokens are signed with stays as it is.
func (c *Client) SetKeys(ctx context.Context, idp string, keys jose.JSONWebKeySet) error {
	public := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range keys.Keys {
		public.Keys = append(public.Keys, k.Public())
	}
	return c.do(ctx, http.MethodPut, idpPath(idp, "jwks"), public, nil)
}

// SetAnswer answers requests to this endpoint (mockidp.EndpointKeys, say) with r until Restore.
func (c *Client) SetAnswer(ctx context.Context, idp, endpoint string, r fault.Reply) error {
	if err := c.do(ctx, http.MethodDelete, idpPath(idp, "faults?endpoint="+endpoint), nil, nil); err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, idpPath(idp, "faults"), fault.Fault{Endpoint: endpoint, Reply: r}, nil)
}

// SetMaxAge sets for how long the JWKS may be cached, in whole seconds; it is mint.DefaultMaxAge at first.
func (c *Client) SetMaxAge(ctx context.Context, idp string, d time.Duration) error {
	return c.do(ctx, http.MethodPut, idpPath(idp, "jwks/max-age"), maxAge{int(d / time.Second)}, nil)
}

// SetCertificate lets the identity provider show a certificate that deserves no trust until Restore. It is an error for
// one that is served over http.
func (c *Client) SetCertificate(ctx context.Context, idp string, kind ca.BadCertificate) error {
	return c.do(ctx, http.MethodPut, idpPath(idp, "certificate"), ca.State{Kind: kind}, nil)
}

// Certificate is which certificate the identity provider shows, and in how many handshakes it did since it was set.
func (c *Client) Certificate(ctx context.Context, idp string) (state ca.State, err error) {
	return state, c.do(ctx, http.MethodGet, idpPath(idp, "certificate"), nil, &state)
}

// Handshakes counts the full TLS handshakes in which the certificate in force was sent, since it was set. A client that
// was not in one of them has not seen that certificate.
func (c *Client) Handshakes(ctx context.Context, idp string) (int, error) {
	state, err := c.Certificate(ctx, idp)
	return state.Shown, err
}

// Restore undoes SetKeys, SetAnswer, SetMaxAge, SetCertificate and every other fault.
func (c *Client) Restore(ctx context.Context, idp string) error {
	return c.do(ctx, http.MethodPost, idpPath(idp, "restore"), nil, nil)
}

// Requests counts the requests to this endpoint so far, spoiled ones included.
func (c *Client) Requests(ctx context.Context, idp, endpoint string) (int, error) {
	var counts map[string]int
	err := c.do(ctx, http.MethodGet, idpPath(idp, "counts"), nil, &counts)
	return counts[endpoint], err
}

// Unknown is the requests to paths of the identity provider where nothing is, and the last one.
func (c *Client) Unknown(ctx context.Context, idp string) (seen observe.Unknown, err error) {
	return seen, c.do(ctx, http.MethodGet, idpPath(idp, "unknown"), nil, &seen)
}

// Publish puts a document at path below the canary's URL/id. A path begins with no slash.
func (c *Client) Publish(ctx context.Context, id, path string, r fault.Reply) error {
	return c.do(ctx, http.MethodPut, "/canary/"+url.PathEscape(id)+"/documents/"+strings.TrimPrefix(path, "/"), r, nil)
}

// Hits lists the requests that the canary has seen below its URL/id.
func (c *Client) Hits(ctx context.Context, id string) ([]observe.Hit, error) {
	var hits []observe.Hit
	err := c.do(ctx, http.MethodGet, "/canary/"+url.PathEscape(id)+"/hits", nil, &hits)
	return hits, err
}

func idpPath(idp, rest string) string { return "/idps/" + url.PathEscape(idp) + "/" + rest }

// maxAnswer bounds what is read of one answer of the control API.
const maxAnswer = 64 << 20

func (c *Client) do(ctx context.Context, method, path string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("control %s %s: %w", method, path, err)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.secret)
	req.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("control API: %w", err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("control %s %s: %w", method, path, err)
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("control %s %s: %s: %s", method, path, res.Status, strings.TrimSpace(string(answer)))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
