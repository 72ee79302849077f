package wire

import (
	"net/http"
	"net/netip"
)

// NotRebound lets requests in that are for an address or for localhost. A web site can give a name of its own any
// address, and have the browser of whoever visits it drive a page of ours (DNS rebinding): then the request is for that
// name.
func NotRebound(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostOf(r.Host)
		if _, err := netip.ParseAddr(host); err != nil && !isLocalName(host) {
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "this page answers for localhost and for addresses, not for the name "+Printable(r.Host, 200),
				http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
