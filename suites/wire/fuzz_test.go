package wire_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp/mutate"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/wire"
)

// Whatever a target answers, it is recorded within bounds, and the token in it does not stay.
func FuzzAnswers(f *testing.F) {
	const token = "t9xQ2vKp7Lr4ZsW1mTbY6cH8nJ3fD5"
	for _, body := range []string{`{"access_token":"` + token + `"}`, `[[[`, "\xff" + token, `{"access_token":{"a":[]}}`,
		"eyJhbGciOiJub25lIn0.e30.",
		`<input name=code value=` + token + `>`, "event: message\ndata: {}\n\n"} {
		mutate.Add(f, body, `Bearer resource_metadata="http://[::1"`, "/cb?code="+token)
	}
	f.Fuzz(func(t *testing.T, body, challenge, location string) {
		r := wire.NewRecorder(nil)
		r.Know("access token", token)
		a := &wire.Answer{Status: 401, Body: []byte(body), Header: http.Header{"Www-Authenticate": {challenge, token},
			"Location": {location}}}
		r.Observe(&wire.Request{URL: "http://127.0.0.1/" + token}, a, reports.Setup, "", 0)
		_, _ = a.Object()
		_ = a.Summary()
		e := r.Exchanges()[0]
		size := len(e.Response.Body)
		for name, values := range e.Response.Header {
			size += len(name) + len(strings.Join(values, ""))
		}
		if size > 20<<10 {
			t.Errorf("%d bytes of an answer are kept", size)
		}
		if strings.Contains(e.Response.Body+e.Request.URL, token) {
			t.Errorf("the token stays: %q", e.Response.Body)
		}
	})
}

// Tokens are shown whatever they are made of.
func FuzzDecode(f *testing.F) {
	for _, token := range []string{"a.b.c", "eyJhbGciOiJub25lIn0.e30.", ".....", "e30.e30", "\xff.\xff"} {
		mutate.Add(f, token)
	}
	f.Fuzz(func(_ *testing.T, token string) { _ = wire.Decode(token) })
}
