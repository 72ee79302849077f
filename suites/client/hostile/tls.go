package hostile

import (
	"fmt"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	. "github.com/emaconform/emaconform/suites/client/scenario" // the words that scenarios are declared in
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-TLS", func() {
	for _, p := range []struct {
		slug, name string
		of         func(*world.World) *world.Party
	}{
		{"idp", "the IdP", func(w *world.World) *world.Party { return w.IdP.Party }},
		{"ras", "the RAS", func(w *world.World) *world.Party { return w.RAS.Party }},
		{"mcp", "the MCP server", func(w *world.World) *world.Party { return w.MCP.Party }},
	} {
		for _, bad := range []mockidp.BadCertificate{mockidp.SelfSigned, mockidp.Expired, mockidp.WrongName} {
			It(p.slug+"-"+string(bad), fmt.Sprintf("refuses a certificate of %s that is bad (%s)", p.name, bad),
				HTTPS.But(fmt.Sprintf("A world with https, in which the certificate of %s is bad: %s", p.name, bad),
					func(w *world.World) { w.Certificates[p.of(w)] = bad }).From(Shook(p.name, p.of)),
				func(t *T) {
					t.MustSpare(p.of(t.World), "its certificate is bad (EMA 7.3)")
					t.MustNotGetThrough("a certificate was bad")
				})
		}
	}
})
