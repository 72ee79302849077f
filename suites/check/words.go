package check

import (
	"regexp"
	"strings"
)

// How Gomega lays a failure out: the time it waited, the description, and the values with their types on lines of their
// own.
var (
	waited    = regexp.MustCompile(`^(Timed out|Failed) after [0-9.]+s\.\n`)
	empty     = regexp.MustCompile(`(?m)^    <string>: $`)
	typed     = regexp.MustCompile(`(?m)^    <[^>\n]*>: `)
	described = regexp.MustCompile(`([^\s.:;,])\n+([Ee]xpected)\b`)
	opening   = regexp.MustCompile(`(^|: )Expected\b`)
)

// said makes one sentence of a failure message: a colon between description and finding, no types of Go, no line
// breaks.
func said(message string) string {
	message = waited.ReplaceAllString(message, "")
	message = empty.ReplaceAllString(message, `    ""`)
	message = typed.ReplaceAllString(message, "")
	message = described.ReplaceAllString(message, "$1: $2")
	message = opening.ReplaceAllString(message, "${1}expected")
	return strings.Join(strings.Fields(message), " ")
}

// Sentence begins one: "an ID-JAG …" becomes "An ID-JAG …".
func Sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
