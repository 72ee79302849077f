package endpoint

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/oauth"
	"github.com/emaconform/emaconform/mockidp/internal/state"
	"github.com/emaconform/emaconform/mockidp/internal/web"
)

// AnyHost among the allowed hosts lets requests for every host in.
const AnyHost = "*"

// Guard lets a request in that names a host of this identity provider, and that no page of a stranger sent. Without it
// a web site could give its own name the address of the identity provider (DNS rebinding), and sign in and get tokens
// with the browser of whoever visits it. allowed are hosts besides the issuer's and those of the loopback interface.
func Guard(s *state.State, allowed []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch origin := r.Header.Get("Origin"); {
		case !ownHost(s, allowed, r.Host):
			refuse(w, http.StatusMisdirectedRequest, "this identity provider is not "+oauth.Printable(r.Host)+
				": it answers for the host of its "+
				"issuer, "+s.Base.Hostname()+", and for loopback. Allow another name with --allow-host (AllowedHosts in Go)")
		case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions &&
			foreign(s, r, origin):
			refuse(w, http.StatusForbidden, "the request was sent by a page of "+oauth.Printable(origin)+
				", which is neither this identity "+
				"provider's nor that of a redirect URI or assertion consumer of one of its clients")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Cache-Control", "no-store")
	web.JSON(w, status, map[string]string{"error": "invalid_request", "error_description": text})
}

func ownHost(s *state.State, allowed []string, host string) bool {
	host = strings.ToLower(host)
	if host == strings.ToLower(s.Base.Host) || slices.Contains(allowed, AnyHost) {
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback() || host == strings.ToLower(s.Base.Hostname()) ||
		slices.ContainsFunc(allowed, func(name string) bool { return strings.EqualFold(name, host) })
}

// foreign reports whether a page of a stranger sent the request. Browsers name the origin of a page with each POST;
// what is no browser has none (https://fetch.spec.whatwg.org/#origin-header).
func foreign(s *state.State, r *http.Request, origin string) bool {
	if origin == "" {
		return false
	}
	if origin == "null" { // a page that hides its origin, as the sign-in page does, says whether it is of this site
		site := r.Header.Get("Sec-Fetch-Site")
		return site != "same-origin" && site != "none"
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host && u.Host != s.Base.Host && !trusts(s.Directory.Load(), u)
}

// trusts reports whether a page of this origin is a client's: that of a redirect URI or of an assertion consumer
// service.
func trusts(d *directory.Directory, origin *url.URL) bool {
	for _, client := range d.Clients {
		uris := client.RedirectURIs
		if client.SAML != nil {
			uris = slices.Concat(uris, client.SAML.ACS)
		}
		for _, uri := range uris {
			u, err := url.Parse(uri)
			if err != nil || u.Scheme != origin.Scheme {
				continue
			}
			if u.Host == origin.Host || client.AnyLoopbackPort && loopback(u.Hostname()) && u.Hostname() == origin.Hostname() {
				return true
			}
		}
	}
	return false
}
