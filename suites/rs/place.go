package rs

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

var _ = check.For("RS-TOKEN-PLACE", func() {
	server.It("query", "does not take a token from the query", func(t *server.T) {
		token := t.AccessToken()
		t.Use(token)
		r := t.Knock("")
		r.URL = withQuery(r.URL, "access_token", token)
		Expect(t.Break(r)).To(server.BeUnauthorized())
	}, check.By("EMA proposal §7.3"),
		check.Sends("A request with the token in the header as control, then with ?access_token= and no header"))

	server.It("form", "does not take a token from a form", func(t *server.T) {
		token := t.AccessToken()
		t.Use(token)
		r := t.Knock("")
		r.Body = nil
		r.AddField("access_token", token)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		Expect(t.Break(r)).To(server.BeTurnedAway())
	}, check.Should(), check.Sends("A request with the token in the header as control, then a form with access_token and no header"))

	server.It("cookie", "does not take a token from a cookie", func(t *server.T) {
		token := t.AccessToken()
		t.Use(token)
		r := t.Knock("")
		r.Header.Set("Cookie", "access_token="+token+"; token="+token)
		Expect(t.Break(r)).To(server.BeUnauthorized())
	}, check.Should(), check.Sends("A request with the token in the header as control, then in cookies and no header"))

	server.It("every-request", "wants the token on every request of a session", func(t *server.T) {
		token := t.AccessToken()
		s := t.Open(token)
		t.UseWith(s.Request(token, "tools/list", nil))
		Expect(t.Break(s.Request("", "tools/list", nil))).To(server.BeUnauthorized())
	}, check.Sends("initialize and tools/list with the token as control, then tools/list in the same session without"))

	server.It("every-stateless-request", "wants the token on every request of one connection", func(t *server.T) {
		if !t.Revisions().Stateless {
			t.Skipf("the server does not answer revision %s", server.Revision2026)
		}
		t.UseWith(server.Stateless(t.Config.URL, t.AccessToken(), "tools/list", nil))
		Expect(t.Break(server.Stateless(t.Config.URL, "", "tools/list", nil))).To(server.BeUnauthorized())
	}, check.Sends("A stateless tools/list with the token as control, then one without"))

	server.It("scheme-case", "takes the scheme in any case", func(t *server.T) {
		token := t.AccessToken()
		t.Use(token)
		for _, scheme := range []string{"bearer", "BEARER"} {
			r := t.Knock("")
			r.Header.Set("Authorization", scheme+" "+token)
			Expect(t.Send(r, reports.Attack, "must be let in")).To(server.BeLetIn(), "scheme names have no case (RFC 9110 11.1)")
		}
	}, check.Sends("Requests with the schemes bearer and BEARER, after one with Bearer as control"))

	for slug, order := range map[string]func(good, bad string) []string{
		"two-headers-good-first": func(good, bad string) []string { return []string{good, bad} },
		"two-headers-bad-first":  func(good, bad string) []string { return []string{bad, good} },
	} {
		server.It(slug, "refuses two Authorization headers, the "+strings.Split(slug, "-")[2]+" one first", func(t *server.T) {
			token := t.AccessToken()
			t.Use(token)
			r := t.Knock("")
			r.Header["Authorization"] = order("Bearer "+token, "Bearer "+rand.Text())
			Expect(t.Break(r)).To(server.BeStatus(http.StatusBadRequest, http.StatusUnauthorized),
				"whoever stands before the server may have looked at the other one")
		}, check.Should(), check.Sends("A request with a good token and a random one, each in an Authorization header"))
	}
})

func withQuery(rawURL, name, value string) string {
	separator := "?"
	if strings.Contains(rawURL, "?") {
		separator = "&"
	}
	return rawURL + separator + url.Values{name: {value}}.Encode()
}
