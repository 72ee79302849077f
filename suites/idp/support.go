// Package idp judges identity providers that sign people in and issue ID-JAGs: its files hold the checks, a requirement
// or a few that belong together in each. Package world has the vocabulary, package judge runs them.
package idp

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/idp/signin"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// refuses declares a check with one honest exchange, which must be granted, and one that is changed, which must not.
func refuses(slug, what string, change func(*T) []Option, options ...check.Option) {
	It(slug, "refuses "+what, func(t *T) {
		attack(t, change(t)...)
	}, append([]check.Option{check.Sends("An exchange that is granted, then one with " + what + ".")}, options...)...)
}

// attack makes the honest exchange, then the changed one, which must be refused. The control is by the same client.
func attack(t *T, changes ...Option) *wire.Answer {
	_, a := t.Beside(func() *wire.Answer { return t.Attack(changes...) })
	Expect(a).To(server.BeRefused())
	return a
}

// one is a change without a look at the world.
func one(changes ...Option) func(*T) []Option {
	return func(*T) []Option { return changes }
}

// codes notes an error code that misleads a client, of a refusal.
func codes(t *T, a *wire.Answer, wanted ...string) {
	if code := a.String("error"); code != "" && !slices.Contains(wanted, code) {
		t.Notef("refused with %s, where %s tells the client more", wire.Printable(code, 60), strings.Join(wanted, " or "))
	}
}

// idJAG reports whether an answer carries an ID-JAG, by what it says or by what the token says of itself.
func idJAG(t *T, a *wire.Answer) bool {
	if !Granted(a) {
		return false
	}
	g, _ := t.Read(a)
	return a.String("issued_token_type") == TypeIDJAG || g.Header["typ"] == "oauth-id-jag+jwt"
}

// hook has something done at the identity provider, by a shell command or a URL, and returns what that printed. A file
// is read.
func hook(ctx context.Context, t *T, line, user string) (string, error) {
	if strings.HasPrefix(line, "http://") || strings.HasPrefix(line, "https://") {
		r := &wire.Request{URL: line, Form: []reports.Field{{Name: "user", Value: user}}}
		a := t.Wire.Do(ctx, r, nil, reports.Setup, "")
		if a.Err != nil || a.Status/100 != 2 {
			return "", fmt.Errorf("the hook at %s did not do it: %s", wire.Printable(origin(line), 100), a.Summary())
		}
		return string(a.Body), nil
	}
	if raw, err := os.ReadFile(line); err == nil {
		return string(raw), nil
	}
	out, err := signin.Shell(ctx, line, map[string]string{"USER": user, "ISSUER": t.Config.IdP.Issuer})
	if err != nil {
		return "", fmt.Errorf("the hook %w", err)
	}
	return string(out), nil
}

// origin is a URL without its path, where a secret may stand.
func origin(u string) string {
	scheme, rest, _ := strings.Cut(u, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// do runs a hook; the check is inconclusive when it fails.
func do(t *T, line, user string) string {
	out, err := hook(t, t, line, user)
	if err != nil {
		t.Inconclusivef("%v", err)
	}
	return strings.TrimSpace(out)
}

// eventually waits, as long as timing.settle allows, until the request is refused, and returns the last answer.
func eventually(t *T, ask func() *wire.Answer) *wire.Answer {
	a := ask()
	if !Granted(a) || t.Config.Timing.Settle == 0 {
		return a
	}
	t.Notef("still granted at once; waiting up to %s (timing.settle)", t.Config.Timing.Settle)
	t.Within(t.Config.Timing.Settle, func() bool {
		a = ask()
		return !Granted(a)
	})
	return a
}

// post is a token request with these fields by the first client.
func post(t *T, fields ...string) *wire.Request {
	r := &wire.Request{URL: t.Provider.Token, Header: http.Header{"Accept": {"application/json"}}}
	for pair := range slices.Chunk(fields, 2) {
		r.AddField(pair[0], pair[1])
	}
	signin.Authenticate(r, t.A(), t.Provider.Token, t.Now())
	return r
}
