package reports

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// hostMoves tells, for each host that the controls of a check asked, which one the attacks asked in its place. Every
// run of a client has ports of its own; that they are others is no difference worth telling.
type hostMoves map[string]string

// moves finds out from the rows of a check which host took the place of which.
func moves(exchanges []Exchange, rows []slot) hostMoves {
	moved := hostMoves{}
	for _, s := range rows {
		if s.control < 0 {
			continue
		}
		from, to := exchanges[s.control].Request.parsed().Host, exchanges[s.shown[len(s.shown)-1]].Request.parsed().Host
		if _, known := moved[from]; !known && from != to {
			moved[from] = to
		}
	}
	return moved
}

// between says how to write the hosts of a control as those of its attack, and back; nil when both asked the same host.
func (m hostMoves) between(control, attack Exchange) (there, back *strings.Replacer) {
	from, to := control.Request.parsed().Host, attack.Request.parsed().Host
	if from == to {
		return nil, nil
	}
	all := maps.Clone(m)
	all[from] = to // a host of the control may have several in the attack
	if from, to := control.Request.callback(), attack.Request.callback(); from != "" && to != "" {
		all[from] = to
	}
	var forth, home []string
	for _, from := range slices.Sorted(maps.Keys(all)) {
		to := all[from]
		forth = append(forth, from, to, url.QueryEscape(from), url.QueryEscape(to))
		home = append(home, to, from, url.QueryEscape(to), url.QueryEscape(from))
	}
	return strings.NewReplacer(forth...), strings.NewReplacer(home...)
}

// callback is the host, most often a port of the moment, at which a client waits for the answer of a login.
func (r Request) callback() string {
	return Request{URL: cmp.Or(r.field("redirect_uri"), r.parsed().Query().Get("redirect_uri"))}.parsed().Host
}

// field is the first value of a form field.
func (r Request) field(name string) string {
	if i := slices.IndexFunc(r.Form, func(f Field) bool { return f.Name == name }); i >= 0 {
		return r.Form[i].Value
	}
	return ""
}

// at is the exchange with other hosts in what was sent.
func (e Exchange) at(hosts *strings.Replacer) Exchange {
	if hosts == nil {
		return e
	}
	e.Request.URL, e.Request.Body = hosts.Replace(e.Request.URL), hosts.Replace(e.Request.Body)
	header := http.Header{}
	for name, values := range e.Request.Header {
		for _, value := range values {
			header[name] = append(header[name], hosts.Replace(value))
		}
	}
	e.Request.Header = header
	e.Request.Form = slices.Clone(e.Request.Form)
	for i := range e.Request.Form {
		e.Request.Form[i].Value = hosts.Replace(e.Request.Form[i].Value)
	}
	e.Tokens = slices.Clone(e.Tokens)
	for i, t := range e.Tokens {
		e.Tokens[i].Header, e.Tokens[i].Claims = hosts.Replace(t.Header), hosts.Replace(t.Claims)
	}
	return e
}

// parsed is the request's URL in its parts; what is no URL is a path as a whole.
func (r Request) parsed() *url.URL {
	if u, err := url.Parse(r.URL); err == nil {
		return u
	}
	return &url.URL{Path: r.URL}
}

// path is the request's URL without scheme and host, as it was written.
func (r Request) path() string {
	_, rest, found := strings.Cut(r.URL, "://")
	if !found {
		return r.URL
	}
	if at := strings.IndexAny(rest, "/?#"); at >= 0 {
		return rest[at:]
	}
	return "/"
}
