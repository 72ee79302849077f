package conduct

import (
	"regexp"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// internals are what a program says of its inside when nobody has caught an error.
var internals = map[string]*regexp.Regexp{
	"a stack trace": regexp.MustCompile(`(?m)^\s*at \S+.*:\d+|\n\s+at |Traceback \(most recent|goroutine \d+ \[|` +
		`\.(?:java|kt|scala|cs|rb|php):\d+`),
	"a file of the server": regexp.MustCompile(
		`(?:/usr/|/home/|/app/|/srv/|/opt/|/var/|/root/)[\w.@-]+/[\w./@-]+|node_modules/|site-packages/|[A-Z]:\\\\[\w\\.-]+`),
	"a database query": regexp.MustCompile(
		`(?i)\bselect\b.{1,200}\bfrom\b|\binsert into\b|SQLSTATE|ORA-\d{5}|duplicate key value`),
	"an exception": regexp.MustCompile(`\b(?:[a-z]\w*\.){2,}\w*(?:Exception|Error)\b|` +
		`\b(?:TypeError|SyntaxError|NullPointerException|KeyError): `),
	"an address of an inner network":   regexp.MustCompile(`\b(?:10\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+\b`),
	"what secures the target's tokens": regexp.MustCompile(`-----BEGIN|"d"\s*:\s*"`),
}

var _ = check.For("RAS-ERR-SHAPE", func() {
	server.It("internals", "says nothing of its inside when it refuses", func(t *server.T) {
		t.Control(t.Grant())
		honest := t.Grant()
		for _, broken := range []any{
			hostile.FlipSignature(hostile.Sign(honest)), "emaconform", "a.b.c", hostile.Segments(2),
			hostile.SignBytes(honest.Key, []byte(`{"alg":`), []byte(`{}`)), t.Grant(server.Set("sub", "emaconform'\"\\--")),
			t.Grant(server.Set("exp", map[string]any{})), t.Grant(server.Set("jti", "emaconform\x00")),
		} {
			a := t.Attack(broken)
			for what, sign := range internals {
				if found := sign.Find(a.Body); found != nil {
					t.Failf("an error holds %s (%q): it tells an attacker where to look", what, found[:min(len(found), 60)])
				}
			}
		}
	}, check.Should(), check.Sends("Several assertions that are broken in different ways, after an honest one; the "+
		"answers are searched for stack traces, paths and queries"))
})
