package host_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

// Whoever can reach the identity provider can send it forms: what is remembered of them is bounded in bytes.
func TestLargeFormsAreNotKept(t *testing.T) {
	idp := harness.Serve(t, mockidp.ServerOptions{Keys: nil})
	form := "client_id=nobody&junk=" + strings.Repeat("A", 1<<20-64)
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 30 {
				res, err := http.Post(idp.TokenURL(), "application/x-www-form-urlencoded", strings.NewReader(form))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		})
	}
	group.Wait()
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("120 forms of 1 MiB left %d MiB behind", grown>>20)
	}
	if d := idp.Dropped(); d.Bytes < 100<<20 {
		t.Errorf("it says that it dropped %+v", d)
	}
}

func TestTooManyConnectionsAreRefusedAndTheServerGoesOn(t *testing.T) {
	idp := harness.Serve(t, mockidp.ServerOptions{})
	u, err := url.Parse(idp.URL())
	harness.Must(t, err)
	var open []net.Conn
	for range 1100 {
		c, err := net.Dial("tcp", u.Host)
		harness.Must(t, err)
		open = append(open, c)
		_, err = io.WriteString(c, "GET / HTTP/1.1\r\nX-Drip: ")
		_ = err // the ones too many are closed already
	}
	// The server closes what is too much: those that were refused can be read to their end.
	for _, c := range open[1000:] {
		_, _ = io.ReadAll(c)
	}
	if d := idp.Dropped(); d.Connections < 100 {
		t.Errorf("1100 connections: it says that it refused %+v", d)
	}
	for _, c := range open {
		_ = c.Close()
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for t.Context().Err() == nil { // until the server has seen that they are gone
		if res, err := client.Get(idp.JWKSURI()); err == nil {
			res.Body.Close()
			return
		}
	}
}
