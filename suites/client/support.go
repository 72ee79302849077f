package client

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/client/world"
)

// basicUser is the client id of Basic credentials, form-decoded (RFC 6749 2.3.1); ok wants both parts to be
// well-formed.
func basicUser(s world.Seen) (id string, ok bool) {
	user, secret, basic := world.Basic(s.Header)
	if !basic {
		return "", false
	}
	id, errID := url.QueryUnescape(user)
	_, errSecret := url.QueryUnescape(secret)
	return id, errID == nil && errSecret == nil
}

// hasAll reports whether a scope has all of these values.
func hasAll(scope string, values ...string) bool {
	have := strings.Fields(scope)
	return !slices.ContainsFunc(values, func(v string) bool { return !slices.Contains(have, v) })
}

// secretName matches the names of arguments whose values are nobody's business.
var secretName = regexp.MustCompile(`(?i)secret|token|passw|key|credential|authorization|bearer`)

// commandLine is a command as a report may show it: without the values of arguments that are secrets by their names.
func commandLine(args []string) string {
	const hidden = "‹hidden›"
	var shown []string
	secret := false // the argument before was the name of a secret
	for i, arg := range args {
		name, _, valued := strings.Cut(arg, "=")
		flag := strings.HasPrefix(arg, "-")
		switch {
		case secret && !flag, i > 0 && strings.Contains(arg, " ") && secretName.MatchString(arg): // a header, a script for sh
			arg = hidden
		case valued && secretName.MatchString(name):
			arg = name + "=" + hidden
		}
		secret = flag && !valued && secretName.MatchString(name)
		shown = append(shown, arg)
	}
	return strings.Join(shown, " ")
}
