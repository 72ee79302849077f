// Package attended serves the pages that walk a person through what only a person can do: running an application,
// signing in. All look alike: what there is to do on the left, what to do now on the right, and nothing to reload.
package attended

import (
	"context"
	"embed"
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"text/template"
	"time"

	"github.com/gorilla/mux"

	"github.com/emaconform/emaconform/suites/wire"
)

// Page is such a page. Its texts are the program's own; what others say comes in its state, and is shown as text.
type Page struct {
	Title  string // of the window
	List   string // heads the list of what there is to do
	Finish string // the label of the button that ends it by POST finish; "" has none
	Over   string // heads what the page says when nobody serves it any more
	Ended  string // and that
	Intro  string // HTML, shown until something is chosen
	// Script is the part of the page in JavaScript: main(state) shows what to do now, and choose(id) is called with the
	// item that was clicked. show, el, text, problem, button and load are there to be used.
	Script string
	// State is what the page shows, as JSON: an object with items, each with id, title and kind, and outcome when it is
	// done. problem is what went wrong with the last thing that the person did, "" when nothing did.
	State func(problem string) any
	Do    map[string]func(*http.Request) error // by path: what the person does

	mu      sync.Mutex
	problem string
}

//go:embed *.html
var html embed.FS

var pages = template.Must(template.ParseFS(html, "*.html"))

//go:embed style.css
var style string

// Style is how the pages look.
func (*Page) Style() string { return style }

// Handler serves the page, to browsers of this machine that were led to nowhere else.
func (p *Page) Handler() http.Handler {
	m := mux.NewRouter()
	m.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		head(w, "text/html; charset=utf-8", http.StatusOK)
		_ = pages.ExecuteTemplate(w, "page.html", p) // a page that is gone needs no answer
	}).Methods(http.MethodGet)
	m.HandleFunc("/state", func(w http.ResponseWriter, _ *http.Request) { p.answer(w) }).Methods(http.MethodGet)
	for path, do := range p.Do {
		m.HandleFunc("/"+path, func(w http.ResponseWriter, r *http.Request) {
			p.note(do(r))
			p.answer(w)
		}).Methods(http.MethodPost)
	}
	return wire.NotRebound(http.NewCrossOriginProtection().Handler(m))
}

// note keeps what went wrong until the person does something else.
func (p *Page) note(failed error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.problem = ""; failed != nil {
		p.problem = failed.Error()
	}
}

func (p *Page) answer(w http.ResponseWriter) {
	p.mu.Lock()
	problem := p.problem
	p.mu.Unlock()
	head(w, "application/json", http.StatusOK)
	_ = json.NewEncoder(w).Encode(p.State(problem)) // as above
}

func head(w http.ResponseWriter, mediaType string, status int) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
}

// Notice shows a line at the end of something that led away from the page, and the way back to it. A status of 400 and
// more is a problem.
func Notice(w http.ResponseWriter, status int, title, line, back string) {
	head(w, "text/html; charset=utf-8", status)
	escape := template.HTMLEscapeString
	_ = pages.ExecuteTemplate(w, "notice.html", map[string]any{ // as above
		"Style": style, "Title": escape(title), "Line": escape(line), "Back": escape(back),
		"Problem": status >= http.StatusBadRequest,
	})
}

// Serve serves a handler at an address until stop is called; at is where that is.
func Serve(address string, h http.Handler) (stop func(), at string, err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, "", err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(listener) // ends with ErrServerClosed
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if s.Shutdown(ctx) != nil {
			_ = s.Close()
		}
		<-ended
	}, listener.Addr().String(), nil
}
