package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
)

//go:embed templates
var files embed.FS

// templates are the pages by name, each with the layout and the parts around it. They are read at the first use, for
// most programs have no use for them.
var templates = sync.OnceValue(parse)

func parse() map[string]*template.Template {
	shared := template.Must(template.New("").Funcs(template.FuncMap{
		"clock": clock, "stamp": stamp, "json": indent, "join": strings.Join, "escape": url.PathEscape, "asset": asset,
		"grant": grant, "first": first, "pair": pair,
		"duration": func(d directory.Duration) string { return time.Duration(d).String() },
	}).ParseFS(files, "templates/shared/*.html"))
	pages, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		panic(err) // the pattern is sound
	}
	out := map[string]*template.Template{}
	for _, file := range pages {
		name := strings.TrimSuffix(path.Base(file), ".html")
		out[name] = template.Must(template.Must(shared.Clone()).ParseFS(files, file))
	}
	return out
}

// view is a page to be rendered: its template, its place in the navigation, and what it shows.
type view struct {
	name, title string
	live        bool // shows what changes by itself
	status      int  // 0 is 200
	message     string
	data        any
}

// page is what every template gets.
type page struct {
	Title, Base, Here   string
	Issuer              string
	Write, Live, Follow bool
	Form                string // token of forms
	Said, Problem       string
	Nav                 []link
	Data                any
}

type link struct {
	Path, Title string
	Current     bool
}

var navigation = []link{
	{"", "Overview", false}, {"flow", "Flow", false}, {"people", "People", false}, {"groups", "Groups", false},
	{"clients", "Clients", false},
	{"connectors", "Connectors", false}, {"policies", "Policies", false}, {"audit", "Audit log", false},
	{"exchanges", "Exchanges", false}, {"inspect", "Token inspector", false}, {"faults", "Faults & claims", false},
}

// show makes a handler of a page.
func (c *console) show(page func(*console, *http.Request) (view, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := page(c, r)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		c.render(w, r, v)
	})
}

// fail shows an error on a page of its own.
func (c *console) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problem{http.StatusBadRequest, sentence(err)}
	_ = errors.As(err, &p)
	c.render(w, r, view{name: "problem", title: http.StatusText(p.status), status: p.status, data: p.text})
}

// sentence makes one of an error: a capital letter, a full stop.
func sentence(err error) string {
	s := strings.TrimSuffix(err.Error(), ".") + "."
	return strings.ToUpper(s[:1]) + s[1:]
}

func notFound(_ *console, r *http.Request) (view, error) {
	return view{}, problem{http.StatusNotFound, "There is no such page: " + r.URL.Path}
}

func (c *console) render(w http.ResponseWriter, r *http.Request, v view) {
	p := page{Title: v.title, Base: c.base, Here: r.URL.RequestURI(), Issuer: c.idp.URL(), Write: c.write,
		Live: v.live, Follow: r.URL.Query().Has("follow"), Form: c.token(w, r), Said: c.said(w, r), Problem: v.message,
		Data: v.data}
	section, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, c.base+"/"), "/")
	for _, l := range navigation {
		l.Current = l.Path == section
		p.Nav = append(p.Nav, l)
	}
	var body bytes.Buffer
	if err := templates()[v.name].ExecuteTemplate(&body, "layout", p); err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(body.Bytes())
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("ETag", tag)
	if v.live && r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if v.status != 0 {
		w.WriteHeader(v.status)
	}
	_, _ = body.WriteTo(w) // the browser went away: nobody is left to tell
}

// clock is a time of today's, stamp a whole one: both in UTC, as logs have it.
func clock(t time.Time) string { return t.UTC().Format("15:04:05") }
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

func indent(value any) (string, error) {
	raw, err := json.MarshalIndent(value, "", "  ")
	return string(raw), err
}

// pair gives a part of a page what it shows, and the page around it.
func pair(p page, it any) any {
	return struct {
		Page page
		It   any
	}{p, it}
}

// grant is the short name of the grant type that a token request used.
func grant(e mockidp.Exchange) string {
	types := e.Request["grant_type"]
	if len(types) == 0 {
		return ""
	}
	return types[0][strings.LastIndexByte(types[0], ':')+1:]
}

// assets are the hashes of the static files: an address that changes with its content may be kept for ever.
var assets = sync.OnceValue(hashes)

func hashes() map[string]string {
	assets := map[string]string{}
	entries, err := static.ReadDir("static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	for _, e := range entries {
		raw, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(raw)
		assets[e.Name()] = base64.RawURLEncoding.EncodeToString(sum[:6])
	}
	return assets
}

func asset(name string) string { return "static/" + name + "?" + assets()[name] }
