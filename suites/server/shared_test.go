package server

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/emaconform/emaconform/suites/wire"
)

// Every attack stands between two honest requests of its kind, however many share them.
func TestSharedControlsStandAroundEachAttack(t *testing.T) {
	var mu sync.Mutex
	var order []string // as the target sees it
	endpoint := against(t, func(w http.ResponseWriter, r *http.Request) {
		who := r.FormValue("attack")
		mu.Lock()
		order = append(order, who)
		mu.Unlock()
		if who == "" {
			grants(w)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
	})
	const attacks = 30
	var all sync.WaitGroup
	for i := range attacks {
		all.Go(func() {
			run := Outside(endpoint.Context, endpoint.World)
			name := string(rune('a' + i))
			control, attacked := run.Beside(plain, func() *wire.Answer { return run.Attack(run.Grant(), Param("attack", name)) })
			if !Granted(control) || Granted(attacked) {
				t.Errorf("attack %d: control %s, attack %s", i, control.Summary(), attacked.Summary())
			}
			if n := run.Recorder().Len(); n != 2 {
				t.Errorf("attack %d has %d exchanges in its record, expected its own and the control", i, n)
			}
		})
	}
	all.Wait()
	if len(order) > 0 && (order[0] != "" || order[len(order)-1] != "") {
		t.Errorf("an attack stands at the beginning or the end: %q", order)
	}
}

// Where honest requests are not taken any more, a refusal proves nothing.
func TestNothingIsSaidWithoutAControl(t *testing.T) {
	for name, taken := range map[string]int32{"before": 0, "after": 1} {
		t.Run(name, func(t *testing.T) {
			var honest atomic.Int32
			run := against(t, func(w http.ResponseWriter, r *http.Request) {
				if r.FormValue("attack") == "" && honest.Add(1) <= taken {
					grants(w)
					return
				}
				w.WriteHeader(http.StatusBadRequest)
			})
			ended := func() (ended any) {
				defer func() { ended = recover() }()
				run.Beside(plain, func() *wire.Answer { return run.Attack(run.Grant(), Param("attack", "yes")) })
				return nil
			}()
			if ended == nil {
				t.Error("the check went on")
			}
		})
	}
}
