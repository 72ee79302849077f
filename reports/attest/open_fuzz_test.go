package attest

import (
	"testing"

	"github.com/emaconform/emaconform/mockidp/mutate"
)

// A statement is read whatever is in it: what is taken fits together, and errors are short.
func FuzzOpen(f *testing.F) {
	private, _, err := NewKey()
	if err != nil {
		f.Fatal(err)
	}
	key, err := ParseKey(private)
	if err != nil {
		f.Fatal(err)
	}
	payload, _, err := Statement(judged(), []byte("report"), known)
	if err != nil {
		f.Fatal(err)
	}
	envelope, err := Sign(f.Context(), key, payload)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(envelope), string(payload), `{"payload":"%"}`,
		`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{}]}`,
		`{"_type":"https://in-toto.io/Statement/v1","subject":[null]}`} {
		mutate.Add(f, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if o, err := Open(raw); err != nil && len(err.Error()) > 2000 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		} else if err == nil && len(o.Subjects) == 0 {
			t.Error("it speaks of nothing")
		}
	})
}
