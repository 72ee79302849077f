package main

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	fixture "github.com/emaconform/emaconform/fixtures/client"
	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
)

// TestPublishedDocumentIsFetched serves a client's metadata document over https by the CA of the run.
func TestPublishedDocumentIsFetched(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "ca.pem")
	ca, err := mockidp.LoadOrCreateCA(file)
	if err != nil {
		t.Fatal(err)
	}
	config, err := ca.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	var document []byte
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved.json":
			http.Redirect(w, r, "/client.json", http.StatusFound)
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(document)
		}
	}))
	server.TLS = &tls.Config{Certificates: config.Certificates}
	server.StartTLS()
	t.Cleanup(server.Close)
	at := server.URL + "/client.json"
	args, environment, err := fixture.Command()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range environment {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	for name, c := range map[string]struct {
		url      string
		document []byte
		want     reports.Outcome
		says     string
	}{
		"as it must be": {at, fixture.Document(at), reports.Pass, ""},
		"of another":    {at, fixture.Document(at, "describes-another"), reports.Fail, ""},
		"a redirect":    {server.URL + "/moved.json", nil, reports.Skip, "expected status 200, got 302"},
		"no JSON":       {at, []byte("<html>"), reports.Fail, "it is none"},
	} {
		document = c.document
		flags := []string{"--check", "CL-CLIENT-METADATA/document", "--client-id-document", c.url, "--ca", file}
		for _, e := range environment {
			variable, _, _ := strings.Cut(e, "=")
			flags = append(flags, "--env", variable)
		}
		_, output, report := runClient(t, append(append(flags, "--"), args...)...)
		if report == nil || len(report.Checks) != 1 || report.Checks[0].Outcome != c.want ||
			!strings.Contains(output, c.says) {
			t.Errorf("%s: want %s and %q:\n%s", name, c.want, c.says, output)
		}
	}
}
