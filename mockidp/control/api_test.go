package control_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

func TestControlAPICanBeOffOrElsewhere(t *testing.T) {
	off := mockidp.New(t)
	if got := harness.Get(t, nil, off.URL()+"/control/directory"); got.Status != http.StatusNotFound ||
		off.ControlURL() != "" {
		t.Errorf("%d at %q", got.Status, off.ControlURL())
	}
	if got := harness.Get(t, nil, off.URL()+"/api/v1/logs"); got.Status != http.StatusNotFound {
		t.Error(got.Status)
	}
	elsewhere := harness.Serve(t, mockidp.ServerOptions{ControlSecret: "s", ControlListen: "127.0.0.1:0"})
	if strings.HasPrefix(elsewhere.ControlURL(), elsewhere.Issuer().URL) {
		t.Error(elsewhere.ControlURL())
	}
	if got := harness.Get(t, nil, elsewhere.Issuer().URL+"/control/directory"); got.Status != http.StatusNotFound {
		t.Errorf("at the issuer, too: %d", got.Status)
	}
	if got := harness.Get(t, nil, elsewhere.ControlURL()+"/directory"); got.Status != http.StatusUnauthorized {
		t.Errorf("without the secret: %d", got.Status)
	}
	if got := harness.Get(t, nil, elsewhere.ControlURL()+"/openapi.json"); got.Status != http.StatusOK ||
		!strings.Contains(string(got.Body), `"3.1.0"`) {
		t.Errorf("the description: %d", got.Status)
	}
}

func TestControlAPISaysWhatItDoesNotKnow(t *testing.T) {
	idp := mockidp.New(t, mockidp.WithControl("s"))
	for path, c := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"/token":  {`{}`, http.StatusNotFound, "openapi.json"},
		"/tokens": {`{"kind":"bogus"}`, http.StatusBadRequest, "id_jag"},
	} {
		req, err := http.NewRequest(http.MethodPost, idp.ControlURL()+path, strings.NewReader(c.body))
		harness.Must(t, err)
		req.Header.Set("Authorization", "Bearer s")
		res, err := http.DefaultClient.Do(req)
		harness.Must(t, err)
		body, err := io.ReadAll(res.Body)
		harness.Must(t, errors.Join(err, res.Body.Close()))
		if res.StatusCode != c.status || !strings.Contains(string(body), c.want) {
			t.Errorf("%s: %s %s", path, res.Status, body)
		}
	}
}
