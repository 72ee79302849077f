package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
)

// Hosts says to which hosts a client may send what. Secrets (client credentials, assertions, tokens) go to the hosts
// that the user named alone, and never in clear where the user named https. Everything else, such as a request for
// metadata, goes to public addresses and to those of the kind that the user's own URL has.
//
// The zero value names no host. It is JSON, so that one that was resolved can be handed to another process.
type Hosts struct {
	Target  string   `json:"target"`            // URL of the target, as the user wrote it
	Named   []string `json:"named,omitempty"`   // further URLs of the user's, and hosts with or without a port
	Private bool     `json:"private,omitempty"` // private addresses may be asked for documents
	Kinds   []string `json:"kinds,omitempty"`   // kinds of addresses that the named hosts had when they were resolved
}

// The kinds of addresses that are not public.
const (
	kindLoopback  = "loopback"
	kindPrivate   = "private"
	kindLinkLocal = "link-local"
	kindSpecial   = "special"
)

// ErrHost is wrapped by the errors of requests that Hosts does not let out.
var ErrHost = errors.New("the host is not named by the configuration")

// Resolve looks up which kinds of addresses the named hosts have. A name may change its address later, but then only to
// one that is public or of such a kind. A host that has no address has none.
func (h *Hosts) Resolve(ctx context.Context) {
	h.Kinds = []string{}
	for _, name := range append([]string{h.Target}, h.Named...) {
		host := hostOf(name)
		addresses := []netip.Addr{}
		if ip, err := netip.ParseAddr(host); err == nil {
			addresses = append(addresses, ip)
		} else if isLocalName(host) {
			h.note(kindLoopback)
		} else if found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host); err == nil {
			addresses = found
		}
		for _, ip := range addresses {
			h.note(kindOf(ip))
		}
	}
}

func (h *Hosts) note(kind string) {
	if kind != "" && !slices.Contains(h.Kinds, kind) {
		h.Kinds = append(h.Kinds, kind)
	}
}

// Trusts returns nil when secrets may go to this URL, and else says why not and what to set.
func (h *Hosts) Trusts(rawURL string) error {
	if h == nil {
		return nil
	}
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return fmt.Errorf("%w: there is no host in the URL", ErrHost)
	}
	if u.Scheme != "https" && strings.HasPrefix(h.Target, "https:") {
		return fmt.Errorf("%w: %s is not https, and the target is: no secret goes there in clear", ErrHost,
			Printable(u.Host, 200))
	}
	if !h.names(u) {
		return fmt.Errorf("%w: no secret goes to %s: when it is yours, list it in allowed_hosts", ErrHost,
			Printable(u.Host, 200))
	}
	return nil
}

// names reports whether the user named the host of a URL. Where the target is on loopback, all of loopback is.
func (h *Hosts) names(u *url.URL) bool {
	if onLoopback(u.Hostname()) && onLoopback(hostOf(h.Target)) {
		return true
	}
	origin := func(u *url.URL) string { return strings.ToLower(u.Scheme + "://" + u.Hostname() + ":" + portOf(u)) }
	for _, name := range append([]string{h.Target}, h.Named...) {
		if named, err := url.Parse(name); err == nil && strings.Contains(name, "://") {
			if origin(named) == origin(u) {
				return true
			}
			continue
		}
		if strings.EqualFold(name, u.Host) || strings.EqualFold(name, u.Hostname()+":"+portOf(u)) ||
			strings.EqualFold(strings.Trim(name, "[]"), u.Hostname()) && (u.Scheme == "https" && portOf(u) == "443" ||
				u.Scheme == "http" && portOf(u) == "80") {
			return true
		}
	}
	return false
}

// named is names for a URL that may be none.
func (h *Hosts) named(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return h == nil || err == nil && h.names(u)
}

// control refuses connections to addresses that are neither public nor of a kind that the user named. It is asked with
// the address that was resolved, right before the connection is made.
func (h *Hosts) control(network, address string, _ syscall.RawConn) error {
	if h == nil || !strings.HasPrefix(network, "tcp") {
		return nil
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s is no address", ErrHost, Printable(address, 100))
	}
	kind := kindOf(at.Addr())
	if kind == "" || slices.Contains(h.Kinds, kind) || kind == kindPrivate && h.Private {
		return nil
	}
	return fmt.Errorf("%w: it has the %s address %s, which the target does not have: nothing is sent there "+
		"(allow_private)", ErrHost, kind, at.Addr())
}

// kindOf is the kind of an address, "" for a public one.
func kindOf(ip netip.Addr) string {
	ip = ip.Unmap()
	switch {
	case ip.IsLoopback():
		return kindLoopback
	case ip.IsLinkLocalUnicast(), ip.IsLinkLocalMulticast():
		return kindLinkLocal
	case ip.IsPrivate(), slices.ContainsFunc(privateToo, func(p netip.Prefix) bool { return p.Contains(ip) }):
		return kindPrivate
	case ip.IsUnspecified(), ip.IsMulticast(), !ip.IsGlobalUnicast(),
		slices.ContainsFunc(translated, func(p netip.Prefix) bool { return p.Contains(ip) }):
		return kindSpecial
	}
	return ""
}

var (
	privateToo = []netip.Prefix{netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("fec0::/10")}
	// Addresses of IPv6 that stand for one of IPv4, which may be of any kind (RFC 6052, RFC 3056, RFC 4380), and
	// 0.0.0.0/8.
	translated = []netip.Prefix{netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
		netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("240.0.0.0/4")}
)

func onLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || isLocalName(host)
}

func isLocalName(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// hostOf is the host of a URL, or of a host with or without a port.
func hostOf(name string) string {
	if strings.Contains(name, "://") {
		if u, err := url.Parse(name); err == nil {
			return u.Hostname()
		}
		return ""
	}
	if host, _, err := net.SplitHostPort(name); err == nil {
		return host
	}
	return strings.Trim(name, "[]")
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// carriesSecrets reports whether a request holds what only the hosts that the user named may see.
func carriesSecrets(r *Request) bool {
	if r.Header.Get("Authorization") != "" || r.Header.Get("Dpop") != "" {
		return true
	}
	for _, f := range r.Form {
		if tokenFields[f.Name] != "" || secretFields[f.Name] != "" {
			return true
		}
	}
	return jwtPattern.MatchString(r.URL) || jwtPattern.Match(r.Body)
}

// IsHost reports whether a text can be a host of Hosts.Named, with or without a port.
func IsHost(text string) bool { return text != "" && !strings.ContainsAny(text, "/@?# ") }

// HasPassword reports whether a URL holds a user name or a password.
func HasPassword(rawURL string) bool { return WithoutPassword(rawURL) != rawURL }

// WithoutPassword cuts the user name and the password out of a URL, be it well formed or not.
func WithoutPassword(rawURL string) string {
	scheme, rest, found := strings.Cut(rawURL, "://")
	if !found {
		scheme, rest = "", rawURL
	}
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end = i
	}
	at := strings.LastIndexByte(rest[:end], '@')
	if at < 0 {
		return rawURL
	}
	if found {
		scheme += "://"
	}
	return scheme + rest[at+1:]
}

// viaProxy reports whether the environment names a proxy for HTTP: then it is the proxy that resolves names.
func viaProxy() bool {
	return slices.ContainsFunc([]string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"},
		func(name string) bool { return os.Getenv(name) != "" })
}

// elsewhere is what is recorded of an answer of a host that the user did not name: nothing that it wrote.
func elsewhere(a *Answer) *Answer {
	kept := *a
	kept.Header = http.Header{}
	if len(a.Body) > 0 {
		kept.Body = []byte(fmt.Sprintf("%d bytes, not kept: the host is not named by the configuration", len(a.Body)))
	}
	return &kept
}
