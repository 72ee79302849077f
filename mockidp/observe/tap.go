package observe

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// tapped is how much of a request or an answer is read for the log; the rest passes unread.
const tapped = 64 << 10

// Tap has a log remember what a server is asked and what it answers, without secrets: as Exchange has it. name is the
// endpoint of a request; "" leaves it out of the log.
func (l *Log) Tap(next http.Handler, name func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		endpoint := name(r)
		if endpoint == "" {
			next.ServeHTTP(w, r)
			return
		}
		e := Exchange{ID: "tap-" + rand.Text()[:12], Time: time.Now(), Endpoint: endpoint, Method: r.Method, Path: r.URL.Path}
		body, err := io.ReadAll(io.LimitReader(r.Body, tapped))
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), after{r.Body, err}), r.Body}
		e.Request = requestOf(r, body)
		e.Client = credentials(r, e.Request)
		answer := &tee{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, r)
		e.Status, e.Took, e.Response = answer.status, time.Since(e.Time), answer.members()
		e.Error, _ = e.Response["error"].(string)
		l.Add(e)
	})
}

// after is what follows the bytes that were read: the rest, or the error that ended them.
type after struct {
	rest io.Reader
	err  error
}

func (a after) Read(p []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	return a.rest.Read(p)
}

// requestOf is the form of a request, or what it asks by JSON-RPC.
func requestOf(r *http.Request, body []byte) map[string][]string {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	out := map[string][]string{}
	switch kind {
	case "application/x-www-form-urlencoded":
		if form, err := url.ParseQuery(string(body)); err == nil {
			out = RedactForm(form)
		}
	case "application/json":
		var message struct {
			Method string `json:"method"`
			Params struct {
				Name      string          `json:"name"`
				Arguments json.RawMessage `json:"arguments"`
			} `json:"params"`
		}
		if json.Unmarshal(body, &message) == nil && message.Method != "" {
			out["method"] = []string{message.Method}
			if message.Params.Name != "" {
				out["name"] = []string{message.Params.Name}
			}
		}
	}
	return out
}

// credentials adds what the Authorization header says to the parameters and returns the client that it names.
func credentials(r *http.Request, parameters map[string][]string) (client string) {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "Basic"):
		if name, _, ok := r.BasicAuth(); ok {
			client, _ = url.QueryUnescape(name)
			parameters["Authorization"] = []string{"Basic, the secret of " + client}
		}
	case strings.EqualFold(scheme, "Bearer"), strings.EqualFold(scheme, "DPoP"):
		parameters["Authorization: "+scheme] = []string{redact(value)}
	default:
		if ids := parameters["client_id"]; len(ids) == 1 {
			client = ids[0]
		}
	}
	return client
}

// tee passes an answer on and keeps its begin.
type tee struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (t *tee) WriteHeader(status int) {
	t.status = status
	t.ResponseWriter.WriteHeader(status)
}

func (t *tee) Write(p []byte) (int, error) {
	t.body.Write(p[:min(len(p), tapped-t.body.Len())])
	return t.ResponseWriter.Write(p)
}

// Flush lets streams through.
func (t *tee) Flush() { _ = http.NewResponseController(t.ResponseWriter).Flush() }

// Unwrap is for http.ResponseController.
func (t *tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// members are those of a JSON answer, values of more than one part as JSON, and the challenge of a refusal.
func (t *tee) members() map[string]any {
	out := map[string]any{}
	if json.Unmarshal(t.body.Bytes(), &out) != nil {
		out = map[string]any{}
	}
	for name, value := range out {
		switch value.(type) {
		case map[string]any, []any:
			if raw, err := json.Marshal(value); err == nil {
				out[name] = string(raw)
			}
		}
	}
	if challenge := t.Header().Get("WWW-Authenticate"); challenge != "" {
		out["WWW-Authenticate"] = challenge
	}
	return RedactBody(out)
}
