package signin

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	_ "embed"

	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

//go:embed attended.html
var attendedHTML string

var attendedPage = template.Must(template.New("attended").Parse(attendedHTML))

// attended is the page on which a person signs in, once for each ask.
type attended struct {
	*Desk
	mu      sync.Mutex
	ctx     context.Context
	links   []*link
	problem string
	all     chan struct{} // closed when every sign-in is done
}

// link is one sign-in that a person is asked for.
type link struct {
	Ask
	walk *walk
	Done bool
	URL  string
}

// Attend serves a page with a link for each sign-in and returns when all are done. The redirect URIs of the clients
// have to be http on loopback: that is where the page hears of the end. say gets a line that tells where the page is.
func (d *Desk) Attend(ctx context.Context, listen string, asks []Ask, say io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := &attended{Desk: d, ctx: ctx, all: make(chan struct{})}
	callbacks := map[string]*http.ServeMux{}
	for _, ask := range asks {
		u, err := url.Parse(ask.Client.RedirectURI)
		if err != nil || u.Scheme != "http" || !target.Loopback(ask.Client.RedirectURI) || u.Port() == "" {
			return fmt.Errorf("clients: the redirect_uri of %s has to be http on loopback with a port for sign_in: attended, "+
				"e.g. http://127.0.0.1:9090/callback", ask.Client.ID)
		}
		l := &link{Ask: ask, walk: d.newWalk(&visit{ctx: ctx, rec: wire.NewRecorder(nil)}, ask,
			Authorization{Redirect: ask.Client.RedirectURI})}
		l.URL = l.walk.request()
		a.links = append(a.links, l)
		if callbacks[u.Host] == nil {
			callbacks[u.Host] = http.NewServeMux()
			callbacks[u.Host].HandleFunc("/", a.callback)
		}
	}
	page := http.NewServeMux()
	page.HandleFunc("GET /{$}", a.page)
	addresses := map[string]http.Handler{listen: wire.NotRebound(http.NewCrossOriginProtection().Handler(page))}
	for host, mux := range callbacks {
		addresses[host] = wire.NotRebound(mux)
	}
	for address, handler := range addresses {
		stop, at, err := serve(address, handler)
		if err != nil {
			return fmt.Errorf("cannot serve the sign-in page at %s: %w", address, err)
		}
		defer stop()
		if address == listen {
			fmt.Fprintf(say, "Open http://%s in a browser and sign in. Ctrl-C ends the run.\n", at)
		}
	}
	select {
	case <-a.all:
		return nil
	case <-ctx.Done():
		return errors.New("nobody signed in on the page")
	}
}

func serve(address string, h http.Handler) (stop func(), at string, err error) {
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
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if s.Shutdown(ctx) != nil {
			_ = s.Close()
		}
		<-ended
	}, listener.Addr().String(), nil
}

func (a *attended) page(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.write(w, http.StatusOK)
}

func (a *attended) write(w http.ResponseWriter, status int) {
	done := 0
	for _, l := range a.links {
		if l.Done {
			done++
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_ = attendedPage.Execute(w, map[string]any{"Links": a.links, "Problem": a.problem, "Done": done,
		"All": done == len(a.links)})
}

// callback is where a sign-in ends.
func (a *attended) callback(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := r.URL.Query()
	a.problem = a.end(q)
	status := http.StatusOK
	if a.problem != "" {
		status = http.StatusBadRequest
	}
	a.write(w, status)
	for _, l := range a.links {
		if !l.Done {
			return
		}
	}
	select {
	case <-a.all:
	default:
		close(a.all)
	}
}

// end redeems the code of a sign-in, and says what is wrong.
func (a *attended) end(q url.Values) string {
	for _, l := range a.links {
		if l.walk.State != q.Get("state") || l.Done {
			continue
		}
		if q.Get("code") == "" {
			return fmt.Sprintf("The sign-in of %s to %s ended with %s.", l.User.Login, l.Client.ID, outcome(q))
		}
		t, err := a.redeem(l.walk.visit, l.Client, field("grant_type", "authorization_code"), field("code", q.Get("code")),
			field("redirect_uri", l.Client.RedirectURI), field("code_verifier", l.walk.Verifier))
		if err != nil {
			return printable(err.Error())
		}
		a.Keep(l.Ask, t)
		l.Done = true
		return ""
	}
	return "This sign-in was not begun on this page, or is over."
}
