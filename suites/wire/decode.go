package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/emaconform/emaconform/reports"
)

// Decode shows a token without its signature. What cannot be decoded is described, never quoted in full.
func Decode(token string) reports.Token {
	parts := strings.Split(token, ".")
	if len(parts) < 2 {
		return reports.Token{Note: fmt.Sprintf("opaque, %d characters", len(token))}
	}
	t := reports.Token{Header: decodePart(parts[0])}
	if len(parts) == 5 {
		t.Note = "encrypted (JWE)"
		return t
	}
	t.Claims = decodePart(parts[1])
	switch {
	case len(parts) == 2:
		t.Note = "no signature part"
	case len(parts) > 3:
		t.Note = fmt.Sprintf("%d parts", len(parts))
	case parts[2] == "":
		t.Note = "empty signature"
	default:
		t.Note = fmt.Sprintf("signature cut, %d characters", len(parts[2]))
	}
	return t
}

func decodePart(part string) string {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return fmt.Sprintf("not base64url, %d characters", len(part))
	}
	if len(raw) > keptBody {
		return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(string(raw[:200]), "�"), len(raw))
	}
	var indented bytes.Buffer
	if json.Indent(&indented, raw, "", "  ") != nil {
		return strings.ToValidUTF8(string(raw), "�")
	}
	return strings.ToValidUTF8(indented.String(), "�")
}
