package main

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/fixtures"
	"github.com/emaconform/emaconform/fixtures/reference"
	"github.com/emaconform/emaconform/fixtures/rs"
	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/console"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/flavour"
	"github.com/emaconform/emaconform/mockidp/observe"
	"github.com/emaconform/emaconform/suites/catalogue"
)

// beside is the connector that is served beside the mock IdP: the reference authorization server and MCP server, which
// trust it and know its people and clients.
type beside struct {
	target *reference.Target
	log    *observe.Log
}

// besideID names it in the directory.
const besideID = "connector"

// startBeside starts the connector and puts it into the directory. The identity provider is not up yet: its address is
// settled here, so that each of the two can know the other.
func (f *mockIdPFlags) startBeside(ctx context.Context, o *mockidp.ServerOptions) (b *beside, err error) {
	if f.audience != "" {
		return nil, errors.New("--connector brings its own authorization server: leave out --audience, --resource " +
			"and --scope")
	}
	if remote(o.Listen) || remote(f.connectorListen) {
		return nil, errors.New("--connector is for this machine alone: give --listen and --connector-listen loopback " +
			"addresses, such as 127.0.0.1:9400")
	}
	if o.Listen, err = settled(o.Listen); err != nil {
		return nil, err
	}
	local, err := f.localIssuer(o)
	if err != nil {
		return nil, err
	}
	o.URL = cmp.Or(o.URL, local)
	b = &beside{log: new(observe.Log)}
	options := b.options(o, local)
	options.Listen = f.connectorListen
	if o.CA != nil {
		options.RootCAs = o.CA.PEM()
		if options.TLS, err = o.CA.TLSConfig(); err != nil {
			return nil, err
		}
	}
	if b.target, err = reference.Start(ctx, options); err != nil {
		return nil, fmt.Errorf("the connector cannot start: %w; choose another address with --connector-listen", err)
	}
	return b, nil
}

// settled is an address with a port: one that is free now for port 0.
func settled(address string) (string, error) {
	if _, port, err := net.SplitHostPort(address); err != nil || port != "0" {
		return address, nil //nolint:nilerr // what is wrong with it is said where it is listened on
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return "", fmt.Errorf("cannot listen: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// localIssuer is where the issuer is on this machine: its address and the path of its flavour or of --issuer.
func (f *mockIdPFlags) localIssuer(o *mockidp.ServerOptions) (string, error) {
	scheme := "http://"
	if o.CA != nil {
		scheme = "https://"
	}
	if o.URL != "" {
		u, err := url.Parse(o.URL)
		if err != nil {
			return "", fmt.Errorf("--issuer %q: %w", o.URL, err)
		}
		return scheme + o.Listen + u.Path, nil
	}
	s := o.Directory.Settings
	style, err := flavour.Find(s.Flavour)
	if err != nil {
		return "", err
	}
	return scheme + o.Listen + strings.ReplaceAll(style.IssuerPath, "{tenant}",
		url.PathEscape(cmp.Or(s.Tenant, style.Tenant))), nil
}

// options are those of a target that trusts the identity provider and has an account for each of its people.
func (b *beside) options(o *mockidp.ServerOptions, local string) fixtures.Options {
	scopes := []string{fixtures.ScopeRead, fixtures.ScopeWrite}
	options := fixtures.Options{
		Issuers:     []fixtures.TrustedIssuer{{Issuer: o.URL, JWKSURI: strings.TrimSuffix(local, "/") + "/oauth2/v1/keys"}},
		Resources:   []fixtures.Resource{{Path: fixtures.FirstResource, Scopes: scopes}},
		DetailTypes: []string{fixtures.DetailType},
		Between:     func(next http.Handler) http.Handler { return b.log.Tap(next, endpointBeside) },
	}
	for n := range o.Directory.Users {
		u := &o.Directory.Users[n]
		options.Users = append(options.Users, fixtures.User{ID: "acct-" + u.ID, Email: u.Email,
			Logins: []fixtures.Login{{Issuer: o.URL, Subject: mockidp.Subject(directory.SubjectID, u, "")}}})
	}
	for n := range o.Directory.Clients {
		k := &o.Directory.Clients[n]
		options.Clients = append(options.Clients, fixtures.Client{ID: clientBeside(k), AuthMethod: fixtures.ClientSecretBasic,
			Secret: secretBeside(k), Scopes: scopes})
	}
	return options
}

// endpointBeside names what a request to the connector is for.
func endpointBeside(r *http.Request) string {
	switch path := r.URL.Path; {
	case strings.Contains(path, "/.well-known/"):
		return console.ConnectorMetadata
	case path == fixtures.IssuerPath+"/token":
		return console.ConnectorToken
	case path == fixtures.FirstResource:
		return console.ConnectorMCP
	}
	return ""
}

// clientBeside is the id of a client at the connector: another one than at the identity provider, as in real life.
func clientBeside(k *directory.Client) string { return k.ID + "-at-connector" }

// secretBeside is its secret there, the same at each start as long as the secret here is.
func secretBeside(k *directory.Client) string {
	mac := hmac.New(sha256.New, []byte(k.Secret))
	mac.Write([]byte("emaconform connector\x00" + k.ID))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// add puts the connector into a directory and connects every client with it.
func (b *beside) add(d *directory.Directory) error {
	if slices.ContainsFunc(d.Connectors, func(r directory.Connector) bool { return r.ID == besideID }) {
		return fmt.Errorf("--connector: the configuration has a connector %q already; give it another id", besideID)
	}
	d.Connectors = append(d.Connectors, directory.Connector{ID: besideID, Name: "Connector", Audience: b.target.Issuer(),
		Resources: []string{b.target.ResourceURL(0)}, Scopes: []string{fixtures.ScopeRead, fixtures.ScopeWrite},
		Subject: directory.SubjectID, Assigned: directory.Assignment{Everyone: true}})
	for n := range d.Clients {
		d.Connections = append(d.Connections, directory.Connection{Client: d.Clients[n].ID, Connector: besideID,
			ClientID: clientBeside(&d.Clients[n])})
	}
	return d.Compile()
}

// steps are the curl lines that go on from the ID-JAG: to the access token and to a tool.
func (b *beside) steps(k *directory.Client, c *directory.Connection, curl string) []step {
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + rs.ToolWhoami +
		`","arguments":{},"_meta":{` +
		`"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
		`"io.modelcontextprotocol/clientInfo":{"name":"curl","version":"1"},` +
		`"io.modelcontextprotocol/clientCapabilities":{}}}}`
	return []step{
		{"4. redeem the ID-JAG at the connector's authorization server, as its client " + c.ClientID,
			fmt.Sprintf("ACCESS_TOKEN=$(%s -s -u '%s:%s' -d grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer "+
				"-d \"assertion=$ID_JAG\" %s | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')", curl, c.ClientID,
				secretBeside(k), b.target.TokenEndpoint())},
		{"5. call a tool of the MCP server",
			fmt.Sprintf("%s -s -H \"Authorization: Bearer $ACCESS_TOKEN\" -H 'Content-Type: application/json' "+
				"-H 'Accept: application/json, text/event-stream' -H 'Mcp-Protocol-Version: 2026-07-28' -H "+
				"'Mcp-Method: tools/call' -H 'Mcp-Name: %s' -d '%s' %s", curl, rs.ToolWhoami, call, b.target.ResourceURL(0))},
	}
}

// keptCA is the file with the CA of --https: it stays, so that it has to be trusted once.
func keptCA() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no place to keep the CA in: %w; name a file with --ca", err)
	}
	dir = filepath.Join(dir, "emaconform")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("cannot keep the CA: %w; name another file with --ca", err)
	}
	return filepath.Join(dir, "mockidp-ca.pem"), nil
}

// judged are the requirements whose checks look at a step of the flow, by endpoint, and for token requests by grant.
var judged = map[string][]string{
	"discovery":                {"IDP-META", "CL-OIDC"},
	"keys":                     {"RAS-SIG-VERIFY", "RAS-JWKS-ROTATION", "IDP-JWKS"},
	"authorize":                {"CL-OIDC", "IDP-REDIRECT"},
	"token authorization_code": {"CL-OIDC", "CL-IDTOKEN-VALIDATE"},
	"token refresh_token":      {"CL-EXPIRED-IDTOKEN", "IDP-SUBJECT-REFRESH"},
	"token token-exchange": {"CL-EXCHANGE-REQ", "CL-EXCHANGE-AUTH", "CL-EXCHANGE-RESP", "IDP-HAPPY", "IDP-POLICY",
		"IDP-SUBJECT-VALIDATE", "IDP-JAG-CLAIMS"},
	console.ConnectorMetadata: {"RS-PRM", "RAS-META-DISCOVERY", "RAS-META-GRANT", "CL-PRM", "CL-AS-DISCOVERY"},
	console.ConnectorToken + " jwt-bearer": {"RAS-HAPPY", "RAS-SIG-VERIFY", "RAS-AUD-EXACT", "RAS-CLIENT-BINDING",
		"RAS-EXP",
		"RAS-JTI-REPLAY", "RAS-SCOPE-INTERSECT", "CL-REDEEM-REQ"},
	console.ConnectorMCP: {"RS-HAPPY", "RS-401", "RS-TOKEN-AUD", "RS-SCOPE-403", "CL-BEARER"},
}

// judges names them with their titles; `emaconform explain ID` says the rest.
func judges(s console.Step) (list []console.Check) {
	for _, id := range judged[strings.TrimSpace(s.Endpoint+" "+s.Grant)] {
		if r, ok := catalogue.Find(id); ok {
			list = append(list, console.Check{ID: r.ID, Title: r.Title})
		}
	}
	return list
}
