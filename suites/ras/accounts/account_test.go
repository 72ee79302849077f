package accounts

import (
	"testing"
)

func TestNearEmailsDiffer(t *testing.T) {
	for _, l := range nearEmails {
		const honest = "carol@acme.example"
		if variant := l.of(honest); variant == honest {
			t.Errorf("%s: %s is the same", l.slug, variant)
		}
	}
}
