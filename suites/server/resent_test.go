package server

import (
	"net/http"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
)

// A target that takes each assertion once, and of which the first answer is lost, says nothing when it refuses one that
// was made by hand and had to be sent again; one that we sign comes with a fresh jti, and is granted.
func TestRefusalOfWhatWasSentAgainIsDoubted(t *testing.T) {
	for name, c := range map[string]struct {
		byHand bool
		jti    string // of the assertion's own choice, which has to stay as it is
		lost   bool
		doubts int
	}{
		"by hand, the answer is lost":   {true, "", true, 1},
		"by hand, refused at once":      {true, "", false, 0},
		"signed, the answer is lost":    {false, "", true, 0},
		"under a jti that is an attack": {false, "one", true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			used := map[string]bool{}
			run := against(t, func(w http.ResponseWriter, r *http.Request) {
				assertion := unsigned(r.FormValue("assertion"))
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
			key, err := mockidp.NewKey(jose.ES256) // which never signs alike
			if err != nil {
				t.Fatal(err)
			}
			grant := run.Grant(SignedBy(key))
			if c.jti != "" {
				grant.Claims["jti"] = c.jti
			}
			var assertion any = grant
			if c.byHand {
				assertion = run.compact(assertion)
			}
			if run.Redeem(assertion); len(run.Doubts()) != c.doubts {
				t.Errorf("doubts: %q", run.Doubts())
			}
		})
	}
}
