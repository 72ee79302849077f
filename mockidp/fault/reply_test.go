package fault

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// response is an answer whose body has been read and closed.
type response struct{ *http.Response }

func get(t *testing.T, client *http.Client, url string) (response, string) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{resp}, string(body)
}

func TestReplyAnswersAsItSays(t *testing.T) {
	html := map[string]string{"Content-Type": "text/html"}
	for name, c := range map[string]struct {
		reply       Reply
		status      int
		contentType string
		length      int
	}{
		"nothing":      {Reply{}, 200, "application/json", 0},
		"error page":   {Reply{Status: 503, Body: "<p>", Header: html}, 503, "text/html", 3},
		"padded":       {Reply{Body: `{"keys":[]}`, Repeat: 3 << 20}, 200, "application/json", 3 << 20},
		"padded short": {Reply{Body: `{"keys":[]}`, Repeat: 3}, 200, "application/json", 11},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.reply)
			defer server.Close()
			resp, body := get(t, server.Client(), server.URL)
			if resp.StatusCode != c.status || resp.Header.Get("Content-Type") != c.contentType || len(body) != c.length {
				t.Errorf("status %d, type %q, %d bytes", resp.StatusCode, resp.Header.Get("Content-Type"), len(body))
			}
			if c.reply.Body != "" && !strings.HasPrefix(body, c.reply.Body) {
				t.Error("the body does not begin with Body")
			}
			if strings.HasPrefix(c.contentType, "application/json") && c.reply.Body != "" && !json.Valid([]byte(body)) {
				t.Error("padded JSON is not JSON")
			}
		})
	}
}

func TestReplyRedirects(t *testing.T) {
	elsewhere := map[string]string{"Location": "https://elsewhere.invalid/"}
	server := httptest.NewServer(Reply{Status: http.StatusFound, Header: elsewhere})
	defer server.Close()
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, _ := get(t, client, server.URL)
	if resp.StatusCode != http.StatusFound || resp.Header.Get("Location") != "https://elsewhere.invalid/" {
		t.Errorf("status %d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
}

func TestReplyDropsTheConnection(t *testing.T) {
	for name, http2 := range map[string]bool{"http/1.1": false, "http/2": true} {
		server := httptest.NewUnstartedServer(Reply{Drop: true, Body: "not sent"})
		server.EnableHTTP2 = http2
		server.StartTLS()
		if resp, err := server.Client().Get(server.URL); err == nil {
			resp.Body.Close()
			t.Errorf("%s: got an answer with status %d", name, resp.StatusCode)
		}
		server.Close()
	}
}

// A reply that would wait for an hour ends when the client gives up: else closing the server would hang.
func TestReplyWaitsNoLongerThanItsClient(t *testing.T) {
	arrived := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		Reply{Delay: time.Hour}.ServeHTTP(w, r)
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := server.Client().Do(req); err == nil {
		resp.Body.Close()
		t.Error("got an answer before the delay was over")
	}
}

func TestReplyTravelsAsJSON(t *testing.T) {
	want := Reply{Status: 500, Header: map[string]string{"X": "y"}, Body: "b", Repeat: 9, Delay: time.Second, Drop: true}
	raw, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Reply
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(got); string(again) != string(raw) || got.Delay != want.Delay || !got.Drop {
		t.Errorf("came out as %s", again)
	}
}

// What is cleared is over at once: a client that waits for a delayed answer learns so, instead of waiting for an hour.
func TestClearEndsDelayedAnswers(t *testing.T) {
	faults := &Registry{}
	if err := faults.Add(Fault{Endpoint: EndpointKeys, Count: 1, Reply: Reply{Delay: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{})
	honest := func(http.ResponseWriter, *http.Request) {}
	server := httptest.NewServer(faults.Wrap(EndpointKeys, honest, func(w http.ResponseWriter, r *http.Request, f Fault) {
		close(asked)
		f.Reply.ServeHTTP(w, r)
	}))
	defer server.Close()
	ended := make(chan error, 1)
	go func() {
		resp, err := server.Client().Get(server.URL)
		if err == nil {
			_ = resp.Body.Close()
		}
		ended <- err
	}()
	<-asked
	faults.Clear(EndpointLogin)
	select {
	case err := <-ended:
		t.Fatalf("clearing another endpoint ended the answer: %v", err)
	default:
	}
	faults.Clear(EndpointKeys)
	if err := <-ended; err == nil {
		t.Error("expected the connection to be closed")
	}
}
