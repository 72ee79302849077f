//go:build unix

package client

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/emaconform/emaconform/fixtures/axe"
	"github.com/emaconform/emaconform/fixtures/chromium"
)

// tab is a tab of a real browser.
func tab(t *testing.T) context.Context {
	t.Helper()
	ctx, stop := context.WithTimeout(chromium.Tab(t, 1200, 900), 3*time.Minute)
	t.Cleanup(stop)
	return ctx
}

// picture keeps a screenshot when the environment variable SCREENSHOTS names a folder.
func picture(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	for suffix, width := range map[string]int64{"-wide": 1200, "-narrow": 420} {
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900)); err != nil {
			t.Fatal(err)
		}
		png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/attended-"+name+suffix+".png", png, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1200, 900)); err != nil {
		t.Fatal(err)
	}
}

// TestAttendedInABrowser plays a scenario by the buttons of the page, with a client that has a defect.
func TestAttendedInABrowser(t *testing.T) {
	attended, p := attend(t, "CL-PRM", "CL-EXCHANGE-REQ")
	p.defects = []string{"takes-any-resource"}
	ctx := tab(t)
	do := func(actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			t.Fatal(err)
		}
	}
	see := func(selector string) chromedp.Action[chromedp.Void] {
		return chromedp.WaitVisible(chromedp.CSS(selector))
	}
	click := func(selector string) chromedp.Action[chromedp.Void] { return chromedp.Click(chromedp.CSS(selector)) }
	do(chromedp.Navigate(p.page), see("#list details"))
	picture(ctx, t, "start")
	axe.NoBarriers(t, ctx, "start")
	do(click("#list summary"), click(`[data-check="CL-PRM/other-server"]`), see(`[data-does="connected"]`))
	p.look()
	saw := p.connect()
	do(see(".sofar .pass")) // the page follows what is seen
	picture(ctx, t, "honest")
	do(click(`[data-does="`+saw+`"]`), click(`[data-does="start"]`), see(`[data-does="connected"]`))
	p.look()
	saw = p.connect()
	do(see(".sofar .fail"))
	picture(ctx, t, "scenario")
	axe.NoBarriers(t, ctx, "scenario")
	do(click(`[data-does="`+saw+`"]`), see(`[data-does="next"]`))
	picture(ctx, t, "ended")
	axe.NoBarriers(t, ctx, "ended")
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("main")))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "another resource (RFC 9728 3.3)") {
		t.Errorf("the page does not say what is wrong: %s", text)
	}
	do(click("#finish"))
	select {
	case <-attended.Finished():
	case <-ctx.Done():
		t.Error("Finish does not end the run")
	}
}
