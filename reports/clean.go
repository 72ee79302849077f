package reports

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible makes a string that a target may have provided fit for any reader: what would steer a terminal, hide text or
// turn its direction is shown as an escape such as \u001b. Line breaks and tabs stay. Invalid UTF-8 becomes U+FFFD,
// byte by byte, as in JSON.
func visible(s string) string {
	if !strings.ContainsFunc(s, steers) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !steers(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// steers reports whether a reader could not see r, or would see something else because of it: control and format
// characters (ESC, zero-width, bidirectional marks, byte order mark) and the separators U+2028 and U+2029.
func steers(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' && r != '\n' && r != '\t' || r == 0x7f
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// Line makes a string that somebody else wrote fit for a line of text: one line, at most n characters, and no control
// characters, which would steer a terminal; they are shown as escapes.
func Line(s string, n int) string { return cut(line(s), n) }

// line is visible on a single line: runs of white space become one space.
func line(s string) string { return visible(strings.Join(strings.Fields(s), " ")) }

// cut shortens s to at most n runes, the last of them an ellipsis where something is missing.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
