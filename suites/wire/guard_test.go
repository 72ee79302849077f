package wire_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/wire"
)

func TestPagesAnswerForNoName(t *testing.T) {
	g := NewWithT(t)
	page := wire.NotRebound(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
	}))
	for host, let := range map[string]bool{
		"127.0.0.1:8639": true, "localhost:8639": true, "LOCALHOST": true, "[::1]:8639": true, "192.0.2.7": true,
		"a.localhost":  true,
		"evil.example": false, "evil.example:8639": false, "127.0.0.1.evil.example": false,
		"localhost.evil.example": false, "": false,
	} {
		req := httptest.NewRequest(http.MethodGet, "/state", nil)
		req.Host = host
		w := httptest.NewRecorder()
		page.ServeHTTP(w, req)
		g.Expect(w.Code == http.StatusOK).To(Equal(let), host)
	}
}

func TestUserAgent(t *testing.T) {
	g := NewWithT(t)
	var seen string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.UserAgent() }))
	t.Cleanup(s.Close)
	for agent, want := range map[string]string{"": "emaconform", "curl/8.14": "curl/8.14"} {
		c := wire.NewClient(wire.Bounds{}, nil)
		t.Cleanup(c.Close)
		c.As(agent)
		c.Do(context.Background(), &wire.Request{URL: s.URL}, nil, reports.Setup, "")
		g.Expect(seen).To(Equal(want))
	}
}
