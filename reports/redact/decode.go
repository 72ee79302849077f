package redact

import (
	"bytes"
	"html"
	"strconv"
	"unicode/utf8"
)

// code is a way to write bytes in digits. Whatever else stands between the digits is left out.
type code struct {
	group           int // digits at which a byte begins again: so many offsets are tried
	digitsPerWindow int // eighths of a digit for each byte
	value           [256]int8
}

var codes = []*code{base64Code(), hexCode()}

func base64Code() *code {
	c := &code{group: 4, digitsPerWindow: 11}
	for i := range c.value {
		c.value[i] = -1
	}
	for i, digit := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		c.value[digit] = int8(i)
	}
	c.value['+'], c.value['/'] = 62, 63
	return c
}

func hexCode() *code {
	c := &code{group: 2, digitsPerWindow: 16}
	for i := range c.value {
		c.value[i] = -1
		if n, err := strconv.ParseUint(string(rune(i)), 16, 8); err == nil && i < utf8.RuneSelf {
			c.value[i] = int8(n)
		}
	}
	return c
}

// digits adds the digits of a view, by their values, where there are enough of them in a row: white space may stand
// between those of base64, any separator and "0x" between those of hexadecimal numbers.
func (c *code) digits(into, v *view) {
	start, between := 0, 0
	for i, b := range v.text {
		value := c.value[b]
		if c.group == 2 && b == '0' && i+1 < len(v.text) && v.text[i+1] == 'x' {
			continue
		}
		if value >= 0 {
			into.add(byte(value), v.from[i], v.to[i])
			between = 0
			continue
		}
		if between++; !kept[0][b] || c.group == 2 && !kept[1][b|0x20] && between < 4 || b == 'x' {
			continue
		}
		c.drop(into, start)
		start = len(into.text)
	}
	c.drop(into, start)
}

// drop takes the digits from start on away again when they are too few.
func (c *code) drop(v *view, start int) {
	if len(v.text)-start <= window*c.digitsPerWindow/8 {
		v.text, v.from, v.to = v.text[:start], v.from[:start], v.to[:start]
	}
}

// bytes adds the bytes that digits stand for, from this digit on.
func (c *code) bytes(into, digits *view, offset int) {
	width := 6
	if c.group == 2 {
		width = 4
	}
	bits, have := uint32(0), 0
	for i := offset; i < len(digits.text); i++ {
		bits, have = bits<<width|uint32(digits.text[i]), have+width
		if have < 8 {
			continue
		}
		have -= 8
		lo, hi := digits.from[i-1], digits.to[i]
		if digits.from[i] < lo { // the digits run backwards
			lo, hi = digits.from[i], digits.to[i-1]
		}
		into.add(byte(bits>>have), lo, hi)
	}
}

// escaped reports whether a view may have escapes.
func escaped(v *view) bool { return bytes.ContainsAny(v.text, `%\&`) }

// unescape adds a view without its escapes, percent encoding, JSON's and C's, and HTML's alike, and reports whether
// there was any.
func unescape(into, v *view) bool {
	changed := false
	for i := 0; i < len(v.text); {
		decoded, length := escape(v.text[i:])
		if length == 0 {
			into.add(v.text[i], v.from[i], v.to[i])
			i++
			continue
		}
		changed = true
		last := i + length - 1
		lo, hi := v.from[i], v.to[last]
		if v.from[last] < lo { // the view runs backwards
			lo, hi = v.from[last], v.to[i]
		}
		for _, c := range decoded {
			into.add(c, lo, hi)
		}
		i += length
	}
	return changed
}

// escape decodes the escape that a text begins with; length 0: it begins with none.
func escape(text []byte) (decoded []byte, length int) {
	switch text[0] {
	case '%':
		return number(text, 1, 2, 2, 16)
	case '\\':
		return backslash(text)
	case '&':
		return entity(text)
	}
	return nil, 0
}

func backslash(text []byte) ([]byte, int) {
	if len(text) < 2 {
		return nil, 0
	}
	switch c := text[1]; c {
	case 'u', 'U':
		if len(text) > 2 && text[2] == '{' {
			if decoded, n := number(text, 3, 1, 6, 16); n > 0 && n < len(text) && text[n] == '}' {
				return decoded, n + 1
			}
			return nil, 0
		}
		if c == 'U' && bytes.HasPrefix(text[2:], []byte("000")) && len(text) >= 10 {
			if decoded, n := number(text, 2, 8, 8, 16); n > 0 {
				return decoded, n
			}
		}
		return number(text, 2, 4, 4, 16)
	case 'x', 'X':
		return number(text, 2, 2, 2, 16)
	case 'n', 'r', 't', 'b', 'f':
		return []byte{' '}, 2
	case '"', '\\', '/', '\'':
		return []byte{c}, 2
	}
	return number(text, 1, 3, 3, 8)
}

func entity(text []byte) ([]byte, int) {
	if len(text) > 2 && text[1] == '#' {
		start, base := 2, 10
		if text[2] == 'x' || text[2] == 'X' {
			start, base = 3, 16
		}
		decoded, n := number(text, start, 1, 8, base)
		if n > 0 && n < len(text) && text[n] == ';' {
			n++
		}
		return decoded, n
	}
	end := bytes.IndexByte(text[:min(len(text), 24)], ';')
	if end < 2 {
		return nil, 0
	}
	name := string(text[:end+1])
	decoded := html.UnescapeString(name)
	if decoded == name {
		if decoded = html.UnescapeString(string(bytes.ToLower(text[:end+1]))); decoded ==
			string(bytes.ToLower(text[:end+1])) {
			return nil, 0
		}
	}
	return []byte(decoded), end + 1
}

// number decodes a character that is written as a number of so many digits, from start on.
func number(text []byte, start, least, most, base int) ([]byte, int) {
	end := start
	for end < len(text) && end-start < most && digitOf(text[end]) < base {
		end++
	}
	if end-start < least {
		return nil, 0
	}
	n, err := strconv.ParseUint(string(text[start:end]), base, 32)
	if err != nil || n > utf8.MaxRune {
		return nil, 0
	}
	if n < 256 { // percent encoding writes bytes; no secret has a character beyond ASCII
		return []byte{byte(n)}, end
	}
	return utf8.AppendRune(nil, rune(n)), end
}

func digitOf(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return 99
}
