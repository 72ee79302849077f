package grammar

import (
	"net"
	"net/url"
	"path"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// urlVariant is a variant of what an identifier's URL says.
func urlVariant(slug, what string, of func(u *url.URL) string) Variant {
	return variant(slug, what, func(s string) string {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" {
			return s
		}
		return of(u)
	})
}

func parsed(same func(known, given *url.URL) bool) func(string, any) bool {
	return strs(func(known, given string) bool {
		k, errK := url.Parse(known)
		g, errG := url.Parse(given)
		return errK == nil && errG == nil && k.Host != "" && same(k, g)
	})
}

func otherSlash(s string) string {
	if cut, ok := strings.CutSuffix(s, "/"); ok {
		return cut
	}
	return s + "/"
}

// respelled is the URL with scheme and authority of another spelling and the path as it was.
func respelled(u *url.URL, start string) string { return start + u.EscapedPath() }

func otherPort(u *url.URL) string {
	port := "0" + u.Port()
	if u.Port() == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return respelled(u, u.Scheme+"://"+net.JoinHostPort(u.Hostname(), port))
}

func portOf(u *url.URL) int {
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		port = map[string]int{"https": 443, "http": 80}[strings.ToLower(u.Scheme)]
	}
	return port
}

// authority is scheme, host without case and dot at its end, and port.
func authority(u *url.URL) string {
	return strings.ToLower(u.Scheme) + "://" + strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")) + ":" +
		strconv.Itoa(portOf(u))
}

func clean(u *url.URL) string { return strings.TrimSuffix(path.Clean("/"+u.Path), "/") }

// resolved are the same when they lead to the same place, whatever stands beside.
func resolved(known, given *url.URL) bool {
	return authority(known) == authority(given) && clean(known) == clean(given)
}

func origin(known, given *url.URL) bool { return authority(known) == authority(given) }

func hostPart(u *url.URL, change func(string) string) string {
	host := change(u.Hostname())
	if u.Port() != "" {
		host = net.JoinHostPort(host, u.Port())
	}
	return respelled(u, u.Scheme+"://"+host)
}

func withDot(u *url.URL) string { return hostPart(u, func(h string) string { return h + "." }) }

func idnaDots(s string) string { return strings.Replace(s, ".", "\u3002", 1) }

func mapped(s string) string { return norm.NFKC.String(strings.ReplaceAll(s, "\u3002", ".")) }

func withoutTabs(s string) string {
	return strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
}

// ofURLs are ways to compare a URL by what it means instead of how it is spelled (RFC 3986 section 6.2.1 against the
// rest of 6.2).
var ofURLs = []Way{
	{ID: "slash", For: URL, Title: "without regard to a slash at its end",
		Why:      "two issuers or servers of one host are the same",
		Variants: []Variant{variant("", "with the slash at its end added or taken away", otherSlash)},
		Same:     by(func(s string) string { return strings.TrimSuffix(s, "/") })},
	{ID: "scheme", For: URL, Title: "without regard to the scheme",
		Why: "what anybody in the network can answer for is as good as what a certificate proves",
		Variants: []Variant{urlVariant("", "with http for https, or the other way round", func(u *url.URL) string {
			return respelled(u, map[string]string{"https": "http", "http": "https"}[u.Scheme]+"://"+u.Host)
		})},
		Same: parsed(func(known, given *url.URL) bool { return known.Host == given.Host && known.Path == given.Path })},
	{ID: "url", For: URL, Title: "as a parsed URL: case of the host, default port, dot segments",
		Why: "spellings that parsers disagree about are the same to one and not to the next",
		Variants: []Variant{
			urlVariant("host-case", "with scheme and host in capitals", func(u *url.URL) string {
				return respelled(u, strings.ToUpper(u.Scheme+"://"+u.Host))
			}),
			urlVariant("port", "with its default port, or its port with a leading zero", otherPort),
			urlVariant("dots", "with dot segments in its path", func(u *url.URL) string {
				return u.Scheme + "://" + u.Host + "/x/.." + "/" + strings.TrimPrefix(u.EscapedPath(), "/")
			}),
			urlVariant("slashes", "with two slashes before its path", func(u *url.URL) string {
				return u.Scheme + "://" + u.Host + "//" + strings.TrimPrefix(u.EscapedPath(), "/")
			}),
			urlVariant("root", "with a dot behind its host", withDot)},
		Same: parsed(resolved)},
	{ID: "backslash", For: URL, Title: "with a backslash for a slash",
		Why: "spellings that parsers disagree about are the same to one and not to the next",
		Variants: []Variant{variant("", "with backslashes for slashes", func(s string) string {
			return strings.ReplaceAll(s, "/", `\`)
		})},
		Same: readBy(func(s string) string { return strings.ReplaceAll(s, `\`, "/") })},
	{ID: "tabs", For: URL, Title: "without tabs and line breaks in it, as browsers read URLs",
		Why:      "spellings that parsers disagree about are the same to one and not to the next",
		Variants: []Variant{variant("", "with a tab inside", inside("\t"))},
		Same:     readBy(withoutTabs)},
	{ID: "idna", For: URL, Title: "after its host is mapped as IDNA does",
		Why: "host names in other characters are the same",
		Variants: []Variant{
			urlVariant("dot", "with an ideographic full stop in its host", func(u *url.URL) string {
				return hostPart(u, idnaDots)
			}),
			urlVariant("wide", "with a full-width character in its host", func(u *url.URL) string {
				return hostPart(u, at(wide))
			})},
		Same: by(mapped)},
	{ID: "userinfo", For: URL, Title: "without a user name in it",
		Why: "what looks like one host leads to another",
		Variants: []Variant{urlVariant("", "with a user name before its host", func(u *url.URL) string {
			return respelled(u, u.Scheme+"://user@"+u.Host)
		})},
		Same: parsed(func(known, given *url.URL) bool {
			return known.Host == given.Host && known.Path == given.Path && known.Scheme == given.Scheme
		})},
	{ID: "query", For: URL, Title: "without query and fragment",
		Why: "everybody who may choose a query may choose the name",
		Variants: []Variant{variant("question", "with a query", after("?tenant="+Word)),
			variant("fragment", "with a fragment", after("#"+Word))},
		Same: readBy(func(s string) string { return cutAt("#")(cutAt("?")(s)) })},
	{ID: "parameter", For: URL, Title: "without what stands behind a semicolon",
		Why:      "spellings that parsers disagree about are the same to one and not to the next",
		Variants: []Variant{variant("", "with a path parameter", after(";"+Word))},
		Same:     readBy(cutAt(";"))},
	{ID: "below", For: URL, Title: "by its path, below which everything counts",
		Why: "who owns a path below is who owns all of it",
		Variants: []Variant{variant("", "with a path segment more", func(s string) string {
			return strings.TrimSuffix(s, "/") + "/" + Word
		})},
		Same: strs(func(known, given string) bool {
			return strings.HasPrefix(given, strings.TrimSuffix(known, "/")+"/")
		})},
	{ID: "host", For: URL, Title: "by its host alone",
		Why: "everybody with a path on the host is everybody else there",
		Variants: []Variant{urlVariant("", "with another path", func(u *url.URL) string {
			return u.Scheme + "://" + u.Host + "/emaconform/other"
		})},
		Same: parsed(origin)},
}
