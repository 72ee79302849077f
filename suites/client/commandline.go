package client

import (
	"regexp"
	"strings"
)

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
