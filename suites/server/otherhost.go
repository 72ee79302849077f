package server

import "net/url"

// HostHeaders name the host that was asked for, as proxies pass it on.
var HostHeaders = []string{"Host", "X-Forwarded-Host", "X-Host", "X-Original-Host", "X-Forwarded-Server",
	"X-Http-Host-Override", "Forwarded"}

// OtherHost is a server that nobody here runs (RFC 2606).
const OtherHost = "as.other.example"

// OnOtherHost is a URL with this scheme on OtherHost.
func OnOtherHost(rawURL, scheme string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	u.Scheme, u.Host = scheme, OtherHost
	return u.String()
}

// NamesOtherHost says in one of HostHeaders that OtherHost was asked, over this scheme.
func NamesOtherHost(header, scheme string) RedeemOption {
	value := OtherHost
	if header == "Forwarded" {
		value = "host=" + OtherHost + ";proto=" + scheme
	}
	return func(r *Redemption) {
		r.Header.Set(header, value)
		r.Header.Set("X-Forwarded-Proto", scheme)
	}
}
