package reports

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// command is a curl line that sends a request again, and the shell variables that have to be set first.
type command struct {
	Line  string
	Needs []string
}

// curl makes the command for a request. Where a token or a secret stood it names a variable, e.g. "$ID_JAG"; everything
// else is quoted for a POSIX shell, with $'…' of bash and zsh where a control character must not reach the clipboard.
func (r Request) curl() command {
	s := &shell{names: map[string]string{}}
	args := []string{"curl -sS -i"}
	hasBody := len(r.Form) > 0 || r.Body != ""
	switch {
	case r.Method == http.MethodHead:
		args = append(args, "--head")
	case r.Method == http.MethodGet && !hasBody, r.Method == http.MethodPost && hasBody: // what curl does by itself
	default:
		args = append(args, "-X "+s.quote(r.Method))
	}
	args = append(args, "--globoff --url "+s.quote(r.URL))
	args = append(args, s.headers(r.Header)...)
	if r.Body != "" && r.Header.Get("Content-Type") == "" {
		args = append(args, "-H Content-Type:") // or curl would call it a form
	}
	for _, f := range r.Form {
		args = append(args, s.field(f))
	}
	if len(r.Form) == 0 && r.Body != "" {
		args = append(args, "--data-raw "+s.quote(r.Body))
	}
	return command{strings.Join(args, " \\\n  "), s.needs}
}

// shell quotes words and collects the variables that they use.
type shell struct {
	names map[string]string // reference → variable
	needs []string
}

// notSent are headers that curl makes itself, or that would make its output unreadable.
var notSent = []string{"Content-Length", "Host", "Transfer-Encoding", "Connection", "Accept-Encoding"}

var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

const basicCredentials = "Basic ‹client id:client secret›"

func (s *shell) headers(h http.Header) []string {
	var args []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if slices.Contains(notSent, http.CanonicalHeaderKey(name)) || !headerName.MatchString(name) {
			continue
		}
		for _, value := range h[name] {
			switch value {
			case basicCredentials:
				args = append(args, fmt.Sprintf(`-u "$%s:$%s"`, s.need("CLIENT_ID"), s.need("CLIENT_SECRET")))
			case "":
				args = append(args, "-H "+s.quote(name+";")) // curl's way to send a header without a value
			default:
				args = append(args, "-H "+s.quote(name+": "+value))
			}
		}
	}
	return args
}

// field is a form field. curl encodes the value, not the name; a value with control characters is encoded here, so
// that none reaches the shell.
func (s *shell) field(f Field) string {
	name := url.QueryEscape(string([]rune(f.Name))) // runes, as a stored report has them
	if name == "" || strings.ContainsFunc(f.Value, unprintable) && !reference.MatchString(f.Value) {
		return "--data-raw " + s.quote(name+"="+url.QueryEscape(string([]rune(f.Value))))
	}
	return "--data-urlencode " + s.quote(name+"="+f.Value)
}

// reference is what stands in the place of a token or secret: "‹id-jag 1›".
var reference = regexp.MustCompile(`‹([^‹›]{1,80})›`)

// quote makes one word of the shell: references become variables, the rest is literal.
func (s *shell) quote(text string) string {
	var word strings.Builder
	last := 0
	for _, at := range reference.FindAllStringSubmatchIndex(text, -1) {
		word.WriteString(literal(text[last:at[0]]))
		word.WriteString(`"$` + s.variable(text[at[2]:at[3]]) + `"`)
		last = at[1]
	}
	word.WriteString(literal(text[last:]))
	if word.Len() == 0 {
		return "''"
	}
	return word.String()
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]*$`)

// literal quotes text that the shell must not read. NUL, which no argument can hold, is left out.
func literal(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	if !strings.ContainsFunc(text, unprintable) {
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for _, r := range text {
		switch {
		case r == 0:
		case r == '\'' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case unprintable(r):
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + "'"
}

func unprintable(r rune) bool { return steers(r) || r == '\n' || r == '\t' }

// variables are the names for what recorders hide, by the reference without its number.
var variables = map[string]string{
	"id-jag": "ID_JAG", "access token": "ACCESS_TOKEN", "subject token": "SUBJECT_TOKEN", "actor token": "ACTOR_TOKEN",
	"id token": "ID_TOKEN", "refresh token": "REFRESH_TOKEN", "client assertion": "CLIENT_ASSERTION",
	"saml assertion": "SAML_ASSERTION", "dpop proof": "DPOP_PROOF", "jwt": "JWT", "client secret": "CLIENT_SECRET",
	"client id": "CLIENT_ID", "authorization code": "CODE", "code": "CODE", "code verifier": "CODE_VERIFIER",
	"cookie": "COOKIE",
}

var notInName = regexp.MustCompile(`[^A-Z0-9]+`)

// variable names the variable for a reference. References of one kind within a request get a number from the second on.
// A kind that is not known gets a prefix of its own: text of the target that looks like a reference must not name a
// variable that the person who pastes the line has set for something else.
func (s *shell) variable(ref string) string {
	if name, ok := s.names[ref]; ok {
		return name
	}
	kind := kind(ref)
	if strings.HasPrefix(kind, "secret of client ") {
		kind = "client secret"
	}
	base, ok := variables[kind]
	if !ok {
		base = "EMACONFORM_" + strings.Trim(notInName.ReplaceAllString(strings.ToUpper(kind), "_"), "_")
	}
	name := base
	for n := 2; slices.Contains(s.needs, name); n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	s.names[ref] = name
	return s.need(name)
}

func (s *shell) need(name string) string {
	if !slices.Contains(s.needs, name) {
		s.needs = append(s.needs, name)
	}
	return name
}
