package run_test

import (
	"os"
	"testing"

	_ "github.com/emaconform/emaconform/suites/rs" // checks to select
	"github.com/emaconform/emaconform/suites/run"
)

// Runs start workers by re-executing this binary.
func TestMain(m *testing.M) {
	run.WorkerMain()
	os.Exit(m.Run())
}
