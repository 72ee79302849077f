package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/console/inspect"
)

// leaf is a leaf of a log, the newest entries first.
type leaf[T any] struct {
	Query, Only  string
	Rows         []T
	Total        int
	Newer, Older string // query of the leaf beside, "" when there is none
}

// leafOf cuts the leaf that the request asks for out of the entries that match.
func leafOf[T any](r *http.Request, entries []T, match func(T) bool) leaf[T] {
	q := r.URL.Query()
	entries = slices.DeleteFunc(entries, func(e T) bool { return !match(e) })
	slices.Reverse(entries)
	l := leaf[T]{Query: q.Get("q"), Only: q.Get("only"), Total: len(entries)}
	n, _ := strconv.Atoi(q.Get("leaf"))
	n = max(0, min(n, (len(entries)-1)/maxRows))
	l.Rows = entries[min(n*maxRows, len(entries)):min((n+1)*maxRows, len(entries))]
	to := func(n int) string {
		return "?" + url.Values{"q": {l.Query}, "only": {l.Only}, "leaf": {strconv.Itoa(n)}}.Encode()
	}
	if n > 0 {
		l.Newer = to(n - 1)
	}
	if (n+1)*maxRows < len(entries) {
		l.Older = to(n + 1)
	}
	return l
}

func contains(q string, values ...string) bool {
	return strings.Contains(strings.ToLower(strings.Join(values, "\n")), strings.ToLower(strings.TrimSpace(q)))
}

func auditLog(c *console, r *http.Request) (view, error) {
	q := r.URL.Query()
	outcomes := map[string]audit.Outcome{"granted": audit.Success, "refused": audit.Failure}
	l := leafOf(r, c.idp.Audit().Entries(), func(e audit.Entry) bool {
		only, narrowed := outcomes[q.Get("only")]
		return (!narrowed || e.Outcome == only) && contains(q.Get("q"), e.Type, e.Login, e.User, e.Client, e.Audience, e.Rule,
			e.Error, e.Reason, e.Detail, e.JTI, e.Request, strings.Join(e.Resource, " "), strings.Join(e.Asked, " "),
			strings.Join(e.Granted, " "))
	})
	return view{name: "audit", title: "Audit log", live: true, data: l}, nil
}

func exchanges(c *console, r *http.Request) (view, error) {
	q := r.URL.Query()
	l := leafOf(r, c.idp.Exchanges(), func(e mockidp.Exchange) bool {
		failed := e.Status >= http.StatusBadRequest || e.Fault
		switch only := q.Get("only"); {
		case only == "failed" && !failed, only != "failed" && only != "" && only != e.Endpoint:
			return false
		}
		return contains(q.Get("q"), e.Endpoint, e.Method, e.Path, e.Client, e.Error, e.ID, strconv.Itoa(e.Status))
	})
	return view{name: "exchanges", title: "Exchanges", live: true, data: struct {
		leaf[mockidp.Exchange]
		Endpoints []string
	}{l, mockidp.Endpoints()}}, nil
}

// field is a parameter of a request or a member of an answer. Token is there when the value is a JWT.
type field struct {
	Name, Value string
	Token       *inspect.Report
}

func exchange(c *console, r *http.Request) (view, error) {
	id := mux.Vars(r)["id"]
	all := c.idp.Exchanges()
	n := slices.IndexFunc(all, func(e mockidp.Exchange) bool { return e.ID == id })
	if n < 0 {
		return view{}, problem{http.StatusNotFound, "This exchange is not remembered: only the last ones are kept."}
	}
	request, response := c.fields(all[n])
	var decision *audit.Entry
	for _, e := range c.idp.Audit().Entries() {
		if e.Request == id {
			decision = &e
		}
	}
	return view{name: "exchange", title: "Exchange", data: struct {
		mockidp.Exchange
		RequestFields, ResponseFields []field
		Decision                      *audit.Entry
	}{all[n], request, response, decision}}, nil
}

// cut is what the exchange log puts in the place of a signature.
const cut = "[signature]"

func (c *console) field(name, value string) field {
	f := field{Name: name, Value: value}
	if unsigned, isToken := strings.CutSuffix(value, cut); isToken {
		if report, err := inspect.Token(unsigned, c.view()); err == nil {
			f.Token, f.Value = report, ""
		}
	}
	return f
}

// view is the identity provider as the inspector sees it.
func (c *console) view() inspect.Provider {
	return inspect.Provider{Issuer: c.idp.URL(), Keys: c.idp.PublicKeys, Directory: c.idp.Directory(), Now: c.idp.Now()}
}
