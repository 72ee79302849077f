package rs

import (
	"crypto/rand"
	"net/url"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

var _ = check.For("RS-TOKEN-PLACE", func() {
	server.It("query", "does not take a token from the query", server.InEach(func(t *server.T) {
		token := t.AccessToken()
		t.Use(token)
		r := t.Knock("")
		r.URL = withQuery(r.URL, "access_token", token)
		Expect(t.Break(r)).To(server.BeUnauthorized())
	}), check.By("EMA proposal §7.3"),
		check.Sends("A request with the token in the header as control, then with ?access_token= and no header"))

	server.It("form", "does not take a token from a form", server.InEach(func(t *server.T) {
		token := t.AccessToken()
		t.Use(token)
		r := t.Knock("")
		r.Body = nil
		r.AddField("access_token", token)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		Expect(t.Break(r)).To(server.BeTurnedAway())
	}), check.Should(), check.Sends("A request with the token in the header as control, then a form with access_token "+
		"and no header"))

	server.It("cookie", "does not take a token from a cookie", server.InEach(func(t *server.T) {
		token := t.AccessToken()
		t.Use(token)
		r := t.Knock("")
		r.Header.Set("Cookie", "access_token="+token+"; token="+token)
		Expect(t.Break(r)).To(server.BeUnauthorized())
	}), check.Should(), check.Sends("A request with the token in the header as control, then in cookies and no header"))

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
		t.UseWith(t.Stateless(t.Config.URL, t.AccessToken(), "tools/list", nil))
		Expect(t.Break(t.Stateless(t.Config.URL, "", "tools/list", nil))).To(server.BeUnauthorized())
	}, check.Sends("A stateless tools/list with the token as control, then one without"))

	server.It("scheme-case", "takes the scheme in any case", server.InEach(func(t *server.T) {
		token := t.AccessToken()
		t.Use(token)
		for _, scheme := range []string{"bearer", "BEARER"} {
			r := t.Knock("")
			r.Header.Set("Authorization", scheme+" "+token)
			Expect(t.Send(r, reports.Attack, "must be let in")).To(server.BeLetIn(), "scheme names have no case (RFC 9110 11.1)")
		}
		r := t.Knock("")
		r.Header["Authorization"] = []string{"Bearer " + token, "Bearer " + rand.Text()}
		if server.LetIn(t.Send(r, reports.Setup, "two Authorization headers")) {
			t.Notef("of two Authorization headers one is taken, by the server or by a proxy before it")
		}
	}), check.With(server.NeedsBearer),
		check.Sends("Requests with the schemes bearer and BEARER, after one with Bearer as control"))
})

func withQuery(rawURL, name, value string) string {
	separator := "?"
	if strings.Contains(rawURL, "?") {
		separator = "&"
	}
	return rawURL + separator + url.Values{name: {value}}.Encode()
}
