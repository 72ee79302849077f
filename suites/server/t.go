package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// T is a running check of a server, with its world to act on.
type T struct {
	*check.T
	*World
	// DPoPNonce is the nonce that the target last gave out for DPoP proofs (RFC 9449 section 8), "" when it gave none.
	DPoPNonce string

	presented map[string]bool // the jtis of ID-JAGs that were sent
	revision  string          // of MCP, that is judged now; see InEach
}

// It declares a check of a server; see check.It.
func It(slug, title string, body func(*T), options ...check.Option) {
	check.It(slug, title, func(t *check.T) { body(&T{T: t, World: t.World.(*World)}) }, options...)
}

// Outside makes a T for what is done outside of a check, in the preflight.
func Outside(ctx context.Context, w *World) *T {
	return &T{T: check.New(ctx, nil, w, wire.NewRecorder(w.Secrets)), World: w}
}

// Get fetches a JSON document, following a few redirects.
func (t *T) Get(url string) (map[string]any, *wire.Answer, error) {
	return target.Fetch(func(r *wire.Request) *wire.Answer { return t.Send(r, reports.Setup, "") }, url)
}

// tries is how often a request is sent until there is an answer to judge by.
const tries = 3

// Send sends any request and records it. When nothing came back that the target can be judged by, the request is sent
// again after the target was seen to answer others; what is still no answer then is the target's way to meet this
// request.
func (t *T) Send(r *wire.Request, part reports.Part, note string) *wire.Answer {
	return t.deliver(func() *wire.Request { return r }, part, note)
}

// unsigned is an assertion without its signature, which may be another one each time that the same is signed.
func unsigned(assertion string) string {
	if end := strings.LastIndexByte(assertion, '.'); end >= 0 {
		return assertion[:end]
	}
	return assertion
}

// deliver sends what build makes, anew for each try. An assertion that is the same as at the try before, whose answer
// was lost, may have been used up then: a refusal of it proves nothing.
func (t *T) deliver(build func() *wire.Request, part reports.Part, note string) *wire.Answer {
	before := ""
	for try := 1; ; try++ {
		r := build()
		said := unsigned(r.Field("assertion"))
		resent := said != "" && said == before
		before = said
		t.prove(r)
		a := t.Wire.Do(t, r, t.Recorder(), part, note)
		if t.Prover != nil {
			t.known.remember(a)
		}
		if nonce := a.Header.Get("DPoP-Nonce"); nonce != "" {
			t.DPoPNonce = nonce
		}
		doubt := a.Doubt()
		if doubt == "" && resent && !Granted(a) {
			t.Doubtf("refused when it was sent again, after its answer was lost: it may have been used up the first time")
		}
		switch {
		case doubt == "" || r.Impatient || t.Err() != nil:
			return a
		case a.Throttled() && t.Check != nil:
			t.Doubtf("%s", doubt)
			t.Inconclusivef("the target answers 429 Too Many Requests: lower --workers, raise timing.retry_after, or raise " +
				"its limit for the test client")
		case try == tries:
			t.weigh(a, part, doubt)
			return a
		case r.Header.Get("DPoP") != "" || r.Method == http.MethodDelete: // not the same when it is sent again
			t.Doubtf("%s", doubt)
			return a
		}
		t.awaitTarget(try)
		note = "again, for there was no answer to judge by"
	}
}

// weigh decides what it means that a request was never answered while others were: the target does not answer this
// input, which is for the check to judge. A gateway's answer is never judged, nor is a control.
func (t *T) weigh(a *wire.Answer, part reports.Part, doubt string) {
	own := a.Err == nil && a.String("error") != "" // an OAuth error with this status is the target's own word
	if part == reports.Attack && (a.Err != nil || own) && t.answersOthers() {
		return
	}
	t.Doubtf("%s", doubt)
}

// answersOthers reports whether an honest request gets through now.
func (t *T) answersOthers() bool {
	if t.Look {
		return t.Wire.Do(t, t.Initialize(t.Config.URL, ""), t.Recorder(), reports.Control,
			"is the target still there?").Doubt() == ""
	}
	again := t.Wire.Do(t, &t.redemption(t.Grant(), nil).Request, t.Recorder(), reports.Control,
		"is the target still there?")
	return again.Doubt() == ""
}

// awaitTarget waits, while the check's clock stands still, until the target answers at all. Before the checks, when
// nobody keeps watch over it yet, a moment must do.
func (t *T) awaitTarget(try int) {
	resume := wire.Pause(t)
	defer resume()
	if t.Await == nil {
		select {
		case <-time.After(time.Duration(try) * 300 * time.Millisecond):
		case <-t.Done():
		}
		return
	}
	if err := t.Await(t); err != nil {
		t.Doubtf("%v", err)
		t.Inconclusivef("%v", err)
	}
}
