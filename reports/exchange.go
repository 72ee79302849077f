package reports

import (
	"fmt"
	"slices"
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
	Note     string
	Method   string
	URL      string
	Outcome  string // e.g. "400 Bad Request"
	Millis   string
	Sent     []tokenView
	Received []tokenView // tokens that the response alone mentions
	Request  []piece
	Response []piece
	Cut      bool
	Error    string
	Curl     command
}

// tokenView is a token with what sets it apart from its twin marked.
type tokenView struct {
	Ref, Note      string
	Header, Claims []piece
}

const openPairs = 2 // attacks of a check that are open from the start

// slot is a row before its exchanges are made ready: which stand in it, as their index, and the control that an attack
// is compared with; -1 for none.
type slot struct {
	shown   []int
	control int
}

// slots puts the exchanges of a check in rows: each attack beside the last control before it that stands alone so far,
// one for the same URL if there is one. Exchanges keep their order otherwise. An attack without a control of its own is
// compared with the last one.
func slots(exchanges []Exchange) []slot {
	var rows []slot
	var lone []int // rows of controls without an attack
	last := -1
	for i, e := range exchanges {
		switch {
		case e.Part == Control:
			last = i
			lone = append(lone, len(rows))
			rows = append(rows, slot{[]int{i}, -1})
		case e.Part == Attack && len(lone) > 0:
			at := len(lone) - 1
			for i := range lone {
				if exchanges[rows[lone[i]].shown[0]].Request.URL == e.Request.URL {
					at = i
				}
			}
			row := &rows[lone[at]]
			lone = slices.Delete(lone, at, at+1)
			row.control = row.shown[0]
			row.shown = append(row.shown, i)
		case e.Part == Attack:
			rows = append(rows, slot{[]int{i}, last})
		default:
			rows = append(rows, slot{[]int{i}, -1})
		}
	}
	return rows
}

// pairs makes the rows of a check's evidence ready.
func pairs(exchanges []Exchange) []pair {
	var rows []pair
	for _, s := range slots(exchanges) {
		attack := s.shown[len(s.shown)-1]
		var row pair
		if s.control >= 0 {
			row.Differs = differences(exchanges[attack], exchanges[s.control])
			row.Alike = len(row.Differs) == 0
		}
		for _, i := range s.shown {
			var twin *Exchange
			switch {
			case s.control < 0:
			case i == attack:
				twin = &exchanges[s.control]
			default:
				twin = &exchanges[attack]
			}
			row.Exchanges = append(row.Exchanges, view(i, exchanges[i], twin))
		}
		rows = append(rows, row)
	}
	open(rows)
	return rows
}

// open opens the first rows with an attack, or the first row where there is none.
func open(rows []pair) {
	left := openPairs
	for i := range rows {
		if last := len(rows[i].Exchanges) - 1; rows[i].Exchanges[last].Part == Attack && left > 0 {
			rows[i].Open = true
			left--
		}
	}
	if left == openPairs && len(rows) > 0 {
		rows[0].Open = true
	}
}

// view makes an exchange ready; twin is what it is compared with, or nil.
func view(i int, e Exchange, twin *Exchange) exchangeView {
	v := exchangeView{
		Number: i + 1, Part: e.Part, Note: visible(e.Note), Method: line(e.Request.Method), URL: line(e.Request.URL),
		Outcome: line(e.summary()), Millis: millis(e.Seconds), Error: visible(e.Error), Curl: e.Request.curl(),
	}
	request := e.Request.pieces()
	if twin != nil {
		request = mark(request, twin.Request.pieces())
	}
	v.Request = references(request)
	if e.Response == nil {
		v.Outcome = "no answer"
	} else {
		v.Response, v.Cut = references(e.Response.pieces()), e.Response.Cut
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
	v := tokenView{Ref: line(t.Ref), Note: visible(t.Note)}
	if c := t.twin(other); c != nil {
		v.Header, _ = compare("header", t.Header, c.Header)
		v.Claims, _ = compare("claims", t.Claims, c.Claims)
	} else {
		v.Header, v.Claims = whole(t.Header), whole(t.Claims)
	}
	for _, pieces := range [][]piece{v.Header, v.Claims} {
		for i := range pieces {
			pieces[i].Text = visible(pieces[i].Text)
		}
	}
	return v
}

// differences names what sets an attack apart from its control: members of tokens, form fields, headers, the body.
func differences(attack, control Exchange) []difference {
	var list []difference
	for _, t := range attack.Tokens {
		if c := t.twin(&control); c != nil && attack.Request.mentions(t) {
			_, inHeader := compare("header", t.Header, c.Header)
			_, inClaims := compare("claims", t.Claims, c.Claims)
			list = append(append(list, inHeader...), inClaims...)
			list = append(append(list, lacks(t.Header, c.Header)...), lacks(t.Claims, c.Claims)...)
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

// twin is the other exchange's token of the same kind; nil when there is none, or when it is the same token.
func (t Token) twin(other *Exchange) *Token {
	if other == nil {
		return nil
	}
	var found *Token
	for i, c := range other.Tokens {
		if c.Ref == t.Ref {
			return nil
		}
		if found == nil && kind(c.Ref) == kind(t.Ref) {
			found = &other.Tokens[i]
		}
	}
	return found
}

// kind is a reference without its number.
func kind(ref string) string { return trailingNumber.ReplaceAllString(ref, "") }
