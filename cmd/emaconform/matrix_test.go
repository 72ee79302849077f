package main

import (
	"testing"

	"github.com/emaconform/emaconform/suites/matrix"
	"github.com/emaconform/emaconform/suites/matrix/roles"
)

// Every check can fail, every defect is noticed, every requirement is accounted for.
func TestKillMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the suite against hundreds of targets")
	}
	list, err := roles.ServerDefects(nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := roles.Server(t.Context(), list, false, func(matrix.Row) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range m.Problems() {
		t.Error(problem)
	}
	t.Logf("%d defects, %d checks", len(m.Rows), len(m.Correct.Checks))
}
