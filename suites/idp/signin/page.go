package signin

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/idp/config"
)

// webPage is what a login page asks for.
type webPage struct {
	forms   []*webForm
	captcha bool
}

// webForm is one form of a page.
type webForm struct {
	action   *url.URL
	method   string
	fields   []input
	buttons  []input
	username string // name of the field for the user's name
	password string
	factor   bool // asks for a code
}

type input struct{ name, value, kind, hint string }

var (
	captchaPattern = regexp.MustCompile(`(?i)recaptcha|hcaptcha|turnstile|captcha`)
	namePattern    = regexp.MustCompile(`(?i)user|login|e-?mail|identifier|account|^name$`)
	factorPattern  = regexp.MustCompile(`(?i)one-time-code|otp|totp|mfa|passcode|verification.?code|second.?factor.?code`)
	denyPattern    = regexp.MustCompile(`(?i)cancel|deny|reject|decline|abort|back|forgot|register|sign ?up`)
)

// readPage reads an HTML page that was got from this address.
func readPage(r io.Reader, at *url.URL) (*webPage, error) {
	root, err := html.Parse(r)
	if err != nil {
		return nil, err
	}
	p := &webPage{}
	p.walk(root, at, nil)
	return p, nil
}

func (p *webPage) walk(n *html.Node, at *url.URL, f *webForm) {
	if n.Type == html.ElementNode {
		if captchaPattern.MatchString(attribute(n, "class") + " " + attribute(n, "src") + " " + attribute(n, "name")) {
			p.captcha = true
		}
		switch n.Data {
		case "form":
			f = p.form(n, at)
		case "input", "button", "select", "textarea":
			if f != nil {
				f.add(n)
			}
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		p.walk(c, at, f)
	}
}

func (p *webPage) form(n *html.Node, at *url.URL) *webForm {
	f := &webForm{method: strings.ToUpper(attribute(n, "method"))}
	if f.method == "" {
		f.method = http.MethodGet
	}
	var err error
	if f.action, err = at.Parse(attribute(n, "action")); err != nil {
		return nil
	}
	p.forms = append(p.forms, f)
	return f
}

func (f *webForm) add(n *html.Node) {
	i := input{name: attribute(n, "name"), value: attribute(n, "value"), kind: strings.ToLower(attribute(n, "type"))}
	i.hint = strings.Join([]string{i.name, attribute(n, "id"), attribute(n, "autocomplete")}, " ")
	if n.Data == "button" && (i.kind == "" || i.kind == "submit") || i.kind == "submit" || i.kind == "image" {
		i.hint += " " + i.value + " " + text(n)
		f.buttons = append(f.buttons, i)
		return
	}
	if n.Data == "button" || i.name == "" || i.kind == "reset" || i.kind == "button" {
		return
	}
	switch {
	case i.kind == "hidden":
	case i.kind == "checkbox" || i.kind == "radio":
		if !has(n, "checked") {
			i.kind = "unchecked"
		}
		if i.value == "" {
			i.value = "on"
		}
	case i.kind == "password":
		f.password = i.name
	case factorPattern.MatchString(i.hint):
		f.factor = true
	case f.username == "" && (namePattern.MatchString(i.hint) || i.kind == "email"):
		f.username = i.name
	}
	f.fields = append(f.fields, i)
}

// beyond says what a page asks for that no program should answer, or "".
func (p *webPage) beyond() string {
	if p.captcha {
		return "a captcha"
	}
	for _, f := range p.forms {
		if f.factor && f.password == "" {
			return "a second factor"
		}
	}
	return ""
}

// choose is the form to fill in: that with a password, else one that asks who it is, else one that only has to be sent.
func (p *webPage) choose(login *config.Form) *webForm {
	for _, fits := range []func(*webForm) bool{
		func(f *webForm) bool { return f.password != "" },
		func(f *webForm) bool { return f.person(login) != nil },
		func(f *webForm) bool { return f.username != "" },
		func(f *webForm) bool { return f.choice(login) },
		func(f *webForm) bool { return f.method == http.MethodPost },
	} {
		if i := slices.IndexFunc(p.forms, fits); i >= 0 {
			return p.forms[i]
		}
	}
	return nil
}

// person is the button of a picker that stands for the user.
func (f *webForm) person(login *config.Form) *input {
	for n, b := range f.buttons {
		if b.name != "" && b.value == login.Username {
			return &f.buttons[n]
		}
	}
	return nil
}

// choice reports whether the user can be chosen among several.
func (f *webForm) choice(login *config.Form) bool {
	return slices.ContainsFunc(f.fields, func(i input) bool {
		return (i.kind == "unchecked" || i.kind == "radio") && i.value == login.Username
	})
}

// fill returns what a browser would send.
func (f *webForm) fill(login *config.Form) (list []reports.Field) {
	for _, i := range f.fields {
		given, set := login.Fields[i.name]
		switch {
		case set:
			i.value = given
		case i.name == f.password:
			i.value = login.Password
		case i.name == f.username:
			i.value = login.Username
		case i.kind == "unchecked" && i.value != login.Username:
			continue
		}
		list = append(list, reports.Field{Name: i.name, Value: i.value})
	}
	if b := f.button(login); b != nil && b.name != "" {
		list = append(list, reports.Field{Name: b.name, Value: b.value})
	}
	return list
}

// button is the one to press: the user's own, else the first that is no way out.
func (f *webForm) button(login *config.Form) *input {
	if b := f.person(login); b != nil && f.password == "" {
		return b
	}
	for n, b := range f.buttons {
		if given, set := login.Fields[b.name]; set && b.name != "" {
			if given == b.value {
				return &f.buttons[n]
			}
			continue
		}
		if !denyPattern.MatchString(b.hint) {
			return &f.buttons[n]
		}
	}
	return nil
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// text is all the text below a node.
func text(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	if n.Type == html.ElementNode && (n.Data == "style" || n.Data == "script" || n.Data == "title") {
		return ""
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(text(c) + " ")
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// scripted reports whether a page has no form and runs a script: then it makes its form itself.
func scripted(body []byte) bool {
	root, err := html.Parse(strings.NewReader(string(body)))
	if err != nil {
		return false
	}
	found := map[string]bool{}
	for n := range root.Descendants() {
		found[n.Data] = found[n.Data] || n.Type == html.ElementNode
	}
	return found["script"] && !found["form"]
}

// pageText is what a page says.
func pageText(body []byte) string {
	root, err := html.Parse(strings.NewReader(string(body)))
	if err != nil {
		return ""
	}
	return text(root)
}
