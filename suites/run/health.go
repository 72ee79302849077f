package run

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// answers says why the target answers nothing that it can be judged by, or "": both the MCP server and the token endpoint are
// asked, for one can be gone without the other.
func answers(ctx context.Context, w *server.World) string {
	token := &wire.Request{URL: w.Target.TokenEndpoint, Form: []reports.Field{}, Header: http.Header{"Accept": {"application/json"}}}
	for _, r := range []*wire.Request{server.Initialize(w.Config.URL, ""), token} {
		if doubt := w.Wire.Do(ctx, r, nil, reports.Setup, "").Doubt(); doubt != "" {
			return r.URL + ": " + doubt
		}
	}
	return ""
}

// health waits for a target that went away, for all checks together.
type health struct {
	probe  func(context.Context) string // why the target does not answer, or ""
	outage time.Duration                // how long a target may be away
	say    func(string)
	lose   func(string)

	mu     sync.Mutex
	asking chan struct{} // closed when the answer of whoever asks is there; nil when nobody does
	gone   error         // the target was given up
}

// await returns when the target answers, with an error when it does not within the time that it may be away.
func (h *health) await(ctx context.Context) error {
	h.mu.Lock()
	if h.gone != nil {
		h.mu.Unlock()
		return h.gone
	}
	if h.asking == nil {
		h.asking = make(chan struct{})
		go h.ask()
	}
	asking := h.asking
	h.mu.Unlock()
	select {
	case <-asking:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.gone
}

// ask probes the target until it answers or is given up.
func (h *health) ask() {
	ctx, cancel := context.WithTimeout(context.Background(), h.outage)
	defer cancel()
	began := time.Now()
	why, last, told := "", "", false
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		if why = h.probe(ctx); why == "" {
			break
		}
		if ctx.Err() == nil {
			last = why
		}
		if !told && time.Since(began) > time.Second {
			told = true
			h.say(fmt.Sprintf("the target does not answer (%s): waiting for it, up to %s (timing.outage)", last, h.outage))
		}
		select {
		case <-time.After(pause):
			continue
		case <-ctx.Done():
		}
		break
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if why != "" {
		h.gone = fmt.Errorf("the target did not answer for %s (timing.outage): %s", h.outage, last)
		h.lose(h.gone.Error())
	} else if told {
		h.say(fmt.Sprintf("the target answers again after %s; going on", time.Since(began).Round(time.Second)))
	}
	close(h.asking)
	h.asking = nil
}
