package page_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp/internal/page"
)

const hostile = `"><script>alert(1)</script>`

func written(name string, d page.Data) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	page.Write(w, http.StatusTeapot, name, d)
	return w
}

func data() page.Data {
	return page.Data{Title: hostile, Message: hostile, Client: hostile, Action: "/next?a=" + hostile, Return: hostile,
		Hint:   hostile,
		People: []page.Person{{Login: hostile, Name: hostile, Groups: hostile, Note: hostile}},
		Fields: [][2]string{{hostile, hostile}}}
}

// What comes from requests and configuration is text on every page, never markup.
func TestNothingFromOutsideIsMarkup(t *testing.T) {
	for _, name := range []string{page.SignIn, page.Notice, page.FormPost} {
		w := written(name, data())
		if body := w.Body.String(); strings.Contains(body, "<script>alert") || !strings.Contains(body, "alert(1)") {
			t.Errorf("%s: what came from outside is missing, or is markup", name)
		}
		h := w.Header()
		if w.Code != http.StatusTeapot || h.Get("Cache-Control") != "no-store" || h.Get("X-Frame-Options") != "DENY" ||
			h.Get("Referrer-Policy") != "no-referrer" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: status %d, headers %v", name, w.Code, h)
		}
	}
}

// A link to a script is no place for a form to go.
func TestActionIsNoScript(t *testing.T) {
	body := written(page.FormPost, page.Data{Action: "javascript:alert(1)"}).Body.String()
	if strings.Contains(body, `action="javascript:`) {
		t.Error("a form leads to a script")
	}
}

// The policy lets in the style and the script of the pages by their hashes, and no others.
func TestPolicyFitsThePage(t *testing.T) {
	w := written(page.FormPost, page.Data{Action: "https://app.example/acs", Onward: []string{"https://app.example"}})
	policy, body := w.Header().Get("Content-Security-Policy"), w.Body.String()
	for _, tag := range []string{"style", "script"} {
		inline := regexp.MustCompile(`(?s)<`+tag+`>(.*?)</`+tag+`>`).FindAllStringSubmatch(body, -1)
		if len(inline) != 1 {
			t.Fatalf("%d elements %s, expected one", len(inline), tag)
		}
		sum := sha256.Sum256([]byte(inline[0][1]))
		if want := tag + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %s", policy, want)
		}
	}
	if !strings.HasPrefix(policy, "default-src 'none'") ||
		!strings.HasSuffix(policy, "form-action 'self' https://app.example") ||
		strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
}

func TestSignInPageNeedsNoScript(t *testing.T) {
	body := written(page.SignIn, data()).Body.String()
	if strings.Contains(body, "<script") || !strings.Contains(body, "autofocus") ||
		!strings.Contains(body, `<label for="username">`) {
		t.Error("the page has a script, no focus, or a field without label")
	}
}
