package provenance

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/target"
)

// Configuration describes a configuration without what is secret: its digest, and what it enabled.
func Configuration(c *target.Config) reports.Configuration {
	open := *c
	open.Clients = append([]target.Client(nil), c.Clients...)
	for i := range open.Clients {
		k := &open.Clients[i]
		k.Secret = ""
		if k.Key != nil {
			k.Key = &jose.JSONWebKey{Key: k.Key.Public().Key, KeyID: k.Key.KeyID, Algorithm: k.Key.Algorithm}
		}
	}
	raw, err := json.Marshal(open)
	if err != nil {
		panic("provenance: a configuration cannot be written as JSON: " + err.Error()) // ours: it was read as such
	}
	return reports.Configuration{Digest: reports.Digest(raw), Enabled: enabled(c)}
}

// enabled lists the optional parts of a configuration that are there.
func enabled(c *target.Config) []string {
	var list []string
	add := func(key string, n int) {
		switch {
		case n == 1:
			list = append(list, key)
		case n > 1:
			list = append(list, fmt.Sprintf("%s (%d)", key, n))
		}
	}
	is := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	add("clients", len(c.Clients))
	add("users", len(c.Users))
	add("scopes", len(c.Scopes))
	for _, part := range []struct {
		key string
		set bool
	}{
		{"idp.listen", !c.IdP.Static()}, {"idp.ca", c.IdP.CA != ""}, {"second_idp", c.SecondIdP != nil},
		{"disabled_idp", c.DisabledIdP != nil},
		{"second_server", c.SecondServer != ""}, {"public_client", c.PublicClient != ""},
		{"forbidden_scope", c.ForbiddenScope != ""}, {"scoped_tool", c.ScopedTool != nil},
		{"linkable_email", c.LinkableEmail != ""}, {"shared_email", c.SharedEmail != ""},
		{"cimd", c.CIMD}, {"rar", c.RAR != nil}, {"jwe", c.JWE}, {"log_file", c.LogFile != ""},
	} {
		add(part.key, is(part.set))
	}
	return list
}

// Target adds to a report's target what ties it to a machine: the kind of its address, who answers at its https
// origins, and the digests of its metadata. What cannot be found out is left out. d may be nil.
func Target(ctx context.Context, t *reports.Target, d *target.Discovered) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	t.Address = address(ctx, t.URL)
	t.TLS, t.Documents = nil, nil
	seen := map[string]bool{}
	for _, raw := range []string{t.URL, t.TokenEndpoint} {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "https" || seen[u.Host] {
			continue
		}
		seen[u.Host] = true
		if p, err := peer(ctx, u); err == nil {
			t.TLS = append(t.TLS, p)
		}
	}
	if d == nil {
		return
	}
	for _, doc := range []struct {
		url     string
		content map[string]any
	}{{d.ResourceMetadataURL, d.ResourceMetadata}, {d.ServerMetadataURL, d.ServerMetadata}} {
		if doc.url != "" && doc.content != nil {
			t.Documents = append(t.Documents, reports.Document{URL: doc.url, Digest: DocumentDigest(doc.content)})
		}
	}
}

// DocumentDigest is the digest of a metadata document: of its JSON with sorted members and no white space.
func DocumentDigest(content map[string]any) string {
	raw, err := json.Marshal(content)
	if err != nil {
		panic("provenance: JSON that was read cannot be written: " + err.Error())
	}
	return reports.Digest(raw)
}

// shared is the range of carrier-grade NAT (RFC 6598), which is not reachable from the internet.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// address is the kind of the most private address that the URL's host has, or "" when it has none.
func address(ctx context.Context, rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return ""
	}
	kind := ""
	for _, ip := range found {
		switch ip = ip.Unmap(); {
		case ip.IsLoopback() || ip.IsUnspecified():
			return reports.AddressLoopback
		case ip.IsPrivate() || ip.IsLinkLocalUnicast() || shared.Contains(ip):
			kind = reports.AddressPrivate
		case kind == "":
			kind = reports.AddressPublic
		}
	}
	return kind
}

// peer says who answers at an https origin. Nothing is sent there, and whether the certificate is good is for the
// checks to judge: here it is only described.
func peer(ctx context.Context, u *url.URL) (reports.Peer, error) {
	port := u.Port()
	if port == "" {
		port = "443"
	}
	host := net.JoinHostPort(u.Hostname(), port)
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, ServerName: u.Hostname()}}
	connection, err := dialer.DialContext(ctx, "tcp", host)
	if err != nil {
		return reports.Peer{}, err
	}
	defer connection.Close()
	certificate := connection.(*tls.Conn).ConnectionState().PeerCertificates[0]
	return reports.Peer{
		Host: host, KeyDigest: reports.Digest(certificate.RawSubjectPublicKeyInfo), Issuer: certificate.Issuer.String(),
	}, nil
}
