package ras

import (
	"fmt"
	"reflect"
	"testing"
)

// An attack is worth nothing when its value comes out the same as the honest one.
func TestVariantsDiffer(t *testing.T) {
	for _, honest := range []string{"https://as.example/", "https://AS.EXAMPLE", "http://127.0.0.1:8080/oauth"} {
		for name, variant := range map[string]string{"case": otherCase(honest), "slash": otherSlash(honest)} {
			if variant == honest {
				t.Errorf("%s of %s is the same", name, honest)
			}
		}
		if twice := otherSlash(otherSlash(honest)); twice != honest {
			t.Errorf("the slash of %s does not come back: %s", honest, twice)
		}
	}
	for _, l := range nearEmails {
		const honest = "carol@acme.example"
		if variant := l.of(honest); variant == honest {
			t.Errorf("%s: %s is the same", l.slug, variant)
		}
	}
}

func TestAudienceOf(t *testing.T) {
	for want, aud := range map[string]any{"[a]": "a", "[a b]": []any{"a", "b"}, "[b]": []any{1, "b"}, "[]": nil} {
		if got := audienceOf(map[string]any{"aud": aud}); want != fmt.Sprint(got) {
			t.Errorf("aud %v is read as %v", aud, got)
		}
	}
}

func TestPathOf(t *testing.T) {
	for resource, want := range map[string]string{
		"https://mcp.example/mcp": "/mcp", "https://mcp.example": "/", "https://mcp.example/a%2Fb": "/a%2Fb",
	} {
		if got := pathOf(resource); got != want {
			t.Errorf("path of %s: %s, expected %s", resource, got, want)
		}
	}
}

func TestLeaves(t *testing.T) {
	value := map[string]any{"type": "notes", "actions": []any{"read", "write"}, "of": map[string]any{"id": 7}}
	want := map[string]bool{"notes": true, "read": true, "write": true, "7": true}
	if got := leaves(value, map[string]bool{}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, expected %v", got, want)
	}
}
