package run_test

import (
	"os"
	"testing"

	"github.com/emaconform/emaconform/suites/engine"
	_ "github.com/emaconform/emaconform/suites/rs" // checks to select
)

// Runs start workers by re-executing this binary.
func TestMain(m *testing.M) {
	engine.WorkerMain()
	os.Exit(m.Run())
}
