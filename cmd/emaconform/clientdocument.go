package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// Bounds of a client's metadata document: far more than any needs.
const (
	largestDocument  = 64 << 10
	documentPatience = 10 * time.Second
)

// published is the metadata document that the client publishes: from a file, or fetched as an authorization server
// would, from the URL that was given for it. nil is none, which is not judged.
func (f *clientFlags) published(c *cobra.Command) ([]byte, error) {
	if f.document != "" {
		raw, err := os.ReadFile(f.document)
		if err == nil {
			err = isDocument(raw)
		}
		if err != nil {
			return nil, fmt.Errorf("--client-document %s: %w", f.document, err)
		}
		return raw, nil
	}
	if !c.Flags().Changed("client-id-document") {
		return nil, nil
	}
	raw, err := fetchDocument(c.Context(), f.clientID, f.ca)
	if err != nil {
		fmt.Fprintf(c.ErrOrStderr(), "warning: the document at --client-id-document cannot be had (%v), so it is not "+
			"judged: give it with --client-document FILE\n", err)
	}
	return raw, nil
}

func isDocument(raw []byte) error {
	if len(raw) > largestDocument || !json.Valid(raw) {
		return fmt.Errorf("expected JSON of at most %d KiB", largestDocument>>10)
	}
	return nil
}

// fetchDocument fetches a document without following redirects (Client ID Metadata Document draft 4). Who serves it may
// have a certificate of the CA of this run, if there is one.
func fetchDocument(ctx context.Context, at, caFile string) ([]byte, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if caFile != "" {
		if text, err := os.ReadFile(caFile); err == nil {
			roots.AppendCertsFromPEM(text)
		}
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		Proxy: http.ProxyFromEnvironment}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, documentPatience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	answer, err := (&http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}).Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("expected status 200, got %d", answer.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, largestDocument+1))
	if err == nil && len(raw) > largestDocument {
		err = isDocument(raw)
	}
	if err != nil {
		return nil, err
	}
	return raw, nil // whether it is JSON is judged
}
