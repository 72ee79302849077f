package world

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/signin"
	"github.com/emaconform/emaconform/suites/wire"
)

// T is a running check of an identity provider, with its world to act on.
type T struct {
	*check.T
	*World
}

// It declares a check of an identity provider; see check.It.
func It(slug, title string, body func(*T), options ...check.Option) {
	check.It(slug, title, func(t *check.T) { body(&T{T: t, World: t.World.(*World)}) }, options...)
}

// Outside makes a T for what is done outside of a check, in the preflight.
func Outside(ctx context.Context, w *World) *T {
	return &T{T: check.New(ctx, nil, w, wire.NewRecorder(w.Secrets)), World: w}
}

// tries is how often a request is sent until there is an answer to judge by.
const tries = 3

// Send sends any request and records it. When nothing came back that the identity provider can be judged by, the
// request is sent again after it was seen to answer others; what is still no answer then is its way to meet this
// request.
func (t *T) Send(r *wire.Request, part reports.Part, note string) *wire.Answer {
	return t.deliver(func() *wire.Request { return r }, part, note)
}

// deliver sends what build makes, anew for each try.
func (t *T) deliver(build func() *wire.Request, part reports.Part, note string) *wire.Answer {
	for try := 1; ; try++ {
		r := build()
		a := t.Wire.Do(t, r, t.Recorder(), part, note)
		doubt := a.Doubt()
		switch {
		case doubt == "" || r.Impatient || t.Err() != nil:
			return a
		case a.Throttled():
			t.Doubtf("%s", doubt)
			t.Inconclusivef("the identity provider answers 429 Too Many Requests: lower --workers, or raise its " +
				"limit for the test clients")
		case try == tries:
			t.weigh(a, part, doubt)
			return a
		case r.Header.Get("DPoP") != "" || once(r):
			t.Doubtf("%s", doubt)
			return a
		}
		t.awaitProvider()
		note = "again, for there was no answer to judge by"
	}
}

// once reports whether a request can be sent once alone: a code is used up by whoever lost the answer.
func once(r *wire.Request) bool { return r.Field("grant_type") == "authorization_code" }

// weigh decides what it means that a request was never answered while others were: that is for the check to judge. A
// gateway's answer is never judged, nor is a control.
func (t *T) weigh(a *wire.Answer, part reports.Part, doubt string) {
	own := a.Err == nil && a.String("error") != ""
	if part == reports.Attack && (a.Err != nil || own) {
		again := t.Wire.Do(t, t.form("nothing"), t.Recorder(), reports.Control, "is the identity provider still there?")
		if again.Doubt() == "" {
			return
		}
	}
	t.Doubtf("%s", doubt)
}

// form is a token request with nothing in it but a grant type.
func (t *T) form(grantType string) *wire.Request {
	return &wire.Request{URL: t.Provider.Token, Form: []reports.Field{{Name: "grant_type", Value: grantType}},
		Header: http.Header{"Accept": {"application/json"}}}
}

// awaitProvider waits, while the check's clock stands still, until the identity provider answers at all.
func (t *T) awaitProvider() {
	if t.Await == nil {
		return
	}
	resume := wire.Pause(t)
	defer resume()
	if err := t.Await(t); err != nil {
		t.Doubtf("%v", err)
		t.Inconclusivef("%v", err)
	}
}

// Tokens are those of a user at a client; the check is inconclusive without them.
func (t *T) Tokens(u *config.User, k *config.Client) signin.Tokens {
	tokens, err := t.Desk.Tokens(t, t.Recorder(), signin.Ask{User: u, Client: k})
	if err != nil {
		t.Inconclusivef("%v", err)
	}
	return tokens
}

// Fresh signs a user in anew, for a check that spoils what it gets.
func (t *T) Fresh(ask signin.Ask) signin.Tokens {
	tokens, err := t.Desk.Fresh(t, t.Recorder(), ask)
	if err != nil {
		t.Inconclusivef("%v", err)
	}
	return tokens
}

func encodeJSON(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("cannot be written as JSON: %w", err)
	}
	return raw, nil
}
