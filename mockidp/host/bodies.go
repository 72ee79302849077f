package host

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/emaconform/emaconform/mockidp/internal/web"
)

const (
	maxBodies     = 32 << 20 // bytes of bodies that are being read, of all requests together
	maxParameters = 500      // in a query
)

// bodies bounds what requests hold while they are answered: a thousand slow clients with a large form each would fill
// the memory, however small one form may be.
type bodies struct {
	held    atomic.Int64
	refused atomic.Int64 // requests, for there was no room
	log     func(string)
}

// bounded lets a handler read bodies as long as there is room, and answers for it when there is none.
func (b *bodies) bounded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Count(r.URL.RawQuery, "&") > maxParameters {
			b.refused.Add(1)
			web.JSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_request",
				"error_description": "the query has more parameters than anybody needs"})
			return
		}
		body := &held{ReadCloser: r.Body, all: b}
		defer func() { b.held.Add(-body.bytes) }()
		r.Body = body
		h.ServeHTTP(w, r)
	})
}

// held is a body that counts.
type held struct {
	io.ReadCloser
	all   *bodies
	bytes int64
}

func (h *held) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	h.bytes += int64(n)
	if h.all.held.Add(int64(n)) > maxBodies {
		h.all.refused.Add(1)
		h.all.log("requests are refused: too many large ones at once")
		return n, web.ErrBusy
	}
	return n, err
}
