package grammar

import (
	"path"
	"regexp"
	"strings"
	"unicode"
)

func cutAt(end string) func(string) string {
	return func(s string) string {
		head, _, _ := strings.Cut(s, end)
		return head
	}
}

// longest is where databases cut a text that is too long for its column.
const longest = 255

// padded is s, filled up with spaces to where it is cut, and one letter more.
func padded(s string) string { return s + strings.Repeat(" ", max(0, longest-len(s))) + "x" }

func column(s string) string { return strings.TrimRight(s[:min(len(s), longest)], " ") }

func contained(s string) string {
	if len(s) < 4 {
		return s
	}
	return s[1 : len(s)-1]
}

func separator(r rune) bool { return r == ',' || r == ';' || r == '|' || unicode.IsSpace(r) }

func oneOf(known, given string) bool {
	for part := range strings.FieldsFuncSeq(given, separator) {
		if part == known {
			return true
		}
	}
	return false
}

// ofParts are ways to compare a part of what was given, or a part of what is known.
var ofParts = []Way{
	{ID: "nul", Title: "up to a NUL",
		Why: "a longer name that begins with another one and a NUL is that one",
		Variants: []Variant{variant("raw", "followed by a NUL and more", after("\x00"+Word)),
			variant("encoded", "followed by %00 and more", after("%00"+Word))},
		Same: readBy(func(s string) string { return cutAt("\x00")(strings.ReplaceAll(s, "%00", "\x00")) })},
	{ID: "lines", Title: "line by line (^ and $ of a regular expression match at each line break)",
		Why: "a name of several lines is another one when one line is",
		Variants: []Variant{variant("first", "followed by a line break and more", after("\n"+Word)),
			variant("last", "behind a line of something else", before(Word+"\n"))},
		Same: strs(func(known, given string) bool {
			return regexp.MustCompile("(?m)^" + regexp.QuoteMeta(known) + "$").MatchString(given)
		})},
	{ID: "column", Title: "after it is cut to the length of a database column",
		Why:      "a name of 255 characters that begins with another one and spaces is that one",
		Variants: []Variant{variant("", "followed by spaces up to 255 characters and one letter", padded)},
		Same:     readBy(column)},
	{ID: "begins", Title: "by how it begins",
		Why: "every longer name is the same as well",
		Variants: []Variant{variant("digit", "followed by a digit", after("0")),
			variant("more", "followed by another domain", after("."+Word+".example"))},
		Same: strs(func(known, given string) bool { return strings.HasPrefix(given, known) })},
	{ID: "begun", Title: "by its beginning, which may be shorter",
		Why:      "every shorter name is the same as well",
		Variants: []Variant{variant("", "without its last character", func(s string) string { return s[:max(0, len(s)-1)] })},
		Same: strs(func(known, given string) bool {
			return len(given) > len(known)/2 && strings.HasPrefix(known, given)
		})},
	{ID: "ends", Title: "by how it ends",
		Why: "every name that ends so is the same as well",
		Variants: []Variant{variant("letter", "with a letter before it", before("x")),
			variant("more", "behind the URL of another host", before("https://"+Word+".example/"))},
		Same: strs(func(known, given string) bool { return strings.HasSuffix(given, known) })},
	{ID: "ended", Title: "by its end, which may be shorter",
		Why:      "every shorter name is the same as well",
		Variants: []Variant{variant("", "without its first character", func(s string) string { return s[min(1, len(s)):] })},
		Same: strs(func(known, given string) bool {
			return len(given) > len(known)/2 && strings.HasSuffix(known, given)
		})},
	{ID: "contains", Title: "by what it contains",
		Why: "every name that contains it is the same as well",
		Variants: []Variant{variant("", "with a letter before and behind it", func(s string) string {
			return "x" + s + "x"
		})},
		Same: strs(func(known, given string) bool { return strings.Contains(given, known) })},
	{ID: "within", Title: "by whether it is contained in the known one",
		Why:      "a part of a name is that name",
		Variants: []Variant{variant("", "without its first and last character", contained)},
		Same: strs(func(known, given string) bool {
			return len(given) > len(known)/4 && strings.Contains(known, given)
		})},
	{ID: "list", Title: "as a list of which one member fits",
		Why: "a list that names somebody else, too, is taken for one name",
		Variants: []Variant{
			variant("comma", "behind another one and a comma", before(Word+",")),
			variant("space", "behind another one and a space", before(Word+" ")),
			variant("semicolon", "behind another one and a semicolon", before(Word+";"))},
		Same: strs(oneOf)},
}

func otherThanDots(s string) string { return strings.ReplaceAll(s, ".", "x") }

// half is where a pattern begins to stand for the rest.
func half(s string) string { return s[:(len(s)+1)/2] }

func withLast(mark string) func(string) string {
	return func(s string) string { return s[:max(0, len(s)-1)] + mark }
}

func matched(pattern, s string) bool {
	re, err := regexp.Compile("^(?:" + pattern + ")$")
	return err == nil && re.MatchString(s)
}

func globbed(known, given string) bool {
	if !strings.ContainsAny(given, "*?") {
		return false
	}
	pattern := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(given))
	ok, err := path.Match(given, known)
	return matched(pattern, known) || ok && err == nil
}

func like(known, given string) bool {
	return strings.ContainsAny(given, "%_") &&
		matched("(?i)"+strings.NewReplacer("%", ".*", "_", ".").Replace(regexp.QuoteMeta(given)), known)
}

// ofPatterns are ways to take one of the two for a pattern.
var ofPatterns = []Way{
	{ID: "regexp", For: Dotted, Title: "as a regular expression that was made of the known one without escaping",
		Why:      "a dot stands for any character, so that other names match",
		Variants: []Variant{variant("", "with other characters for its dots", otherThanDots)},
		Same:     strs(matched)},
	{ID: "pattern", Title: "as a regular expression that the sender wrote",
		Why: "one pattern is everybody",
		Variants: []Variant{variant("any", "turned into the pattern .*", func(string) string { return ".*" }),
			variant("end", "with a pattern for its second half", func(s string) string { return half(s) + ".*" })},
		Same: strs(func(known, given string) bool { return strings.Contains(given, ".*") && matched(given, known) })},
	{ID: "glob", Title: "with * and ? as wildcards",
		Why: "one pattern is everybody",
		Variants: []Variant{variant("any", "turned into *", func(string) string { return "*" }),
			variant("end", "with * for its second half", func(s string) string { return half(s) + "*" }),
			variant("one", "with ? for its last character", withLast("?"))},
		Same: strs(globbed)},
	{ID: "like", Title: "with LIKE, for which % and _ are wildcards",
		Why: "one pattern is everybody",
		Variants: []Variant{variant("any", "turned into %", func(string) string { return "%" }),
			variant("end", "with % for its second half", func(s string) string { return half(s) + "%" }),
			variant("one", "with _ for its last character", withLast("_"))},
		Same: strs(like)},
}
