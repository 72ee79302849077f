package endpoint

import (
	"net/http"
	"net/url"
)

// cors lets the pages of registered clients, and of nobody else, read the answers of the endpoints that clients talk
// to: a page's origin has to be that of a redirect URI (https://developer.okta.com/docs/concepts/enabling-cors/ has
// trusted origins for it). No cookie goes along. It reports whether the request was a preflight, which is answered
// then.
func (p *site) cors(w http.ResponseWriter, r *http.Request) (preflight bool) {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	w.Header().Add("Vary", "Origin")
	if page, err := url.Parse(origin); err == nil && trusts(p.Directory.Load(), page) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Expose-Headers", "X-Okta-Request-Id, X-Rate-Limit-Limit, "+
			"X-Rate-Limit-Remaining, X-Rate-Limit-Reset")
	}
	if r.Method != http.MethodOptions {
		return false
	}
	w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP, MCP-Protocol-Version")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// crossOrigin wraps an endpoint that pages of clients may call.
func (p *site) crossOrigin(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !p.cors(w, r) {
			h(w, r)
		}
	}
}
