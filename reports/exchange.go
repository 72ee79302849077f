package reports

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// pair is what stands in one row of a check's evidence: the control beside the attack, or one exchange alone.
type pair struct {
	Exchanges []exchangeView
	Differs   []difference // what sets the attack apart from its control
	Alike     bool         // they were compared, and nothing does
	Open      bool
}

// exchangeView is an exchange made ready for the page.
type exchangeView struct {
	Number   int
	Part     Part
	Note     string // in a client's run, to whom it went and what for
	Method   string
	Path     string // with the query
	Outcome  string // e.g. "400 Bad Request"
	Millis   string
	Sent     []tokenView
	Received []tokenView // tokens that the response alone mentions
	Request  template.HTML
	Response template.HTML
	Cut      bool
	Brief    bool // of a report that would be too large
	Error    string
	Curl     command
}

// tokenView is a token with what sets it apart from its twin marked.
type tokenView struct {
	Ref, Note      string
	Header, Claims template.HTML
}

const openPairs = 2 // attacks of a check that are open from the start

// slot is a row before its exchanges are made ready: which stand in it, as their index, and the control that an attack
// is compared with; -1 for none.
type slot struct {
	shown   []int
	control int
}

// slots puts the exchanges of a check in rows: each attack beside the control that is its twin, where there is one that
// stands alone so far. Exchanges keep their order otherwise. An attack that is left over is compared with the last
// control for the same URL.
func slots(exchanges []Exchange) []slot {
	var rows []slot
	var controls, lone []int // lone: rows of controls without an attack
	for i, e := range exchanges {
		if e.Part != Attack {
			if e.Part == Control {
				controls, lone = append(controls, i), append(lone, len(rows))
			}
			rows = append(rows, slot{[]int{i}, -1})
			continue
		}
		at := e.twin(len(lone), func(n int) Exchange { return exchanges[rows[lone[n]].shown[0]] })
		if at >= 0 {
			row := &rows[lone[at]]
			lone = slices.Delete(lone, at, at+1)
			row.control = row.shown[0]
			row.shown = append(row.shown, i)
			continue
		}
		control := -1
		for _, c := range controls {
			if samePlace(e, exchanges[c]) {
				control = c
			}
		}
		rows = append(rows, slot{[]int{i}, control})
	}
	return rows
}

// twin finds an attack's control among n: the first of its kind, since an attack on a client repeats what the control
// did, step by step; or else the last for its URL, since a server is asked for what the attack needs, then for the same
// thing honestly. -1 when there is none.
func (e Exchange) twin(n int, control func(int) Exchange) int {
	last := -1
	for i := range n {
		switch c := control(i); {
		case sameKind(e, c):
			return i
		case samePlace(e, c):
			last = i
		}
	}
	return last
}

// sameKind reports whether two exchanges are the same step of two runs of a client. Each run has ports of its own: the
// note tells to whom a request went, and of what kind it was; tokens are asked for with several grants.
func sameKind(a, b Exchange) bool {
	return a.Note != "" && a.Note == b.Note && a.Request.Method == b.Request.Method &&
		a.Request.parsed().Path == b.Request.parsed().Path && a.Request.field("grant_type") == b.Request.field("grant_type")
}

// samePlace reports whether two requests have the same URL, but for the query: that may be the attack.
func samePlace(a, b Exchange) bool {
	x, y := a.Request.parsed(), b.Request.parsed()
	return x.Host == y.Host && x.Path == y.Path
}

// pairs makes the rows of a check's evidence ready.
func pairs(exchanges []Exchange) []pair {
	places := slots(exchanges)
	moved := moves(exchanges, places)
	var rows []pair
	for _, s := range places {
		var row pair
		if s.control < 0 {
			for _, i := range s.shown {
				row.Exchanges = append(row.Exchanges, view(i, exchanges[i], nil))
			}
			rows = append(rows, row)
			continue
		}
		last := len(s.shown) - 1
		attack, control := exchanges[s.shown[last]], exchanges[s.control]
		there, back := moved.between(control, attack)
		if last > 0 {
			twin := attack.at(back)
			row.Exchanges = append(row.Exchanges, view(s.control, control, &twin))
		}
		twin := control.at(there)
		row.Differs = differences(attack, twin)
		row.Alike = len(row.Differs) == 0
		row.Exchanges = append(row.Exchanges, view(s.shown[last], attack, &twin))
		rows = append(rows, row)
	}
	open(rows)
	return rows
}

// open opens the first rows with an attack, those where it is not like its control before others, or the first row
// where there is none.
func open(rows []pair) {
	left := openPairs
	for _, alike := range []bool{false, true} {
		for i, r := range rows {
			attack := r.Exchanges[len(r.Exchanges)-1].Part == Attack
			if attack && r.Alike == alike && left > 0 {
				rows[i].Open = true
				left--
			}
		}
	}
	if left == openPairs && len(rows) > 0 {
		rows[0].Open = true
	}
}

// view makes an exchange ready; twin is what it is compared with, or nil.
func view(i int, e Exchange, twin *Exchange) exchangeView {
	v := exchangeView{
		Number: i + 1, Part: e.Part, Note: visible(e.Note), Brief: e.Brief, Method: line(e.Request.Method),
		Path:    line(e.Request.path()),
		Outcome: line(e.summary()), Millis: millis(e.Seconds), Error: visible(e.Error), Curl: e.Request.curl(),
	}
	request := e.Request.pieces()
	if twin != nil {
		request = mark(request, twin.Request.pieces())
	}
	v.Request = markup(references(request))
	if e.Response == nil {
		v.Outcome = "no answer"
	} else {
		v.Response, v.Cut = markup(references(e.Response.pieces())), e.Response.Cut
	}
	for _, t := range e.Tokens {
		if e.Request.mentions(t) {
			v.Sent = append(v.Sent, t.view(twin))
		} else {
			v.Received = append(v.Received, t.view(nil))
		}
	}
	return v
}

func millis(s float64) string {
	if s >= 10 {
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%.0f ms", s*1000)
}

// view decodes a token for the page, compared with the token of its kind in the other exchange.
func (t Token) view(other *Exchange) tokenView {
	header, claims := whole(t.Header), whole(t.Claims)
	if c := t.twin(other); c != nil {
		header, _ = compare("header", t.Header, c.Header)
		claims, _ = compare("claims", t.Claims, c.Claims)
	}
	for _, pieces := range [][]piece{header, claims} {
		for i := range pieces {
			pieces[i].Text = visible(pieces[i].Text)
		}
	}
	return tokenView{line(t.Ref), visible(t.Note), markup(header), markup(claims)}
}

// differences names what sets an attack apart from its control: members of tokens, form fields, headers, the body.
func differences(attack, control Exchange) []difference {
	var list []difference
	for _, t := range attack.Tokens {
		if c := t.twin(&control); c != nil && attack.Request.mentions(t) {
			_, inHeader := compare("header", t.Header, c.Header)
			_, inClaims := compare("claims", t.Claims, c.Claims)
			list = append(append(list, inHeader...), inClaims...)
			if t.Note != c.Note && t.Claims != "" {
				list = append(list, difference{"signature", changed})
			}
		}
	}
	list = append(list, attack.Request.differences(control.Request)...)
	for i := range list {
		list[i].Name = cut(line(list[i].Name), 60)
	}
	return list
}

// twin is the other exchange's token with the same reference, or else the first of the same kind; nil when there is
// none. Runs of a client count their tokens anew, so that one reference may stand for two tokens.
func (t Token) twin(other *Exchange) *Token {
	if other == nil {
		return nil
	}
	var found *Token
	for i, c := range other.Tokens {
		if c.Ref == t.Ref {
			return &other.Tokens[i]
		}
		if found == nil && kind(c.Ref) == kind(t.Ref) {
			found = &other.Tokens[i]
		}
	}
	return found
}

// kind is a reference without its number.
func kind(ref string) string {
	if bare := strings.TrimRight(ref, "0123456789"); len(bare) < len(ref) && strings.HasSuffix(bare, " ") {
		return bare[:len(bare)-1]
	}
	return ref
}

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
