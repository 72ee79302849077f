package main

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
	"time"

	"github.com/emaconform/emaconform/reports"
)

// httpDoer is an HTTP client.
type httpDoer interface {
	Do(*http.Request) (*http.Response, error)
}

// newHTTPClient makes a client that trusts the authorities in caFile, too, where that is named, and follows no
// redirects.
func newHTTPClient(caFile string) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, readable(caFile, err)
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

// get fetches at most limit bytes of what is served with status 200.
func get(ctx context.Context, client httpDoer, at string, limit int64) ([]byte, error) {
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

// wellKnown is a place below /.well-known/emaconform/ of a URL's origin.
func wellKnown(rawURL, name string) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%q is no URL", rawURL)
	}
	return u.Scheme + "://" + u.Host + "/.well-known/emaconform/" + name, nil
}

const (
	proofPatience = 10 * time.Minute
	proofPause    = 2 * time.Second
)

// newProver tells what to serve where, and waits until the target does.
func newProver(ctx context.Context, say io.Writer, targetURL, nonce, caFile string) (*prover, error) {
	at, err := wellKnown(targetURL, nonce)
	if err != nil {
		return nil, fmt.Errorf("--prove: %w", err)
	}
	client, err := newHTTPClient(caFile)
	if err != nil {
		return nil, fmt.Errorf("--prove: %w", err)
	}
	p := &prover{proof: reports.Proof{Kind: "well-known", URL: at}, body: proofOf(nonce), client: client}
	ctx, cancel := context.WithTimeout(ctx, proofPatience)
	defer cancel()
	served := p.served(ctx)
	if !served {
		fmt.Fprintf(say, "To prove that this target is yours, serve\n  %s\nat\n  %s\nuntil the run is over. Waiting for it.\n", p.body, at)
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

// conclude looks once more, after the run, and puts what was seen into the report.
func (p *prover) conclude(ctx context.Context, r *reports.Report) {
	p.proof.After = p.served(context.WithoutCancel(ctx))
	proof := p.proof
	r.Proof = &proof
}
