package redact

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

// view is a text as a decoder reads it. from and to say where in the original each byte comes from.
type view struct {
	text     []byte
	from, to []int32
}

func (v *view) add(c byte, from, to int32) {
	v.text, v.from, v.to = append(v.text, c), append(v.from, from), append(v.to, to)
}

func (v *view) reset() *view {
	v.text, v.from, v.to = v.text[:0], v.from[:0], v.to[:0]
	return v
}

// finder looks for secrets in one text. Its buffers are used again.
type finder struct {
	set   *Set
	spans []Span
	free  []*view
	left  int // characters that may yet be looked at

	asked uint64 // the fingerprint that was looked up last: the forms of a text without separators are the same
	had   bool
}

var finders = sync.Pool{New: func() any { return &finder{} }}

func (f *finder) take() *view {
	if n := len(f.free); n > 0 {
		v := f.free[n-1]
		f.free = f.free[:n-1]
		return v.reset()
	}
	return &view{}
}

func (f *finder) give(v *view) { f.free = append(f.free, v) }

const (
	depth   = 3   // encodings other than escapes within each other
	escapes = 4   // escapes within each other
	effort  = 500 // characters that may be looked at for each of a text
)

func (f *finder) find(s *Set, text string, depth int) []Span {
	f.set, f.spans, f.left = s, f.spans[:0], effort*(len(text)+window)
	f.asked, f.had = 0, s.windows.has(0)
	root := f.take()
	for i := range len(text) {
		root.add(text[i], int32(i), int32(i)+1)
	}
	f.explore(root, depth)
	f.give(root)
	if f.left < 0 { // made to keep us busy: nobody has to read it
		return []Span{{0, len(text), nil}}
	}
	return merge(f.spans)
}

// explore looks at a view and at what can be decoded from it.
func (f *finder) explore(v *view, depth int) {
	f.match(v)
	if !f.unescaped(v, depth, escapes) {
		f.decode(v, depth)
	}
}

// unescaped explores a view without its escapes, one layer after the other, and reports whether it has any. They may be
// written backwards, and may have been taken apart by line breaks.
func (f *finder) unescaped(v *view, depth, layers int) bool {
	if layers == 0 || f.left < 0 || !escaped(v) {
		return false
	}
	look := func(v *view) bool {
		next := f.take()
		defer f.give(next)
		if !unescape(next, v) {
			return false
		}
		f.match(next)
		if !f.unescaped(next, depth, layers-1) {
			f.decode(next, depth)
		}
		return true
	}
	joined, backwards := f.take(), f.take()
	defer f.give(joined)
	defer f.give(backwards)
	for i, c := range v.text {
		if kept[0][c] {
			joined.add(c, v.from[i], v.to[i])
		}
	}
	for i := len(joined.text) - 1; i >= 0; i-- {
		backwards.add(joined.text[i], joined.from[i], joined.to[i])
	}
	if len(joined.text) < len(v.text) {
		look(joined)
	}
	look(backwards)
	return look(v)
}

// decode explores what base64 and hexadecimal make of a view.
func (f *finder) decode(v *view, depth int) {
	if depth == 0 || f.left < 0 || len(v.text) < 12 {
		return
	}
	digits := f.take()
	defer f.give(digits)
	for _, code := range codes {
		code.digits(digits.reset(), v)
		if len(digits.text) < window*code.digitsPerWindow/8 {
			continue
		}
		for _, backwards := range []bool{false, true} {
			if backwards {
				slices.Reverse(digits.text)
				slices.Reverse(digits.from)
				slices.Reverse(digits.to)
			}
			for offset := range code.group {
				d := f.take()
				code.bytes(d, digits, offset)
				// What was no base64 becomes noise, in which no more is encoded.
				if depth == 1 || !promising(d.text) {
					f.match(d)
				} else {
					f.explore(d, depth-1)
				}
				f.give(d)
			}
		}
	}
}

// promising reports whether a text holds a row of characters long enough to be a part of a secret, encoded.
func promising(text []byte) bool {
	row := 0
	for _, c := range text {
		switch {
		case kept[1][c] || strings.IndexByte("+/-_%\\&#;:x \r\n", c) >= 0:
			if row++; row >= 12 {
				return true
			}
		default:
			row = 0
		}
	}
	return false
}

// match adds the parts of a view that two fingerprints in a row, or more, cover.
func (f *finder) match(v *view) {
	if f.left -= len(v.text); f.left < 0 {
		return
	}
	for _, s := range f.set.short {
		for at := 0; ; {
			i := bytes.Index(v.text[at:], []byte(s.value))
			if i < 0 {
				break
			}
			f.cover(v, at+i, at+i+len(s.value), s)
			at += i + len(s.value)
		}
	}
	var plain uint64
	forms := [2]squeezed{{keep: &kept[0]}, {keep: &kept[1]}}
	runs := [3]run{}
	for i, c := range v.text {
		plain = plain<<8 | uint64(fold[c])
		if i >= window-1 {
			f.step(v, &runs[0], symmetric(plain), i-window+1, i+1)
		}
		for n := range forms {
			if from, ok := forms[n].read(c, i); ok {
				f.step(v, &runs[n+1], symmetric(forms[n].key), from, i+1)
			}
		}
	}
	for n := range runs {
		f.end(v, &runs[n])
	}
}

// run is fingerprints of secrets in a row.
type run struct {
	n, from, to int
	read        int // fingerprints so far
	last        uint64
	lastFrom    int
}

// step takes the next fingerprint. Two in a row are what counts, so it is enough to look every other one up.
func (f *finder) step(v *view, r *run, key uint64, from, to int) {
	switch {
	case r.n > 0:
		if f.has(key) {
			r.n++
			r.to = to
		} else {
			f.end(v, r)
		}
	case r.read&1 == 0 && f.has(key):
		r.n, r.from, r.to = 1, from, to
		if r.read > 0 && f.has(r.last) {
			r.n, r.from = 2, r.lastFrom
		}
	}
	r.read++
	r.last, r.lastFrom = key, from
}

func (f *finder) has(key uint64) bool {
	if f.asked != key {
		f.asked, f.had = key, f.set.windows.has(key)
	}
	return f.had
}

func (f *finder) end(v *view, r *run) {
	if r.n >= 2 {
		f.covered(v, r.from, r.to)
	}
	r.n = 0
}

// covered adds a part of a view that secrets cover: those that stand there whole, and the rest between them. A secret
// may begin with what is public, before the first fingerprint, and end with such.
func (f *finder) covered(v *view, from, to int) {
	rest := from
	for i := max(0, from-longestPublic); i < to && i+window <= len(v.text); i++ {
		s := f.whole(v.text[i:], to-i)
		if s == nil || i+len(s.value) <= from {
			continue
		}
		if rest < i {
			f.cover(v, rest, i, nil)
		}
		f.cover(v, i, i+len(s.value), s)
		i += len(s.value) - 1
		rest = i + 1
	}
	if rest < to {
		f.cover(v, rest, to, nil)
	}
}

const longestPublic = 64 // characters of a secret that are public, at most, when it is to be called by its name

// whole returns the longest secret that a text begins with. Most likely it ends where its fingerprints do.
func (f *finder) whole(text []byte, likely int) *Secret {
	var found *Secret
	var key uint64
	for _, c := range text[:window] {
		key = key<<8 | uint64(fold[c])
	}
	heads := f.set.heads[symmetric(key)]
	if len(heads) == 0 {
		return nil
	}
	if found = f.set.known[string(text[:likely])]; found != nil { // tokens all begin alike, so that heads are many
		return found
	}
	for _, s := range heads {
		if (found == nil || len(s.value) > len(found.value)) && len(text) >= len(s.value) &&
			string(text[:len(s.value)]) == s.value {
			found = s
		}
	}
	return found
}

func (f *finder) cover(v *view, from, to int, s *Secret) {
	lo, hi := v.from[from], v.to[to-1]
	if back := v.from[to-1]; back < lo { // the view runs backwards
		lo, hi = back, v.to[from]
	}
	f.spans = append(f.spans, Span{int(lo), int(hi), s})
}

// merge makes one span of those that overlap. A secret that stands there whole keeps its name when it holds the others.
func merge(spans []Span) []Span {
	if len(spans) == 0 {
		return nil
	}
	slices.SortFunc(spans, func(a, b Span) int {
		switch {
		case a.From != b.From:
			return a.From - b.From
		case a.To != b.To:
			return b.To - a.To
		case a.Secret != nil:
			return -1
		}
		return 1
	})
	merged := []Span{spans[0]}
	for _, s := range spans[1:] {
		last := &merged[len(merged)-1]
		switch {
		case s.From < last.To && s.To <= last.To:
		case s.From < last.To, s.From == last.To && s.Secret == nil && last.Secret == nil:
			last.To, last.Secret = s.To, nil
		default:
			merged = append(merged, s)
		}
	}
	return merged
}
