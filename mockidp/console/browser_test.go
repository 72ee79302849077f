package console_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/emaconform/emaconform/fixtures/axe"
	"github.com/emaconform/emaconform/fixtures/chromium"
	"github.com/emaconform/emaconform/mockidp/console"
)

// browser is a tab of a real browser that fails the test where an action fails.
type browser struct {
	*testing.T
	ctx context.Context

	mu       sync.Mutex
	requests []string // addresses of everything that was loaded
	trouble  []string // what the browser complained about, such as a refused script
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	ctx := chromium.Tab(t, 1000, 800)
	b := &browser{T: t, ctx: ctx}
	err := chromedp.Listen(ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			b.requests = append(b.requests, e.Request.URL)
		case *log.EventEntryAdded:
			b.trouble = append(b.trouble, e.Entry.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.Fatal(err)
	}
}

// ask evaluates a script of the test's own.
func ask[T any](b *browser, script string) T {
	b.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.Fatalf("%s: %v", script, err)
	}
	return value
}

// until waits for a script to be true.
func (b *browser) until(script string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	for {
		if met, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script)); err == nil && met {
			return
		}
		if ctx.Err() != nil {
			b.Fatalf("in vain waited for: %s", script)
		}
		b.do(chromedp.Sleep(50 * time.Millisecond))
	}
}

// tabTo presses Tab until the focus is on what the selector names, as who has no mouse does.
func (b *browser) tabTo(selector string) {
	b.Helper()
	const most = 80
	for range most {
		b.do(chromedp.KeyEvent(kb.Tab))
		if ask[bool](b, `document.activeElement.matches(`+quote(selector)+`)`) {
			return
		}
	}
	b.Fatalf("%s is not reached by keyboard", selector)
}

func quote(s string) string { return "`" + s + "`" }

// unharmed fails the test when something was loaded from elsewhere or refused by the policy.
func (b *browser) unharmed(origin string) {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, address := range b.requests {
		if !strings.HasPrefix(address, origin) {
			b.Errorf("the browser asked for %s", address)
		}
	}
	if len(b.requests) == 0 || len(b.trouble) > 0 {
		b.Errorf("%d requests; the browser complains: %q", len(b.requests), b.trouble)
	}
}

func TestLogsFollowAsThingsHappen(t *testing.T) {
	s, b := open(t, console.Options{}), newBrowser(t)
	b.do(chromedp.Navigate(s.base + "audit"))
	ask[bool](b, `window.sameDocument = true`)
	s.idp.Must(s.idp.EndSessions(alice))
	b.until(`document.querySelectorAll("#log details").length === 1`)
	b.tabTo("#log summary")
	b.do(chromedp.KeyEvent(kb.Enter))
	s.idp.Must(s.idp.EndSessions(carol))
	b.until(`document.querySelectorAll("#log details").length === 2`)
	if !ask[bool](b, `window.sameDocument && document.querySelectorAll("#log details")[1].open`) ||
		!ask[bool](b, `document.activeElement.matches("summary")`) {
		t.Error("what was open is closed, the focus is gone, or the page was loaded anew")
	}
	b.do(chromedp.Focus(`[data-live-switch]`), chromedp.KeyEvent(" "))
	if !ask[bool](b, `document.activeElement.getAttribute("aria-pressed") === "false"`) {
		t.Error("following cannot be switched off by keyboard")
	}
	b.unharmed(s.idp.URL())
}

func TestDeactivateByKeyboard(t *testing.T) {
	s, b := open(t, console.Options{Write: true}), newBrowser(t)
	b.do(chromedp.Navigate(s.base+"people"), chromedp.KeyEvent(kb.Tab))
	if !ask[bool](b, `document.activeElement.matches(".jump")`) {
		t.Error("the first thing that Tab reaches is not the link to the content")
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.tabTo(`tbody a`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector("h1").textContent.includes("Alice Adams")`)
	b.tabTo(`button[value="deprovisioned"]`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector("[role=status]")?.textContent === "` + alice + ` is deprovisioned."`)
	if s.idp.User(alice).Status.OK() {
		t.Error("the user is still active")
	}
	b.unharmed(s.idp.URL())
}

func TestInspectByKeyboard(t *testing.T) {
	s, b := open(t, console.Options{}), newBrowser(t)
	token := s.idp.IDJAG(alice, agent, "notes")
	token.Claims["aud"] = []string{"https://auth.notes.example", "https://evil.example"}
	token.Claims["x"] = "<script>document.title='owned'</script>"
	compact, err := token.Sign()
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(s.base + "inspect"))
	b.until(`document.activeElement.id === "token"`)
	b.do(chromedp.KeyEvent(compact))
	b.tabTo("button.main")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelectorAll(".checks li").length > 10`)
	got := ask[string](b, `document.querySelector(".checks li.problem p").textContent`)
	if !strings.HasPrefix(got, "aud is") {
		t.Errorf("the first problem is %q, expected the one of aud", got)
	}
	at := ask[string](b, `location.href`)
	if strings.Contains(at, compact[:40]) || ask[string](b, `document.title`) == "owned" ||
		ask[string](b, `document.querySelector("#token").value`) != "" {
		t.Error("the token is in the address or on the page, or a claim was run as a script")
	}
	b.unharmed(s.idp.URL())
}

func TestNarrowAndDark(t *testing.T) {
	s, b := open(t, console.Options{Write: true}), newBrowser(t)
	s.idp.Login(alice, agent, "profile", "email")
	b.do(chromedp.EmulateViewport(360, 800), chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
		return err
	}))
	for _, page := range s.pages() {
		b.do(chromedp.Navigate(s.base + page))
		axe.NoBarriers(t, b.ctx, "/"+page)
		if wide := ask[int](b, `document.documentElement.scrollWidth`); wide > 360 {
			t.Errorf("/%s is %d pixels wide on a screen of 360", page, wide)
		}
	}
	if got := ask[string](b, `getComputedStyle(document.body).backgroundColor`); got != "rgb(19, 20, 22)" {
		t.Errorf("in the dark the background is %s", got)
	}
}

// TestSignInByKeyboard signs in at the identity provider's own page without a mouse and without JavaScript.
func TestSignInByKeyboard(t *testing.T) {
	s, b := open(t, console.Options{}), newBrowser(t)
	client := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<title>back</title>"))
	}))
	defer client.Close()
	b.do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		off := emulation.SetScriptExecutionDisabledParams{Value: true}
		_, err := cdp.Call(ctx, tab, emulation.SetScriptExecutionDisabled, off)
		return err
	}))
	ask := func(prompt string) string {
		return strings.TrimSuffix(s.idp.URL(), "/") + "/oauth2/v1/authorize?" +
			url.Values{"response_type": {"code"}, "client_id": {agent},
				"redirect_uri": {client.URL + "/callback"}, "scope": {"openid"}, "state": {"s-" + prompt}, "prompt": {prompt},
				"nonce":          {"n"},
				"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}}.Encode()
	}
	arrived := func(state string) {
		t.Helper()
		at, err := chromedp.Run(b.ctx, chromedp.Location())
		for n := 0; err == nil && n < 200 && !strings.HasPrefix(at, client.URL); n++ {
			b.do(chromedp.Sleep(50 * time.Millisecond))
			at, err = chromedp.Run(b.ctx, chromedp.Location())
		}
		u, _ := url.Parse(at)
		if err != nil || u.Path != "/callback" || u.Query().Get("code") == "" || u.Query().Get("state") != state {
			t.Fatalf("the browser is at %s with error %q (%v), expected a code for the client", u.Path, u.Query().Get("error"),
				err)
		}
	}
	// The field has the focus: a user name and Enter are enough.
	b.do(chromedp.Navigate(ask("login")))
	b.until(`document.activeElement.id === "username"`)
	b.do(chromedp.KeyEvent(alice), chromedp.KeyEvent(kb.Enter))
	arrived("s-login")
	// Tab leads over the button and the box to the first person of the list, and on to the second.
	b.do(chromedp.Navigate(ask("login select_account")))
	b.until(`document.activeElement.id === "username"`)
	for range 4 {
		b.do(chromedp.KeyEvent(kb.Tab))
	}
	b.until(`document.activeElement.value === "bob@acme.example"`)
	b.do(chromedp.KeyEvent(kb.Enter))
	arrived("s-login select_account")
	signedIn := map[string]bool{}
	for _, e := range s.idp.Audit().Entries() {
		if e.Type == "user.session.start" {
			signedIn[e.Login] = true
		}
	}
	if !signedIn[alice] || !signedIn["bob@acme.example"] {
		t.Errorf("signed in are %v, expected who was typed and who was picked", signedIn)
	}
}
