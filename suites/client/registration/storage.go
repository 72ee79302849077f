package registration

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-CREDENTIAL-STORAGE", func() {
	const meets = "An honest world, and a home directory of its own, which is searched afterwards"
	It("others", "leaves no token where other users can read it",
		Homely.Honest(meets).From(Through), func(t *T) { keepsOut(t, "other users of the machine can read it", 0o044) },
		check.Must())
	It("plain", "leaves no token in a file as it is",
		Homely.Honest(meets).From(Through), func(t *T) { keepsOut(t, "every program of the user can read it", fs.ModePerm) },
		check.Should())
})

// keepsOut fails when a token stands in a file with any of these permissions.
func keepsOut(t *T, why string, permissions fs.FileMode) {
	if !t.Succeeded() {
		t.Missing("got through")
	}
	for _, file := range t.Files {
		kinds := slices.DeleteFunc(t.World.In(file.Text), func(kind string) bool {
			return kind == world.Code || kind == world.Verifier // of no use any more
		})
		if len(kinds) > 0 && file.Mode&permissions != 0 {
			t.Failf("expected tokens in the platform's secure storage, but ~/%s (%s) holds the %s: %s",
				file.Name, file.Mode, strings.Join(kinds, ", the "), why)
		}
	}
}
