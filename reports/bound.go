package reports

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// What a report may take, in bytes of its JSON form, in which it is largest.
const (
	mostReport = 9 << 20 // all of it; a margin below the 10 MB that are promised
	mostSaid   = 1 << 20 // messages, warnings and notes of all checks together
	leastSaid  = 400     // characters that stay of each text when they are too much together
	longText   = 4000    // characters of one text in any case
	mostListed = 50      // warnings, or notes, of a check
)

// Held is how much evidence whoever collects results keeps before it has Bound drop some, in bytes.
const Held = 24 << 20

// Bound makes the report of a target that wrote very much small enough: what is dropped first proves least. A passed
// check keeps what was asked and the status of the answer; failures keep all as long as there is room. Dropped says
// what is missing.
func Bound(r *Report) {
	checks := make([]*Check, 0, len(r.Checks)+1)
	for i := range r.Checks {
		checks = append(checks, &r.Checks[i])
	}
	boundTexts(checks)
	bare := *r
	bare.Checks = make([]Check, len(r.Checks))
	for i, c := range r.Checks {
		c.Exchanges = nil
		bare.Checks[i] = c
	}
	room := mostReport
	if raw, err := plain(&bare); err == nil {
		room -= len(raw) * 4 / 3 // with white space
	}
	BoundEvidence(checks, max(room, mostReport/4))
	r.Dropped = dropped(r.Checks)
}

// BoundEvidence drops exchanges, or parts of them, until those of the checks take no more than this, in bytes.
func BoundEvidence(checks []*Check, most int) {
	b := bounding{left: -most, seed: maphash.MakeSeed(), times: map[uint64]int{}}
	for _, c := range checks {
		for i := range c.Exchanges {
			b.left += b.count(&c.Exchanges[i], 1)
		}
	}
	for _, o := range []Outcome{Pass, Skip, Inconclusive, Warn, Fail} {
		of := slices.DeleteFunc(slices.Clone(checks), func(c *Check) bool { return c.Outcome != o })
		b.brief(of, func(e *Exchange) bool { return e.Part != Attack })
		b.brief(of, func(e *Exchange) bool { return e.Part == Attack })
	}
	for _, o := range []Outcome{Pass, Skip, Inconclusive, Warn, Fail} {
		for _, c := range checks {
			if b.left <= 0 {
				return
			}
			if c.Outcome == o {
				for i := range c.Exchanges {
					b.left += b.count(&c.Exchanges[i], -1)
				}
				c.Dropped, c.Exchanges = c.Dropped+len(c.Exchanges), nil
			}
		}
	}
}

// Size is about how many bytes the evidence of a check takes in a report.
func (c *Check) Size() int {
	n, seed := 0, maphash.MakeSeed()
	for i := range c.Exchanges {
		size, _ := measure(&c.Exchanges[i], seed)
		n += size
	}
	return n
}

// bounding drops until nothing is left that is too much.
type bounding struct {
	left  int // bytes too much
	seed  maphash.Seed
	times map[uint64]int // how often an exchange stands in the report: it is written once
}

// count adds n of an exchange, 1 or -1, and returns by how much that changes the size of the report.
func (b *bounding) count(e *Exchange, n int) int {
	const again = 90 // bytes that it takes to refer to one
	size, key := measure(e, b.seed)
	before := b.times[key]
	b.times[key] += n
	if max(before, before+n) > 1 {
		return n * min(size, again)
	}
	return n * size
}

// brief makes these exchanges brief, the largest first, until the rest fits.
func (b *bounding) brief(checks []*Check, which func(*Exchange) bool) {
	if b.left <= 0 {
		return
	}
	type sized struct {
		e    *Exchange
		size int
	}
	var list []sized
	for _, c := range checks {
		for i := range c.Exchanges {
			if e := &c.Exchanges[i]; !e.Brief && which(e) {
				size, _ := measure(e, b.seed)
				list = append(list, sized{e, size})
			}
		}
	}
	slices.SortStableFunc(list, func(x, y sized) int { return cmp.Compare(y.size, x.size) })
	for _, s := range list {
		if b.left <= 0 {
			return
		}
		b.left += b.count(s.e, -1)
		s.e.shorten()
		b.left += b.count(s.e, 1)
	}
}

// shorten leaves what was asked, the status of the answer, and the beginning of the rest.
func (e *Exchange) shorten() {
	const short = 100 // characters
	e.Brief, e.Tokens, e.Request.Header = true, nil, nil
	e.Request.URL, e.Request.Body, e.Error = cut(e.Request.URL, short), cut(e.Request.Body, short), cut(e.Error, short)
	e.Request.Form = slices.Clone(e.Request.Form[:min(len(e.Request.Form), 12)])
	for i, f := range e.Request.Form {
		e.Request.Form[i] = Field{cut(f.Name, 40), cut(f.Value, 80)}
	}
	if e.Response != nil {
		r := *e.Response
		r.Header = nil
		if len(r.Body) > short {
			r.Body, r.Cut = cut(r.Body, short), true
		}
		e.Response = &r
	}
}

// measure is about how many bytes an exchange takes in a report, and a key that only those have which are alike.
func measure(e *Exchange, seed maphash.Seed) (size int, key uint64) {
	var h maphash.Hash
	h.SetSeed(seed)
	size = 200
	text := func(overhead int, s string) {
		_, _ = h.WriteString(s)
		_ = h.WriteByte(0)
		if s != "" {
			size += overhead + escapedLen(s)
		}
	}
	header := func(header http.Header) {
		for _, name := range slices.Sorted(maps.Keys(header)) {
			text(20, name)
			for _, value := range header[name] {
				text(20, value)
			}
		}
	}
	text(0, string(e.Part))
	text(20, e.Note)
	text(20, e.Error)
	text(20, e.Request.Method)
	text(20, e.Request.URL)
	text(20, e.Request.Body)
	header(e.Request.Header)
	for _, f := range e.Request.Form {
		text(30, f.Name)
		text(30, f.Value)
	}
	if e.Response != nil {
		maphash.WriteComparable(&h, e.Response.Status)
		text(80, e.Response.Body)
		header(e.Response.Header)
	}
	for _, t := range e.Tokens {
		text(60, t.Ref)
		text(20, t.Header)
		text(20, t.Claims)
		text(20, t.Note)
	}
	maphash.WriteComparable(&h, e.Seconds)
	return size, h.Sum64()
}

// escapedLen is how many bytes a text takes in JSON.
func escapedLen(s string) int {
	n := len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"', c == '\\', c == '\n', c == '\t', c == '\r':
			n++
		case c < ' ', c == 0xe2 && (strings.HasPrefix(s[i:], "\u2028") || strings.HasPrefix(s[i:], "\u2029")):
			n += 5
		}
	}
	return n
}

// boundTexts cuts what is said of checks.
func boundTexts(checks []*Check) {
	total := 0
	each := func(most int) {
		for _, c := range checks {
			c.Message = cut(c.Message, most)
			total += escapedLen(c.Message)
			for _, list := range []*[]string{&c.Warnings, &c.Notes} {
				if n := len(*list); n > mostListed {
					*list = append(slices.Clone((*list)[:mostListed]), fmt.Sprintf("and %d more", n-mostListed))
				}
				for i, s := range *list {
					(*list)[i] = cut(s, most)
					total += escapedLen((*list)[i])
				}
			}
		}
	}
	if each(longText); total > mostSaid {
		each(leastSaid)
	}
}

// dropped says in a sentence what checks lack, "" when they have all.
func dropped(checks []Check) string {
	briefs, gone := 0, 0
	for _, c := range checks {
		gone += c.Dropped
		for _, e := range c.Exchanges {
			briefs += one(e.Brief)
		}
	}
	switch {
	case gone > 0:
		return fmt.Sprintf("so that the report stays below 10 MB, %s are not kept, and of %d others only request and status",
			count(gone, "exchange"), briefs)
	case briefs > 0:
		return fmt.Sprintf("so that the report stays below 10 MB, only request and status are kept of %s",
			count(briefs, "exchange"))
	}
	return ""
}
