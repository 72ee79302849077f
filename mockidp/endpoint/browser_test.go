package endpoint_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/emaconform/emaconform/fixtures/chromium"
	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

// realBrowser is a tab of Chromium without JavaScript.
func realBrowser(t *testing.T) context.Context {
	t.Helper()
	ctx, stop := context.WithTimeout(chromium.Tab(t, 900, 800), 2*time.Minute)
	t.Cleanup(stop)
	return ctx
}

// TestSignInInABrowser signs in without JavaScript: once by typing and Enter alone, once by the button of a person.
func TestSignInInABrowser(t *testing.T) {
	idp := mockidp.New(t)
	back := make(chan url.Values, 1)
	client := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			back <- r.URL.Query()
		}
	}))
	defer client.Close()
	request := idp.URL() + "/oauth2/v1/authorize?" + url.Values{"response_type": {"code"}, "client_id": {agent},
		"scope":        {"openid"},
		"redirect_uri": {client.URL + "/callback"}, "state": {"st"}, "prompt": {"login"}}.Encode()
	ctx := realBrowser(t)
	for name, answer := range map[string]chromedp.Action[chromedp.Void]{
		"by keyboard": chromedp.KeyEvent(alice + kb.Enter), // the field has the focus
		"by a button": chromedp.Click(`button[value="bob@acme.example"]`),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled,
				emulation.SetScriptExecutionDisabledParams{Value: true})
			harness.Must(t, err)
			harness.Must(t, chromedp.Do(ctx, chromedp.Navigate(request), chromedp.WaitVisible("#username")))
			if dir := os.Getenv("SCREENSHOTS"); dir != "" {
				picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
				harness.Must(t, err)
				harness.Must(t, os.WriteFile(dir+"/signin-"+strings.ReplaceAll(name, " ", "-")+".png", picture, 0o600))
			}
			harness.Must(t, chromedp.Do(ctx, answer))
			select {
			case q := <-back:
				if q.Get("code") == "" || q.Get("state") != "st" {
					t.Errorf("%v", q)
				}
			case <-ctx.Done():
				t.Fatal("the browser did not come back to the client")
			}
		})
	}
}
