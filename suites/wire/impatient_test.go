package wire_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/wire"
)

func TestImpatientTakesA429ForAnAnswer(t *testing.T) {
	var requests atomic.Int32
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	a := client(t, wire.Bounds{}).Do(t.Context(), &wire.Request{URL: url, Impatient: true}, nil, reports.Attack, "")
	if !a.Throttled() || requests.Load() != 1 {
		t.Errorf("got %s after %d requests, expected a 429 after one", a.Summary(), requests.Load())
	}
}
