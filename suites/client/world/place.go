package world

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Place is where the parties of a world are when their clients are not on this machine: in a container, a remote IDE, a
// vendor's cloud.
type Place struct {
	// Bind is the host of this machine that is listened on; "" is 127.0.0.1, on which parties are told apart by ports.
	Bind string
	// PublicURL is the origin by which clients know the parties, which then share one port: the first. One with {party} in
	// its host is a name for each of them; one without has a path for each. "" is for clients that reach Bind.
	PublicURL string
	// Certificate is what a shared port speaks TLS with; nil leaves that to whoever is in front of it.
	Certificate *tls.Certificate
}

// PartyPlaceholder stands in a public URL for what tells the parties apart.
const PartyPlaceholder = "{party}"

// Paths reports whether the parties have one name, and a path each.
func (p Place) Paths() bool {
	return p.PublicURL != "" && !strings.Contains(p.PublicURL, PartyPlaceholder)
}

// publicNames are what tells the parties apart in public URLs, in the order of their ports on loopback.
var publicNames = []struct{ party, public string }{
	{"IdP", "idp"}, {"RAS", "ras"}, {"MCP server", "mcp"}, {"consent page", "consent"}, {attackerName, "other"},
	{plainName, "plain"}, {"second RAS", "ras2"}, {"second MCP server", "mcp2"},
}

// Origins are the URLs of all parties that there may be, by what tells them apart.
func (p Place) Origins() (list []string) {
	for _, n := range publicNames {
		if n.party != plainName {
			list = append(list, p.urlOf(n.party))
		}
	}
	return list
}

// urlOf is the public URL of a party, without a slash at its end.
func (p Place) urlOf(party string) string {
	for _, n := range publicNames {
		if n.party == party {
			if p.Paths() {
				return strings.TrimSuffix(p.PublicURL, "/") + "/" + n.public
			}
			return strings.TrimSuffix(strings.Replace(p.PublicURL, PartyPlaceholder, n.public, 1), "/")
		}
	}
	panic("no party " + party)
}

// front is the one port that the parties of a world with a public URL share.
type front struct {
	listener net.Listener
	server   *http.Server
}

func (w *World) openFront() (err error) {
	address := net.JoinHostPort(cmp.Or(w.Place.Bind, "127.0.0.1"), strconv.Itoa(w.BasePort))
	w.front = &front{}
	w.front.listener, err = net.Listen("tcp", address)
	return err
}

// serve answers for all parties, until the world is closed.
func (f *front) serve(w *World) {
	f.server = &http.Server{Handler: http.HandlerFunc(w.dispatch), ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes: 64 << 10, ErrorLog: silent}
	listener := f.listener
	if c := w.Place.Certificate; c != nil {
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{*c}, MinVersion: tls.VersionTLS12})
	}
	go func() { _ = f.server.Serve(listener) }() // ends with the world
}

// askedFor is the key of the URL that a client asked for, in the context of a request that reaches its party by
// another.
type askedFor struct{}

// dispatch hands a request to the party that it is for, as if that had a host of its own.
func (w *World) dispatch(rw http.ResponseWriter, r *http.Request) {
	p, path := w.addressed(r)
	if p == nil {
		http.Error(rw, "no party of this scenario is here", http.StatusNotFound)
		return
	}
	origin, _ := url.Parse(w.Place.urlOf(p.Name))
	own := r.WithContext(context.WithValue(r.Context(), askedFor{}, origin.Scheme+"://"+origin.Host+r.URL.RequestURI()))
	own.URL = &url.URL{Path: path, RawQuery: r.URL.RawQuery}
	p.ServeHTTP(rw, own)
}

const wellKnown = "/.well-known/"

// addressed is the party that a request is for, and the path at it: by the host where each party has one, else by the
// first segment of the path, which stands behind the well-known location where there is one (RFC 8414 3.1, RFC 9728
// 3.1). A location for the whole host is the MCP server's.
func (w *World) addressed(r *http.Request) (*Party, string) {
	if !w.Place.Paths() {
		for _, p := range w.parties {
			if u, err := url.Parse(p.URL); err == nil && strings.EqualFold(u.Hostname(), hostname(r.Host)) {
				return p, r.URL.Path
			}
		}
		return nil, ""
	}
	location, rest := "", r.URL.Path
	if behind, ok := strings.CutPrefix(rest, wellKnown); ok {
		document, path, _ := strings.Cut(behind, "/")
		location, rest = wellKnown+document, "/"+path
	}
	public, path, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	if path != "" || strings.HasSuffix(rest, "/") {
		path = "/" + path
	}
	if public == "" && location != "" {
		return w.MCP.Party, location
	}
	for _, p := range w.parties {
		if strings.HasSuffix(p.URL, "/"+public) {
			if location == "" {
				path = cmp.Or(path, "/")
			}
			return p, location + path
		}
	}
	return nil, ""
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}
