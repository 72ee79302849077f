package tokens

import (
	"reflect"
	"testing"
)

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
