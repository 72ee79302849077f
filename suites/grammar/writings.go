package grammar

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/emaconform/emaconform/mockidp/hostile"
)

// The segments of a JWS in compact serialization.
const (
	headerSegment = iota
	payloadSegment
	signatureSegment
)

// issued is the honest JWS, its segments apart.
func (f Forge) issued() []string {
	compact := f.Issued
	if compact == "" {
		compact = hostile.Sign(&f.Honest)
	}
	return strings.Split(compact, ".")
}

// pliable is the honest JWS, its segments apart: with its key, one in which much can be spelled otherwise.
func (f Forge) pliable() []string {
	if f.Honest.Key == nil {
		return f.issued()
	}
	return strings.Split(hostile.SignBytes(f.Honest.Key, f.padded(f.Honest.Header), f.padded(f.Honest.Claims)), ".")
}

// respelt is a JWS with one segment in another spelling. Header and payload are signed as they are spelled, so that
// nothing but the spelling is wrong: that takes the key.
func respelt(segment int, spell func(string) string) func(Forge) (string, bool) {
	return func(f Forge) (string, bool) {
		if f.Honest.Key == nil && (segment != signatureSegment || f.Issued == "") {
			return "", false
		}
		for range 64 { // until it has what can be spelled otherwise
			parts := f.pliable()
			spelt := spell(parts[segment])
			if spelt == parts[segment] {
				if f.Honest.Key == nil {
					return "", false
				}
				continue
			}
			parts[segment] = spelt
			if segment != signatureSegment {
				return hostile.SignInput(f.Honest.Key, parts[headerSegment], parts[payloadSegment]), true
			}
			return strings.Join(parts, "."), true
		}
		return "", false
	}
}

// padded is JSON in which base64url has unused bits and both characters of its own alphabet.
func (f Forge) padded(members map[string]any) []byte {
	raw, err := json.Marshal(members)
	if err != nil {
		panic(err) // was made from JSON
	}
	raw = append(bytes.TrimSuffix(raw, []byte("}")), `,"emaconform":"???>>>??>>?>?>>"}`...)
	for len(raw)%3 == 0 {
		raw = append(raw, ' ')
	}
	return raw
}

// perSegment are the variants of a spelling: one for each segment.
func perSegment(what string, spell func(string) string) []Variant {
	return []Variant{
		{Slug: "header", What: "with " + what + " its header", Write: respelt(headerSegment, spell)},
		{Slug: "payload", What: "with " + what + " its payload", Write: respelt(payloadSegment, spell)},
		{Slug: "signature", What: "with " + what + " its signature", Write: respelt(signatureSegment, spell)},
	}
}

const urlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// unused sets a bit that base64 does not use.
func unused(segment string) string {
	if len(segment)%4 != 2 && len(segment)%4 != 3 {
		return segment
	}
	last := len(segment) - 1
	return segment[:last] + string(urlAlphabet[strings.IndexByte(urlAlphabet, segment[last])|1])
}

// canonical has the unused bits of a segment as they should be.
func canonical(segment string) string {
	if raw, err := base64.RawURLEncoding.DecodeString(segment); err == nil {
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	return segment
}

// inJSON is the JWS in another serialization (RFC 7515 section 7.2).
func inJSON(members func(parts []string) map[string]any) func(Forge) (string, bool) {
	return func(f Forge) (string, bool) {
		parts := f.issued()
		if len(parts) != 3 {
			return "", false
		}
		raw, err := json.Marshal(members(parts))
		return string(raw), err == nil
	}
}

func oneSignature(parts []string) map[string]any {
	return map[string]any{"protected": parts[headerSegment], "signature": parts[signatureSegment]}
}

func flattened(parts []string) map[string]any {
	one := oneSignature(parts)
	one["payload"] = parts[payloadSegment]
	return one
}

// compacted is what a reader of every serialization makes of one in JSON.
func compacted(given string) string {
	var all struct {
		Payload, Protected, Signature string
		Signatures                    []struct{ Protected, Signature string }
	}
	if json.Unmarshal([]byte(given), &all) != nil {
		return given
	}
	if len(all.Signatures) > 0 {
		all.Protected, all.Signature = all.Signatures[0].Protected, all.Signatures[0].Signature
	}
	return all.Protected + "." + all.Payload + "." + all.Signature
}

// rewritten has other bytes as payload, signed.
func rewritten(change func(payload []byte) []byte) func(Forge) (string, bool) {
	return func(f Forge) (string, bool) {
		if f.Honest.Key == nil {
			return "", false
		}
		header, err := json.Marshal(f.Honest.Header)
		if err != nil {
			return "", false
		}
		payload, err := json.Marshal(f.Honest.Claims)
		return hostile.SignBytes(f.Honest.Key, header, change(payload)), err == nil
	}
}

func appended(tail string) func([]byte) []byte {
	return func(payload []byte) []byte { return append(bytes.TrimSuffix(payload, []byte("}")), tail+"}"...) }
}

// inRead puts bytes into a claim that every reader reads: sub, or jti where there is none.
func inRead(more string) func([]byte) []byte {
	return func(payload []byte) []byte {
		for _, name := range []string{`"sub":"`, `"jti":"`} {
			if changed := bytes.Replace(payload, []byte(name), []byte(name+more), 1); len(changed) > len(payload) {
				return changed
			}
		}
		return payload
	}
}

// firstValue is the JSON value that a text begins with.
func firstValue(raw []byte) []byte {
	var value json.RawMessage
	if json.NewDecoder(bytes.NewReader(raw)).Decode(&value) != nil {
		return raw
	}
	return value
}

// uncommented is JSON without comments and commas too many.
func uncommented(raw []byte) []byte {
	return []byte(strings.NewReplacer("/*emaconform*/", "", ",}", "}").Replace(string(raw)))
}

const byteOrderMark = "\xef\xbb\xbf"

var anyWhite = strings.NewReplacer("\r", "", "\n", "", "\t", "", " ", "")

// ofWritings are ways to take a JWT that is not written as RFC 7515 and RFC 7519 have it.
var ofWritings = []Way{
	{ID: "padding", For: JWS, Verb: "read", Title: "without the padding of its base64",
		Why:      "one token has many spellings, and a list of used or revoked ones knows one of them",
		Variants: perSegment("padding behind", func(s string) string { return s + strings.Repeat("=", (4-len(s)%4)%4) }),
		Lenient:  Lenient{Segment: func(s string) string { return strings.TrimRight(s, "=") }}},
	{ID: "alphabet", For: JWS, Verb: "read", Title: "in the other alphabet of base64, too",
		Why:      "one token has many spellings, and a list of used or revoked ones knows one of them",
		Variants: perSegment("the other alphabet of base64 in", strings.NewReplacer("-", "+", "_", "/").Replace),
		Lenient:  Lenient{Segment: strings.NewReplacer("+", "-", "/", "_").Replace}},
	{ID: "breaks", For: JWS, Verb: "read", Title: "without white space within it",
		Why: "one token has many spellings, and a list of used or revoked ones knows one of them",
		Variants: append(perSegment("a line break in", inside("\n")),
			Variant{Slug: "space", What: "with a space in its signature", Write: respelt(signatureSegment, inside(" "))}),
		Lenient: Lenient{Segment: anyWhite.Replace}},
	{ID: "bits", For: JWS, Verb: "read", Title: "without regard to unused bits of its base64",
		Why:      "one token has many spellings, and a list of used or revoked ones knows one of them",
		Variants: perSegment("an unused bit set in", unused),
		Lenient:  Lenient{Segment: canonical}},
	{ID: "json", For: JWS, Verb: "read", Title: "in the JSON serializations of JWS as well",
		Why: "parts of it that are not signed, or signed by others, stand beside those that are",
		Variants: []Variant{
			{Slug: "flattened", What: "in flattened JSON serialization", Write: inJSON(flattened)},
			{Slug: "general", What: "in general JSON serialization", Write: inJSON(func(parts []string) map[string]any {
				return map[string]any{"payload": parts[payloadSegment], "signatures": []any{oneSignature(parts)}}
			})},
			{Slug: "two", What: "in JSON serialization with a second signature, which is wrong",
				Write: inJSON(func(parts []string) map[string]any {
					wrong := map[string]any{"protected": parts[headerSegment], "signature": "AAAA"}
					return map[string]any{"payload": parts[payloadSegment], "signatures": []any{oneSignature(parts), wrong}}
				})},
			{Slug: "unprotected", What: "in JSON serialization with a header that is not signed",
				Write: inJSON(func(parts []string) map[string]any {
					all := flattened(parts)
					all["header"] = map[string]any{"cty": "emaconform"}
					return all
				})},
		},
		Lenient: Lenient{Whole: compacted}},
	{ID: "utf8", For: JWS, Verb: "read", Title: "without what is no UTF-8 in it",
		Why: "names that differ for one reader are the same for the next",
		Variants: []Variant{
			{Slug: "unread", What: "with bytes that are no UTF-8 in a claim that nobody reads",
				Write: rewritten(appended(",\"emaconform\":\"\xff\xfe\""))},
			{Slug: "name", What: "with bytes that are no UTF-8 in the name of a claim that nobody reads",
				Write: rewritten(appended(",\"emaconform\xc3\x28\":true"))},
			{Slug: "read", What: "with a byte that is no UTF-8 in a claim that is read", Write: rewritten(inRead("\xff"))},
			{Slug: "surrogate", What: "with half a surrogate pair, in UTF-8, in a claim that nobody reads",
				Write: rewritten(appended(",\"emaconform\":\"\xed\xa0\x80\""))},
		},
		Lenient: Lenient{Text: func(raw []byte) []byte {
			if utf8.Valid(raw) {
				return raw
			}
			return bytes.ToValidUTF8(raw, nil)
		}}},
	{ID: "mark", For: JWS, Verb: "read", Title: "behind a byte order mark",
		Why: "what one reader refuses the next one takes",
		Variants: []Variant{{What: "with a byte order mark before its claims",
			Write: rewritten(func(payload []byte) []byte { return append([]byte(byteOrderMark), payload...) })}},
		Lenient: Lenient{Text: func(raw []byte) []byte { return bytes.TrimPrefix(raw, []byte(byteOrderMark)) }}},
	{ID: "trailing", For: JWS, Verb: "read", Title: "up to the end of the first JSON value",
		Why: "what stands behind it counts for the next reader",
		Variants: []Variant{
			{Slug: "object", What: "with a second object behind its claims",
				Write: rewritten(func(payload []byte) []byte { return append(payload, `{"sub":"emaconform-nobody"}`...) })},
			{Slug: "text", What: "with text behind its claims",
				Write: rewritten(func(payload []byte) []byte { return append(payload, " emaconform"...) })},
			{Slug: "nul", What: "with a NUL behind its claims",
				Write: rewritten(func(payload []byte) []byte { return append(payload, 0) })},
		},
		Lenient: Lenient{Text: firstValue}},
	{ID: "json5", For: JWS, Verb: "read", Title: "as JSON with comments and commas too many",
		Why: "what one reader refuses the next one takes",
		Variants: []Variant{
			{Slug: "comment", What: "with a comment in its claims", Write: rewritten(appended("/*emaconform*/"))},
			{Slug: "comma", What: "with a comma too many in its claims", Write: rewritten(appended(","))},
		},
		Lenient: Lenient{Text: uncommented}},
}
