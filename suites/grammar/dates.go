package grammar

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// dated is a variant of a date.
func dated(slug, what string, of func(seconds int64) any) Variant {
	return Variant{Slug: slug, What: what, Of: func(right string) (any, bool) {
		seconds, err := strconv.ParseInt(right, 10, 64)
		if err != nil {
			return nil, false
		}
		return of(seconds), true
	}}
}

// readAs is the mistake of a way of reading dates: what this reads as the right one is the right one.
func readAs(read func(given any) (seconds float64, ok bool)) func(string, any) bool {
	return func(known string, given any) bool {
		seconds, ok := read(given)
		right, err := strconv.ParseFloat(known, 64)
		return ok && err == nil && seconds == right
	}
}

// seconds reads a number as encoding/json has it, with UseNumber or without.
func seconds(given any) (float64, bool) {
	switch n := given.(type) {
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	case float64:
		return n, true
	}
	return 0, false
}

func formatted(layout string) func(any) (float64, bool) {
	return func(given any) (float64, bool) {
		text, _ := given.(string)
		at, err := time.Parse(layout, text)
		return float64(at.Unix()), err == nil
	}
}

func inArray(given any) (float64, bool) {
	list, _ := given.([]any)
	if len(list) != 1 {
		return 0, false
	}
	if inner, nested := list[0].([]any); nested {
		return inArray(inner)
	}
	if text, ok := list[0].(string); ok {
		return fromText(text)
	}
	return seconds(list[0])
}

// fromText reads what every language's conversion of text to a number takes.
func fromText(given any) (float64, bool) {
	text, _ := given.(string)
	text = strings.TrimSpace(text)
	if hex, ok := strings.CutPrefix(text, "0x"); ok {
		n, err := strconv.ParseInt(hex, 16, 64)
		return float64(n), err == nil
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}

func inObject(given any) (float64, bool) {
	object, _ := given.(map[string]any)
	return seconds(object["seconds"])
}

// between reads numbers of this range as something else than seconds.
func between(low, high float64, of func(n float64) float64) func(any) (float64, bool) {
	return func(given any) (float64, bool) {
		n, ok := seconds(given)
		return of(n), ok && n >= low && n < high
	}
}

func over(unit float64) func(float64) float64 { return func(n float64) float64 { return n / unit } }

func text(s int64) string { return strconv.FormatInt(s, 10) }

// dateWay is a way of reading dates.
func dateWay(id, title string, read func(any) (float64, bool), variants ...Variant) Way {
	return Way{ID: "as-" + id, For: Date, Verb: "read", Title: title, Variants: variants, Same: readAs(read), Read: read,
		Why: "a token lives as long as one reader of its dates says, and not as long as the next one does"}
}

// ofDates are ways to read what is no NumericDate (RFC 7519 section 2) as a date.
var ofDates = []Way{
	dateWay("iso", "as an ISO 8601 date", formatted(time.RFC3339),
		dated("", "as an ISO 8601 date", func(s int64) any { return time.Unix(s, 0).UTC().Format(time.RFC3339) })),
	dateWay("http", "as a date of HTTP", formatted(http.TimeFormat),
		dated("", "as a date of HTTP", func(s int64) any { return time.Unix(s, 0).UTC().Format(http.TimeFormat) })),
	dateWay("text", "after text is turned into a number", fromText,
		dated("digits", "as a string of digits", func(s int64) any { return text(s) }),
		dated("space", "as a string of digits with a space before it", func(s int64) any { return " " + text(s) }),
		dated("fraction", "as a string of digits and a fraction", func(s int64) any { return text(s) + ".0" }),
		dated("hex", "as a string of hexadecimal digits", func(s int64) any { return "0x" + strconv.FormatInt(s, 16) })),
	dateWay("array", "out of an array", inArray,
		dated("one", "in an array", func(s int64) any { return []any{s} }),
		dated("nested", "in an array within an array", func(s int64) any { return []any{[]any{s}} }),
		dated("text", "as a string of digits in an array", func(s int64) any { return []any{text(s)} })),
	dateWay("object", "out of an object", inObject,
		dated("", "in an object", func(s int64) any { return map[string]any{"seconds": s, "$date": s * 1000} })),
	dateWay("boolean", "as a number, when it is true", func(given any) (float64, bool) {
		return float64(time.Now().Unix() - 1), given == true
	}, dated("", "replaced by true", func(int64) any { return true })),
	dateWay("milliseconds", "in milliseconds, when it is large", between(1e11, 1e14, over(1e3)),
		dated("", "in milliseconds", func(s int64) any { return s * 1e3 })),
	dateWay("microseconds", "in microseconds, when it is very large", between(1e14, 1e17, over(1e6)),
		dated("", "in microseconds", func(s int64) any { return s * 1e6 })),
	dateWay("32-bits", "in its last 32 bits", between(1<<32, 1e11, func(n float64) float64 { return math.Mod(n, 1<<32) }),
		dated("", "with a 33rd bit", func(s int64) any { return s + 1<<32 })),
	dateWay("absolute", "without its sign", between(math.Inf(-1), 0, func(n float64) float64 { return -n }),
		dated("", "with a minus before it", func(s int64) any { return -s })),
}
