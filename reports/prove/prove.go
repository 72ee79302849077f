// Package prove shows that a run is against the target that it names: the target serves, before and after the run, what
// only somebody who controls its origin can put there.
package prove

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/terminal"
)

// httpDoer is an HTTP client.
type httpDoer interface {
	Do(*http.Request) (*http.Response, error)
}

// NewClient makes a client that trusts the authorities in caFile, too, where that is named, and follows no
// redirects.
func NewClient(caFile string) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, terminal.Readable(caFile, err)
		}
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		roots.AppendCertsFromPEM(pem)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Transport: transport, Timeout: 10 * time.Second, CheckRedirect: stay}, nil
}

// Get fetches at most limit bytes of what is served with status 200.
func Get(ctx context.Context, client httpDoer, at string, limit int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: HTTP %d", at, response.StatusCode)
	}
	return io.ReadAll(io.LimitReader(response.Body, limit))
}

// WellKnown is a place below /.well-known/emaconform/ of a URL's origin.
func WellKnown(rawURL, name string) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%q is no URL", rawURL)
	}
	return u.Scheme + "://" + u.Host + "/.well-known/emaconform/" + name, nil
}

// Prover shows that a run is against the target that it names: the target serves, before and after the run, what only
// somebody who controls its origin can put there.
type Prover struct {
	proof  reports.Proof
	body   string
	client httpDoer
}

const (
	proofPatience = 10 * time.Minute
	proofPause    = 2 * time.Second
)

// New tells what to serve where, and waits until the target does.
func New(ctx context.Context, say io.Writer, targetURL, nonce, caFile string) (*Prover, error) {
	at, err := WellKnown(targetURL, nonce)
	if err != nil {
		return nil, fmt.Errorf("--prove: %w", err)
	}
	client, err := NewClient(caFile)
	if err != nil {
		return nil, fmt.Errorf("--prove: %w", err)
	}
	p := &Prover{proof: reports.Proof{Kind: "well-known", URL: at}, body: Of(nonce), client: client}
	ctx, cancel := context.WithTimeout(ctx, proofPatience)
	defer cancel()
	served := p.served(ctx)
	if !served {
		fmt.Fprintf(say, "To prove that this target is yours, serve\n  %s\nat\n  %s\nuntil the run is over. "+
			"Waiting for it.\n", p.body, at)
	}
	for !served {
		select {
		case <-ctx.Done():
			return nil, errors.New("--prove: the target did not serve the proof at " + at)
		case <-time.After(proofPause):
		}
		served = p.served(ctx)
	}
	p.proof.Before = true
	return p, nil
}

// Conclude looks once more, after the run, and puts what was seen into the report.
func (p *Prover) Conclude(ctx context.Context, r *reports.Report) {
	p.proof.After = p.served(context.WithoutCancel(ctx))
	proof := p.proof
	r.Proof = &proof
}

// Of is what the target has to serve for a nonce: not the nonce itself, which an echo of the path would give.
func Of(nonce string) string { return reports.Digest([]byte("emaconform " + nonce)) }

// served reports whether the target serves it now.
func (p *Prover) served(ctx context.Context) bool {
	body, err := Get(ctx, p.client, p.proof.URL, 1<<10)
	return err == nil && strings.TrimSpace(string(body)) == p.body
}
