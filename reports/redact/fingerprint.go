package redact

import "math/bits"

// fold maps a byte to what it is compared as: lower case, and one alphabet of base64.
var fold = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
	}
	for c := byte('A'); c <= 'Z'; c++ {
		t[c] = c - 'A' + 'a'
	}
	t['+'], t['/'] = '-', '_'
	return t
}()

// kept are the characters that stay when separators are left out: all but white space and control characters, and
// letters and digits alone.
var kept = func() (t [2][256]bool) {
	for i := range 256 {
		c := byte(i)
		t[0][i] = c > ' ' && c != 0x7f
		t[1][i] = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	return t
}()

// squeezed is a text without its separators, as far as it was read.
type squeezed struct {
	keep *[256]bool
	key  uint64
	at   [window]int32 // where the last characters stood
	n    int
	row  int // characters since the last separator
}

// read takes the next character. fresh reports whether there is a fingerprint, which begins at from; when it is not
// new, it is the one of the text with fewer characters left out.
func (s *squeezed) read(c byte, i int) (from int, fresh bool) {
	if !s.keep[c] {
		s.row = 0
		return 0, false
	}
	s.key = s.key<<8 | uint64(fold[c])
	s.at[s.n%window] = int32(i)
	s.n++
	s.row++
	return int(s.at[s.n%window]), s.n >= window
}

// symmetric makes one fingerprint of eight characters and of the same backwards.
func symmetric(key uint64) uint64 { return min(key, bits.ReverseBytes64(key)) }

// fingerprints calls add with each fingerprint of a value.
func fingerprints(value string, add func(uint64)) {
	var plain uint64
	forms := [2]squeezed{{keep: &kept[0]}, {keep: &kept[1]}}
	for i := range len(value) {
		plain = plain<<8 | uint64(fold[value[i]])
		if i >= window-1 {
			add(symmetric(plain))
		}
		for n := range forms {
			if _, ok := forms[n].read(value[i], i); ok && forms[n].row < window {
				add(symmetric(forms[n].key))
			}
		}
	}
}

// headOf is the fingerprint that a value begins with, in whichever direction it is read.
func headOf(value string) uint64 {
	var key uint64
	for i := range window {
		key = key<<8 | uint64(fold[value[i]])
	}
	return symmetric(key)
}

// table is a set of fingerprints, open addressed: the map of the language takes ten times as long.
type table struct {
	slots []uint64 // 0 is free
	used  int
	shift uint
	zero  bool // has the fingerprint 0
}

func (t *table) index(key uint64) int { return int(key * 0x9e3779b97f4a7c15 >> t.shift) }

func (t *table) has(key uint64) bool {
	if t.used == 0 || key == 0 {
		return t.zero && key == 0
	}
	mask := len(t.slots) - 1
	for i := t.index(key); ; i = (i + 1) & mask {
		switch t.slots[i] {
		case key:
			return true
		case 0:
			return false
		}
	}
}

func (t *table) add(key uint64) {
	if key == 0 {
		t.zero = true
		return
	}
	if 3*t.used >= 2*len(t.slots) { // probes are short still: five slots, one line of the cache
		t.grow()
	}
	mask := len(t.slots) - 1
	for i := t.index(key); ; i = (i + 1) & mask {
		switch t.slots[i] {
		case key:
			return
		case 0:
			t.slots[i] = key
			t.used++
			return
		}
	}
}

func (t *table) grow() {
	old := t.slots
	size := max(1<<10, 2*len(old))
	t.slots, t.used, t.shift = make([]uint64, size), 0, uint(64-bits.TrailingZeros(uint(size)))
	for _, key := range old {
		if key != 0 {
			t.add(key)
		}
	}
}
