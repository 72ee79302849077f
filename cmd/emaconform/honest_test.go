package main

import (
	"testing"

	"github.com/emaconform/emaconform/suites/matrix"
	"github.com/emaconform/emaconform/suites/matrix/roles"
)

// No check fails for a choice that the texts leave open, and none warns without a stated reason.
func TestHonestMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the suite against several targets")
	}
	l, err := roles.LawfulOf("server")
	if err != nil {
		t.Fatal(err)
	}
	h, err := matrix.Honest(t.Context(), l.All, l.Runs, l.Judge, func([]string) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range h.Problems {
		t.Error(problem)
	}
	for _, w := range h.Warnings {
		t.Logf("%s warns with %s: %s", w.Check, w.Variant, w.Reason)
	}
}
