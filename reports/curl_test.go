package reports

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"
)

// shellSamples are texts that a careless quoting would let out.
var shellSamples = []string{
	"", "plain", "two words", "it's", `"double" \back\ $HOME ${HOME} $(id) ` + "`id`", "!history", "a\nb", "tab\there",
	"\x1b[31m\x1b[201~; id", "~user", "*", "-rf", "a&b;c|d>e<f", "ü ∞ \u202e", "--output /tmp/x", "#no comment", "''",
	`\'`, "{a,b}[1-3]",
}

func bash(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash")
	}
	return path
}

func TestQuotedWordIsOneWordOfTheShell(t *testing.T) {
	shellPath := bash(t)
	for _, text := range append(shellSamples, strings.ToValidUTF8(strings.ReplaceAll(poison, "‹", ""), "�")) {
		s := &shell{names: map[string]string{}}
		quoted := s.quote(text)
		if strings.ContainsFunc(quoted, unprintable) {
			t.Errorf("%q: a control character reaches the clipboard: %q", text, quoted)
		}
		out, err := exec.Command(shellPath, "-c", "printf '<%s>' "+quoted).Output()
		if want := "<" + strings.ReplaceAll(text, "\x00", "") + ">"; err != nil || string(out) != want {
			t.Errorf("%s gives %q, %v; want %q", quoted, out, err, want)
		}
	}
}

// TestCurlSendsTheRequestAgain runs the line against a server and compares what arrives with what was recorded.
func TestCurlSendsTheRequestAgain(t *testing.T) {
	shellPath := bash(t)
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl")
	}
	type arrival struct {
		method, url, body string
		header            http.Header
	}
	arrived := make(chan arrival, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived <- arrival{r.Method, r.URL.String(), string(body), r.Header}
	}))
	defer server.Close()
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	cases := []struct {
		name    string
		request Request
		want    arrival
	}{
		{"form with a token and Basic", Request{Method: "POST", URL: "/token", Header: http.Header{
			"Authorization": {"Basic ‹client id:client secret›"}, "Content-Length": {"9999"}},
			Form: []Field{{"grant_type", "urn:x"}, {"assertion", "‹id-jag 7›"}, {"scope", "a b"}, {"scope", "c&d"}}},
			arrival{"POST", "/token", "grant_type=urn%3Ax&assertion=the.id.jag&scope=a%20b&scope=c%26d",
				http.Header{"Authorization": {"Basic bWU6czNjcmV0"}, "Content-Type": form["Content-Type"]}}},
		{"secret of a client in the form", Request{Method: "POST", URL: "/", Form: []Field{
			{"client_secret", "‹secret of client one›"}, {"client_secret", "‹secret of client two›"}}},
			arrival{"POST", "/", "client_secret=s3cret&client_secret=other", form}},
		{"JSON", Request{Method: "POST", URL: "/mcp", Header: http.Header{"Content-Type": {"application/json"},
			"Authorization": {"Bearer ‹access token 1›"}, "X-Empty": {""}}, Body: `{"a":"@file it's $HOME"}`},
			arrival{"POST", "/mcp", `{"a":"@file it's $HOME"}`, http.Header{"Content-Type": {"application/json"},
				"Authorization": {"Bearer the-access-token"}, "X-Empty": {""}}}},
		{"body without a type", Request{Method: "PUT", URL: "/", Body: "x"},
			arrival{"PUT", "/", "x", http.Header{"Content-Type": nil}}},
		{"token in the query", Request{Method: "GET", URL: "/mcp?access_token=‹access token 1›&x=[1-2]"},
			arrival{"GET", "/mcp?access_token=the-access-token&x=[1-2]", "", nil}},
		{"HEAD", Request{Method: "HEAD", URL: "/"}, arrival{"HEAD", "/", "", nil}},
		{"POST without a body", Request{Method: "POST", URL: "/"}, arrival{"POST", "/", "", nil}},
		{"form without a name", Request{Method: "POST", URL: "/", Form: []Field{{"", "v"}, {"n", "\x00\x1b"}}},
			arrival{"POST", "/", "=v&n=%00%1B", form}},
	}
	for _, text := range shellSamples {
		encoded := strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
		cases = append(cases, struct {
			name    string
			request Request
			want    arrival
		}{"value " + text, Request{Method: "POST", URL: "/", Form: []Field{{"a=b&c", text}}},
			arrival{"POST", "/", "a%3Db%26c=" + encoded, form}})
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.request.URL = server.URL + c.request.URL
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cmd := exec.CommandContext(ctx, shellPath, "-c", c.request.curl().Line)
			cmd.Env = append(cmd.Environ(), "ID_JAG=the.id.jag", "ACCESS_TOKEN=the-access-token", "CLIENT_ID=me",
				"CLIENT_SECRET=s3cret", "CLIENT_SECRET_2=other", "HOME=/nowhere", "no_proxy=*")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s\n%s", err, out, c.request.curl().Line)
			}
			got := <-arrived
			got.body = strings.ReplaceAll(got.body, "+", "%20") // versions of curl differ in how they write a space
			if got.method != c.want.method || got.url != c.want.url || got.body != c.want.body {
				t.Errorf("arrived: %s %s %q\nwant:    %s %s %q\n%s", got.method, got.url, got.body,
					c.want.method, c.want.url, c.want.body, c.request.curl().Line)
			}
			for name, want := range c.want.header {
				if strings.Join(got.header[name], ";") != strings.Join(want, ";") {
					t.Errorf("%s arrived as %q, want %q", name, got.header[name], want)
				}
			}
		})
	}
}

// TestTargetCannotNameVariables: text that looks like a reference must not make the line send what the reader's
// environment holds.
func TestTargetCannotNameVariables(t *testing.T) {
	r := Request{Method: "GET", URL: "https://evil.example/?‹aws secret access key›=‹PATH›&‹x›", Header: http.Header{
		"X": {"‹github token 3›"}, "@/etc/passwd": {"x"}}}
	for _, name := range r.curl().Needs {
		if !strings.HasPrefix(name, "EMACONFORM_") {
			t.Errorf("the line sends $%s", name)
		}
	}
	if strings.Contains(r.curl().Line, "/etc/passwd") {
		t.Error("a header name becomes a file for curl")
	}
}

func TestCurlNeverHoldsASecret(t *testing.T) {
	for _, c := range sample().Checks {
		for _, e := range c.Exchanges {
			if line := e.Request.curl().Line; strings.Contains(line, "‹") {
				t.Errorf("%s: a reference is left in\n%s", c.ID, line)
			}
		}
	}
}
