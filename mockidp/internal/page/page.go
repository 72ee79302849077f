// Package page has the pages that people see: sign-in, errors, and the form that carries a response to a client. They
// work by keyboard and, but for the form's automatic submission, without JavaScript.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
)

//go:embed *.html page.css
var files embed.FS

// Pages.
const (
	SignIn   = "signin.html"
	Notice   = "notice.html"
	FormPost = "formpost.html"
)

const submit = "document.forms[0].submit()"

var (
	css       = must(files.ReadFile("page.css"))
	templates = template.Must(template.New("").Funcs(template.FuncMap{
		"css": func() template.CSS { return template.CSS(css) }, "submit": func() template.JS { return submit },
	}).ParseFS(files, "*.html"))
	policy = "default-src 'none'; style-src '" + hash(string(css)) + "'; script-src '" + hash(submit) +
		"'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)

// Person is one that the sign-in page offers.
type Person struct{ Login, Name, Groups, Note string }

// Data is what pages show. Forms are posted to Action, and may lead on to the origins of Onward.
type Data struct {
	Title, Message string
	Issuer         string
	Client         string
	Action         string
	Confirm        string // the text of the button of a notice that asks
	Return         string // where the sign-in leads
	Token          string // tells a form of this site from those of others
	Hint           string
	Strong         bool // a second factor is asked for
	People         []Person
	Fields         [][2]string
	Links          [][2]string // text and target
	Onward         []string
}

// Write sends a page. Nothing may keep, frame or script it.
func Write(w http.ResponseWriter, status int, name string, d Data) {
	var body bytes.Buffer
	if err := templates.ExecuteTemplate(&body, name, d); err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", strings.Join(append([]string{policy}, d.Onward...), " "))
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err) // the file is embedded
	}
	return b
}
