package grammar

import (
	"crypto/rand"
	"html"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// strs compares strings alone, by this.
func strs(same func(known, given string) bool) func(string, any) bool {
	return func(known string, given any) bool {
		s, ok := given.(string)
		return ok && same(known, s)
	}
}

// by compares what is left of both after a change.
func by(normal func(string) string) func(string, any) bool {
	return strs(func(known, given string) bool { return normal(known) == normal(given) })
}

// readBy compares what is left of the given string with the known one as it is.
func readBy(normal func(string) string) func(string, any) bool {
	return strs(func(known, given string) bool { return known == normal(given) })
}

// variant is one that is another string.
func variant(slug, what string, of func(string) string) Variant {
	return Variant{Slug: slug, What: what, Of: func(right string) (any, bool) {
		given := of(right)
		return given, given != right && given != ""
	}}
}

// Word is a word that nobody knows, drawn for each process: texts that are wrong are not to be known by a word in them.
var Word = "x" + strings.ToLower(rand.Text()[:7])

func after(tail string) func(string) string  { return func(s string) string { return s + tail } }
func before(head string) func(string) string { return func(s string) string { return head + s } }

// at changes the first character that a change is known for; what cannot be changed stays as it is.
func at(change func(r rune) string) func(string) string {
	return func(s string) string {
		for i, r := range s {
			if to := change(r); to != "" {
				return s[:i] + to + s[i+len(string(r)):]
			}
		}
		return s
	}
}

func otherCase(s string) string {
	if upper := strings.ToUpper(s); upper != s {
		return upper
	}
	return strings.ToLower(s)
}

func swapped(r rune) string {
	switch {
	case r >= 'a' && r <= 'z':
		return string(r - 'a' + 'A')
	case r >= 'A' && r <= 'Z':
		return string(r - 'A' + 'a')
	}
	return ""
}

func foldable(r rune) string {
	return map[rune]string{'k': "\u212a", 'K': "\u212a", 's': "\u017f", 'S': "\u017f", 'i': "\u0131"}[r]
}

func folded(known, given string) bool {
	// What ToUpper and ToLower make alike is more than what EqualFold does, and programs compare in each of these ways.
	return strings.EqualFold(known, given) ||
		strings.ToUpper(known) == strings.ToUpper(given) || //nolint:staticcheck // see above
		strings.ToLower(known) == strings.ToLower(given) //nolint:staticcheck // see above
}

func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func wide(r rune) string {
	if !alphanumeric(r) {
		return ""
	}
	return string(r - '!' + '\uff01')
}

func bold(r rune) string {
	switch {
	case r >= 'a' && r <= 'z':
		return string(r - 'a' + '\U0001d41a')
	case r >= 'A' && r <= 'Z':
		return string(r - 'A' + '\U0001d400')
	case r >= '0' && r <= '9':
		return string(r - '0' + '\U0001d7ce')
	}
	return ""
}

func accented(r rune) string {
	if !alphanumeric(r) {
		return ""
	}
	return string(r) + "\u0301"
}

func unaccented(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

// cyrillic are the letters that look like Latin ones, and the digit that a letter looks like.
var cyrillic = map[rune]string{
	'a': "\u0430", 'c': "\u0441", 'e': "\u0435", 'o': "\u043e", 'p': "\u0440", 'x': "\u0445", '0': "\u041e", '1': "\u04cf",
}

func latin(s string) string {
	for twin, look := range cyrillic {
		s = strings.ReplaceAll(s, look, string(twin))
	}
	return s
}

// visible is s without white space and characters that are not seen, wherever they stand.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

func inside(mark string) func(string) string {
	return func(s string) string { return s[:len(s)/2] + mark + s[len(s)/2:] }
}

// ofLetters are ways to take other characters for the same ones.
var ofLetters = []Way{
	{ID: "case", Title: "without regard to case",
		Why: "anybody whose name differs in case alone is the same one",
		Variants: []Variant{variant("all", "in another case", otherCase),
			variant("one", "with one letter in another case", at(swapped))},
		Same: strs(strings.EqualFold)},
	{ID: "fold", Title: "after Unicode case mapping",
		Why: "letters of other alphabets that a case mapping turns into ASCII make another name the same",
		Variants: []Variant{variant("", "with a letter whose other case is an ASCII letter (\u0131, \u017f, \u212a)",
			at(foldable))},
		Same: strs(folded)},
	{ID: "trim", Title: "after white space at its ends is cut off",
		Why: "who can register a name with a space at its end is somebody else",
		Variants: []Variant{
			variant("space-before", "with a space before it", before(" ")),
			variant("space-after", "with a space behind it", after(" ")),
			variant("tab-after", "with a tab behind it", after("\t")),
			variant("newline-after", "with a line break behind it", after("\n")),
			variant("nbsp-after", "with a no-break space behind it", after("\u00a0"))},
		Same: by(strings.TrimSpace)},
	{ID: "invisible", Title: "without what cannot be seen in it",
		Why: "two names that look the same are the same, and one of them is an attacker's",
		Variants: []Variant{
			variant("zero-width", "with a zero-width space inside", inside("\u200b")),
			variant("soft-hyphen", "with a soft hyphen inside", inside("\u00ad")),
			variant("space", "with a space inside", inside(" "))},
		Same: by(visible)},
	{ID: "nfkc", Title: "after Unicode normalization (NFKC)",
		Why: "names in other forms of the same letters are the same",
		Variants: []Variant{variant("wide", "with one full-width character", at(wide)),
			variant("bold", "with one mathematical character", at(bold))},
		Same: by(norm.NFKC.String)},
	{ID: "accents", Title: "without regard to accents, as database collations do",
		Why:      "names that differ in an accent are the same",
		Variants: []Variant{variant("", "with an accent on one character", at(accented))},
		Same:     by(unaccented)},
	{ID: "lookalike", Title: "by what it looks like",
		Why: "names in letters of another script that look the same are the same",
		Variants: []Variant{variant("", "with a Cyrillic letter for a Latin one", at(func(r rune) string {
			return cyrillic[r]
		}))},
		Same: by(latin)},
}

func percentEncoded(r rune) string {
	if !alphanumeric(r) {
		return ""
	}
	return "%" + strconv.FormatInt(int64(r), 16)
}

func percentDecoded(s string) string {
	if decoded, err := url.PathUnescape(s); err == nil {
		return decoded
	}
	return s
}

func twice(s string) string { return strings.ReplaceAll(at(percentEncoded)(s), "%", "%25") }

func escaped(s string) string {
	if decoded, err := strconv.Unquote(`"` + s + `"`); err == nil {
		return decoded
	}
	return s
}

// ofSpelling are ways to read an identifier as if it were written in another notation.
var ofSpelling = []Way{
	{ID: "percent", Title: "after percent-decoding",
		Why: "a name that is spelled with % is another one's",
		Variants: []Variant{variant("one", "with one character percent-encoded", at(percentEncoded)),
			variant("twice", "with one character percent-encoded twice", twice)},
		Same: readBy(func(s string) string { return percentDecoded(percentDecoded(s)) })},
	{ID: "entity", Title: "after HTML or XML entities in it are replaced",
		Why: "a name that is spelled with an entity is another one's",
		Variants: []Variant{variant("", "with one character as an entity", at(func(r rune) string {
			if !alphanumeric(r) {
				return ""
			}
			return "&#" + strconv.Itoa(int(r)) + ";"
		}))},
		Same: readBy(html.UnescapeString)},
	{ID: "escape", Title: `after \u escapes in it are read once more`,
		Why: "a name that is spelled with an escape is another one's",
		Variants: []Variant{variant("", `with one character as a \u escape in the text`, at(func(r rune) string {
			if !alphanumeric(r) {
				return ""
			}
			return `\u00` + strconv.FormatInt(int64(r), 16)
		}))},
		Same: readBy(escaped)},
	{ID: "quotes", Title: "without quotes and brackets around it",
		Why: "a name in quotes is another one's",
		Variants: []Variant{
			variant("double", "in double quotes", func(s string) string { return `"` + s + `"` }),
			variant("single", "in single quotes", func(s string) string { return "'" + s + "'" }),
			variant("angle", "in angle brackets", func(s string) string { return "<" + s + ">" }),
			variant("square", "in square brackets", func(s string) string { return "[" + s + "]" })},
		Same: readBy(func(s string) string { return strings.Trim(s, `"'<>[]`) })},
	{ID: "digits", For: Digits, Title: "as a number",
		Why: "other spellings of the same number are the same name",
		Variants: []Variant{
			variant("zero", "with a zero before it", before("0")),
			variant("plus", "with a plus before it", before("+")),
			variant("fraction", "with .0 behind it", after(".0")),
			variant("exponent", "with e0 behind it", after("e0"))},
		Same: strs(func(known, given string) bool {
			a, errA := strconv.ParseFloat(known, 64)
			b, errB := strconv.ParseFloat(given, 64)
			return errA == nil && errB == nil && a == b
		})},
}
