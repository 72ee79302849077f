package server

import (
	"fmt"
	"testing"
)

func TestAudienceOf(t *testing.T) {
	for want, aud := range map[string]any{"[a]": "a", "[a b]": []any{"a", "b"}, "[b]": []any{1, "b"}, "[]": nil} {
		if got := AudienceOf(map[string]any{"aud": aud}); want != fmt.Sprint(got) {
			t.Errorf("aud %v is read as %v", aud, got)
		}
	}
}
