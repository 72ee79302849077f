package program

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/emaconform/emaconform/suites/client/world"
)

// How a login in the stand-in for a browser goes on.
const (
	lookForLogins = 20 * time.Millisecond
	maxRedirects  = 10
	loginPatience = 10 * time.Second
)

// follow completes logins: what the client opens at the world's IdP is opened, as a browser would, with its redirects
// to the client's own listener. It leaves this machine's loopback for nobody, and opens no consent page. It ends with
// ctx.
func (b *browser) follow(ctx context.Context, w *world.World) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return // there is always one
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.Roots(), MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	user := &http.Client{Jar: jar, Transport: transport, Timeout: loginPatience, CheckRedirect: staysOnLoopback}
	tick := time.NewTicker(lookForLogins)
	defer tick.Stop()
	for done := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		opened := b.opened()
		end := bytes.LastIndexByte(opened, '\n') + 1 // the rest is still being written
		if end <= done {
			continue
		}
		for _, line := range strings.Split(strings.TrimSpace(string(opened[done:end])), "\n") {
			if strings.HasPrefix(line, w.IdP.URL+"/") {
				b.visit(ctx, user, line)
			}
		}
		done = end
	}
}

// visit opens a page and reads it, as far as anybody would.
func (b *browser) visit(ctx context.Context, user *http.Client, page string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return
	}
	answer, err := user.Do(r)
	if err != nil { // nobody listens where the login ends
		var failed *url.Error
		if errors.As(err, &failed) {
			if u, err := url.Parse(failed.URL); err == nil {
				b.unanswered.Store(u.Scheme + "://" + u.Host + u.Path) // no code, no state
			}
		}
		b.undelivered.Add(1)
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, MaxOutput))
	_ = answer.Body.Close()
}

func staysOnLoopback(r *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return errors.New("too many redirects")
	}
	if !onLoopback(r.URL) {
		return http.ErrUseLastResponse
	}
	return nil
}

func onLoopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
