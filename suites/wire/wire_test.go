package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/wire"
)

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func client(t *testing.T, b wire.Bounds) *wire.Client {
	t.Helper()
	c := wire.NewClient(b, nil)
	t.Cleanup(c.Close)
	return c
}

func get(t *testing.T, c *wire.Client, url string) *wire.Answer {
	t.Helper()
	return c.Do(t.Context(), &wire.Request{URL: url}, nil, reports.Setup, "")
}

func TestEndlessBodyIsCut(t *testing.T) {
	g := NewWithT(t)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("x", 1<<16)); err != nil {
				return
			}
		}
	})
	a := get(t, client(t, wire.Bounds{Body: 1 << 20}), url)
	g.Expect(a.Err).To(MatchError(wire.ErrTooLarge))
	g.Expect(a.Body).To(HaveLen(1 << 20))
}

func TestSlowDripEndsAtTheTimeBound(t *testing.T) {
	g := NewWithT(t)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-time.After(20 * time.Millisecond):
			case <-r.Context().Done():
			}
		}
	})
	a := get(t, client(t, wire.Bounds{Timeout: 200 * time.Millisecond}), url)
	g.Expect(a.Err).To(MatchError(ContainSubstring("no complete answer within 200ms")))
	g.Expect(a.Status).To(Equal(http.StatusOK), "the status had come")
}

func TestHeaderBombIsRefused(t *testing.T) {
	g := NewWithT(t)
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) })
	g.Expect(get(t, client(t, wire.Bounds{}), url).Err).To(HaveOccurred())
}

func TestRedirectIsAnAnswerAndCarriesNothing(t *testing.T) {
	g := NewWithT(t)
	var elsewhere atomic.Int32
	other := serve(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other+"/token", http.StatusTemporaryRedirect)
	})
	r := &wire.Request{URL: url, Header: http.Header{"Authorization": {"Basic c2VjcmV0"}}}
	r.AddField("assertion", "a.b.c")
	a := client(t, wire.Bounds{}).Do(t.Context(), r, nil, reports.Attack, "")
	g.Expect(a.Status).To(Equal(http.StatusTemporaryRedirect))
	g.Expect(a.Summary()).To(Equal("307 to " + other + "/token"))
	g.Expect(elsewhere.Load()).To(BeZero())
}

func TestThrottledRequestsAreRepeated(t *testing.T) {
	g := NewWithT(t)
	var calls atomic.Int32
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	g.Expect(get(t, client(t, wire.Bounds{}), url).Status).To(Equal(http.StatusOK))
	g.Expect(calls.Load()).To(Equal(int32(2)))
}

func TestErrorsDoNotQuoteTheURL(t *testing.T) {
	g := NewWithT(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	a := get(t, client(t, wire.Bounds{}), gone.URL+"/?access_token=tell-nobody")
	g.Expect(a.Err).To(HaveOccurred())
	g.Expect(a.Err.Error()).NotTo(ContainSubstring("tell-nobody"))
}

func TestEventStreamIsReadUpToTheResponse(t *testing.T) {
	g := NewWithT(t)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, ": hello\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n")
		fmt.Fprint(w, "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\ndata: \"result\":{\"ok\":true}}\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // such a stream stays open
	})
	a := get(t, client(t, wire.Bounds{}), url)
	g.Expect(a.Err).NotTo(HaveOccurred())
	object, err := a.Object()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(object).To(HaveKey("result"))
}

func TestObjectRefusesWhatIsNoObject(t *testing.T) {
	for body, message := range map[string]string{
		"":                         "it is empty",
		"<!doctype html><p>Log in": "it looks like HTML",
		"[1]":                      "JSON but no object",
		`{"a":1}{"b":2}`:           "more behind",
		"plain":                    "no JSON",
	} {
		_, err := (&wire.Answer{Body: []byte(body)}).Object()
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(message)), "body %q", body)
	}
}

func TestCancelledRunStopsAnExchange(t *testing.T) {
	g := NewWithT(t)
	why := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel(why)
		<-r.Context().Done()
	})
	a := client(t, wire.Bounds{}).Do(ctx, &wire.Request{URL: url}, nil, reports.Setup, "")
	g.Expect(a.Err).To(MatchError(why))
}
