package signin

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/emaconform/emaconform/suites/attended"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

//go:embed attended.js
var script string

// intro is what the page shows without JavaScript.
const intro = `<h2>Sign in for emaconform</h2>
<p>Each sign-in has a link. Open it where nobody else is signed in, and sign in as the person that it names.</p>
`

// asking is the page on which a person signs in, once for each ask.
type asking struct {
	*Desk
	mu    sync.Mutex
	at    string // where the page is
	links []*link
	all   chan struct{} // closed when every sign-in is done
}

// link is one sign-in that a person is asked for.
type link struct {
	Ask
	walk *walk
	done bool
	url  string
}

func (l *link) name() string { return l.User.Login + " at " + l.Client.ID }

// Attend serves a page with a link for each sign-in and returns when all are done. The redirect URIs of the clients
// have to be http on loopback: that is where the page hears of the end. say gets a line that tells where the page is.
func (d *Desk) Attend(ctx context.Context, listen string, asks []Ask, say io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := &asking{Desk: d, all: make(chan struct{})}
	addresses := map[string]http.Handler{}
	for _, ask := range asks {
		u, err := url.Parse(ask.Client.RedirectURI)
		if err != nil || u.Scheme != "http" || !target.Loopback(ask.Client.RedirectURI) || u.Port() == "" {
			return fmt.Errorf("clients: the redirect_uri of %s has to be http on loopback with a port for sign_in: attended, "+
				"e.g. http://127.0.0.1:9090/callback", ask.Client.ID)
		}
		l := &link{Ask: ask, walk: d.newWalk(&visit{ctx: ctx, rec: wire.NewRecorder(nil)}, ask,
			Authorization{Redirect: ask.Client.RedirectURI, kept: true})}
		l.url = l.walk.request()
		a.links = append(a.links, l)
		addresses[u.Host] = wire.NotRebound(http.HandlerFunc(a.callback))
	}
	page := &attended.Page{Title: "emaconform: sign in", List: "Sign-ins", Over: "This page is not needed any more",
		Ended: "emaconform goes on with what it has, and says so where it was started.", Intro: intro, Script: script,
		State: a.state}
	addresses[listen] = page.Handler()
	for address, handler := range addresses {
		stop, at, err := attended.Serve(address, handler)
		if err != nil {
			return fmt.Errorf("cannot serve the sign-in page at %s: %w", address, err)
		}
		defer stop()
		if address == listen {
			a.mu.Lock()
			a.at = "http://" + at
			a.mu.Unlock()
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

// item is a sign-in as the page shows it.
type item struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	Kind    string `json:"kind"`
	URL     string `json:"url"`
	Outcome string `json:"outcome,omitempty"`
	Label   string `json:"label,omitempty"`
}

func (a *asking) state(problem string) any {
	a.mu.Lock()
	defer a.mu.Unlock()
	items := make([]item, len(a.links))
	for n, l := range a.links {
		items[n] = item{ID: l.name(), Title: "Sign in as " + l.User.Login, Kind: "for client " + l.Client.ID, URL: l.url}
		if l.done {
			items[n].Outcome, items[n].Label = "pass", "done"
		}
	}
	return map[string]any{"items": items, "problem": problem}
}

// callback is where a sign-in ends.
func (a *asking) callback(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	signedIn, problem := a.end(r.URL.Query())
	if problem != "" {
		attended.Notice(w, http.StatusBadRequest, "This sign-in failed", problem, a.at)
		return
	}
	for _, l := range a.links {
		if !l.done {
			attended.Notice(w, http.StatusOK, "Signed in", signedIn+": done. There are more to do.", a.at)
			return
		}
	}
	attended.Notice(w, http.StatusOK, "Signed in", "All sign-ins are done. You can close this page; the run goes on.", "")
	select {
	case <-a.all:
	default:
		close(a.all)
	}
}

// end redeems the code of a sign-in, and says whose it was, or what is wrong.
func (a *asking) end(q url.Values) (signedIn, problem string) {
	for _, l := range a.links {
		if l.walk.State != q.Get("state") || l.done {
			continue
		}
		if q.Get("code") == "" {
			return "", fmt.Sprintf("The sign-in of %s to %s ended with %s.", l.User.Login, l.Client.ID, outcome(q))
		}
		t, err := a.redeem(l.walk.visit, l.Client, field("grant_type", "authorization_code"), field("code", q.Get("code")),
			field("redirect_uri", l.Client.RedirectURI), field("code_verifier", l.walk.Verifier))
		if err != nil {
			return "", printable(err.Error())
		}
		a.Keep(l.Ask, t)
		l.done = true
		return l.name(), ""
	}
	return "", "This sign-in was not begun on this page, or is over."
}
