package server

import (
	"net/http"
	"testing"
)

// A target that takes each assertion once, and of which the first answer is lost, says nothing when it refuses one that
// was made by hand and had to be sent again; one that we sign comes with a fresh jti, and is granted.
func TestRefusalOfWhatWasSentAgainIsDoubted(t *testing.T) {
	for name, c := range map[string]struct {
		byHand bool
		lost   bool
		doubts int
	}{
		"by hand, the answer is lost": {true, true, 1},
		"by hand, refused at once":    {true, false, 0},
		"signed, the answer is lost":  {false, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			used := map[string]bool{}
			run := against(t, func(w http.ResponseWriter, r *http.Request) {
				assertion := r.FormValue("assertion")
				switch {
				case c.lost && len(used) == 0:
					used[assertion] = true
					panic(http.ErrAbortHandler)
				case used[assertion] || !c.lost:
					w.WriteHeader(http.StatusBadRequest)
				default:
					grants(w)
				}
			})
			var assertion any = run.Grant()
			if c.byHand {
				assertion = run.compact(assertion)
			}
			if run.Redeem(assertion); len(run.Doubts()) != c.doubts {
				t.Errorf("doubts: %q", run.Doubts())
			}
		})
	}
}
