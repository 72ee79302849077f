package inspect

import (
	"slices"
	"strings"
)

func rightScope(t *token, idp Provider) (Outcome, string) {
	value, there := t.claims.get("scope")
	scope, isText := value.(string)
	switch {
	case !there:
		return Depends, "There is no scope: what is granted is the RAS's policy."
	case !isText:
		return Problem, "scope is " + kindOf(value) + ", expected a string of scopes with spaces between."
	case !wellFormed(scope):
		return Problem, "scope is not in the form of RFC 6749 section 3.3: one space between scopes, printable ASCII " +
			"without quotes."
	}
	r := t.connector(idp)
	if r == nil {
		return Depends, "The RAS is not known here, and neither are its scopes."
	}
	unknown := slices.DeleteFunc(strings.Split(scope, " "), func(s string) bool { return slices.Contains(r.Scopes, s) })
	if len(unknown) > 0 {
		return Problem, "Not a scope of " + title(r.Name, r.ID) + ": " + visible(strings.Join(unknown, ", "), 120) + "."
	}
	return OK, "The RAS grants these or fewer: no more than the request asks for, and none that is not here."
}

// wellFormed reports whether a scope parameter is as RFC 6749 section 3.3 writes it.
func wellFormed(scope string) bool {
	for _, s := range strings.Split(scope, " ") {
		if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			return false
		}
	}
	return true
}
