package signin

import (
	"testing"

	"github.com/emaconform/emaconform/mockidp/mutate"
)

// What a command prints as tokens is read whatever it is, and errors quote nothing of it.
func FuzzParse(f *testing.F) {
	for _, text := range []string{`{"id_token":"a.b.c"}`,
		`{"refresh_token":"r","id_token":"eyJhbGciOiJub25lIn0.eyJleHAiOjFlOTk5fQ."}`,
		`{"id_token":"eyJhbGciOiJub25lIn0.eyJleHAiOiJ4In0."}`, `{"access_token":{}}`, `null`, `[]`} {
		mutate.Add(f, []byte(text))
	}
	const said = 120 // more than the errors say themselves
	f.Fuzz(func(t *testing.T, raw []byte) {
		tokens, err := parse(raw)
		if err != nil && len(err.Error()) > said {
			t.Errorf("the error has %d bytes", len(err.Error()))
		}
		_, _ = tokens.expires()
	})
}
