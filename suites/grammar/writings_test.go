package grammar

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
)

// strictly reads a JWT as it should be: no other spelling gets through.
func strictly(written string, l Lenient) (claims map[string]any, read, ok bool) {
	if l.Whole != nil {
		written = l.Whole(written)
	}
	parts := strings.Split(written, ".")
	for i, part := range parts {
		if l.Segment != nil {
			part = l.Segment(part)
		}
		raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil || strings.ContainsAny(part, "\r\n") {
			return nil, false, false
		}
		if i == payloadSegment {
			if l.Text != nil {
				raw = l.Text(raw)
			}
			ok = utf8.Valid(raw) && json.Unmarshal(raw, &claims) == nil
		}
	}
	return claims, ok, len(parts) == 3
}

// A way's own mistake reads what it writes, and nobody else does.
func TestEachWritingIsReadByItsMistake(t *testing.T) {
	key := newKey(t)
	with := Forge{Honest: *mockidp.NewToken(key, "JWT", map[string]any{"sub": "alice"})}
	for _, w := range ofWritings {
		for _, v := range w.Variants {
			written, ok := v.Write(with)
			if !ok {
				t.Errorf("%s/%s cannot be written with an ES256 key", w.ID, v.Slug)
				continue
			}
			if _, read, ok := strictly(written, Lenient{}); read && ok {
				t.Errorf("%s/%s is written as it should be", w.ID, v.Slug)
			}
			claims, read, ok := strictly(written, w.Lenient)
			if !read || !ok || claims["sub"] != "alice" {
				t.Errorf("%s/%s is not read by the mistake that should read it", w.ID, v.Slug)
			}
		}
	}
}

// What others have issued can be spelled otherwise where that needs no key.
func TestIssuedTokensAreSpelledWithoutTheirKey(t *testing.T) {
	issued := hostile.Sign(mockidp.NewToken(newKey(t), string(jose.ES256), map[string]any{"sub": "alice"}))
	written := 0
	for _, w := range ofWritings {
		for _, v := range w.Variants {
			if given, ok := v.Write(Forge{Issued: issued}); ok {
				written++
				if given == issued {
					t.Errorf("%s/%s changes nothing", w.ID, v.Slug)
				}
			}
		}
	}
	if written < 7 {
		t.Errorf("%d spellings can be made without a key", written)
	}
}
