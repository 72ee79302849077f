package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/template"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/console"
	"github.com/emaconform/emaconform/mockidp/directory"
)

const banner = `MOCK IDENTITY PROVIDER, for development and tests only.
Anyone can sign in as anyone, it signs whatever it is asked to, and its secrets are no secrets.
`

const remoteBanner = `It listens on %s: other machines can reach it. Do not trust its issuer in anything that matters.
`

var announcement = template.Must(template.New("").Funcs(template.FuncMap{"join": strings.Join}).Parse(`
issuer       {{.Issuer}}   ({{.Flavour}})
discovery    {{.Base}}/.well-known/openid-configuration
keys         {{.JWKS}}{{if .Control}}
control API  {{.Control}}   Authorization: Bearer {{.Secret}}{{end}}{{with .Console}}
console      {{.}}{{end}}

people
{{- range .People}}
  {{printf "%-22s" .Login}} {{join .Groups ", "}}{{if not .Status.OK}} ({{.Status}}){{end}}{{end}}

clients
{{- range .Clients}}
  {{.ID}}   {{.Auth}}{{with .Secret}}   secret {{.}}{{end}}{{with .RedirectURIs}}
    redirect URI {{join . ", "}}{{end}}{{if .SAML}}
    SAML metadata {{$.Base}}/app/{{.ID}}/sso/saml/metadata{{end}}{{end}}

connectors
{{- range .Connectors}}
  {{.ID}}   audience {{.Audience}}{{with .Resources}}   resource {{join . ", "}}{{end}}
    {{- with .Scopes}}   scope {{join . " "}}{{end}}
    {{- $id := .ID}}{{range $.Connections}}{{if eq .Connector $id}}
    client {{.Client}} is {{.ClientID}} there{{end}}{{end}}{{end}}
{{with .Steps}}
try it
{{range .}}
# {{.Title}}
{{.Command}}
{{end}}{{end}}`))

// announced is what the command says when it serves.
type announced struct {
	Issuer, Base, Flavour, JWKS, Control, Secret string // Base is the issuer without a slash at its end
	Console                                      string // "" is off
	People                                       []directory.User
	Clients                                      []directory.Client
	Connectors                                   []directory.Connector
	Connections                                  []directory.Connection
	Steps                                        []step
}

type step struct{ Title, Command string }

func (f *mockIdPFlags) announce(stdout, stderr io.Writer, s *mockidp.Server, o mockidp.ServerOptions) error {
	d, at := s.Directory(), ""
	if o.Console != nil {
		at = console.URL(s.IdP)
	}
	fmt.Fprint(stderr, banner)
	if remote(o.Listen) {
		fmt.Fprintf(stderr, remoteBanner, o.Listen)
	}
	if f.json {
		return json.NewEncoder(stdout).Encode(map[string]any{
			"issuer": s.URL(), "jwks_uri": s.JWKSURI(), "token_endpoint": s.TokenURL(),
			"console": at, "control": map[string]string{"url": s.ControlURL(), "secret": o.ControlSecret},
			"users": d.Users, "clients": d.Clients, "connectors": d.Connectors, "connections": d.Connections,
		})
	}
	return announcement.Execute(stdout, announced{
		Issuer: s.URL(), Base: s.Below(""), Flavour: s.Flavour().Title, JWKS: s.JWKSURI(), Control: s.ControlURL(),
		Secret: o.ControlSecret, Console: at,
		People: d.Users, Clients: d.Clients, Connectors: d.Connectors, Connections: d.Connections, Steps: f.steps(s, d),
	})
}

// steps are a curl line for each step of the flow, for the last connector (with --audience: the caller's own) and a
// client and a user of it.
func (f *mockIdPFlags) steps(s *mockidp.Server, d *directory.Directory) []step {
	for n := len(d.Connectors) - 1; n >= 0; n-- {
		for i := range d.Connections {
			if d.Connections[i].Connector != d.Connectors[n].ID {
				continue
			}
			k, r := d.Client(d.Connections[i].Client), &d.Connectors[n]
			u := somebody(d, k, r)
			if u != nil && k.UsesSecret() && len(k.RedirectURIs) > 0 && !k.RequirePKCE && !r.StepUp.Demands() {
				return f.stepsFor(s, k, r, &d.Connections[i], u)
			}
		}
	}
	return nil
}

// somebody is a user who is let in everywhere.
func somebody(d *directory.Directory, k *directory.Client, r *directory.Connector) *directory.User {
	for i := range d.Users {
		if u := &d.Users[i]; u.Status.OK() && k.Assigned.Has(u) && r.Assigned.Has(u) {
			return u
		}
	}
	return nil
}

func (f *mockIdPFlags) stepsFor(s *mockidp.Server, k *directory.Client, r *directory.Connector, c *directory.Connection,
	u *directory.User) []step {
	token := s.TokenURL()
	request := "/oauth2/v1/authorize?" + url.Values{"response_type": {"code"}, "client_id": {k.ID},
		"redirect_uri": {k.RedirectURIs[0]}, "scope": {"openid email offline_access"}, "state": {"s"}}.Encode()
	issuer, err := url.Parse(s.URL())
	if err != nil {
		return nil // a server's issuer is a URL
	}
	request = strings.TrimSuffix(issuer.Path, "/") + request
	curl := "curl"
	if f.ca != "" {
		curl = "curl --cacert '" + f.ca + "'"
	}
	credentials := fmt.Sprintf("-d client_id=%s --data-urlencode 'client_secret=%s'", k.ID, k.Secret)
	if k.Auth == directory.SecretBasic {
		credentials = fmt.Sprintf("-u '%s:%s'", url.QueryEscape(k.ID), url.QueryEscape(k.Secret))
	}
	var optional strings.Builder
	if len(r.Resources) > 0 {
		fmt.Fprintf(&optional, " --data-urlencode 'resource=%s'", r.Resources[0])
	}
	if scopes := granted(c, r); scopes != "" {
		fmt.Fprintf(&optional, " --data-urlencode 'scope=%s'", scopes)
	}
	list := []step{
		{"1. sign in as " + u.Login + ": the code comes back to the client's redirect URI",
			signInStep(curl, u.Login, request, strings.TrimSuffix(issuer.String(), "/")+"/login/signin")},
		{"2. redeem the code for an ID token",
			fmt.Sprintf("ID_TOKEN=$(%s -s %s -d grant_type=authorization_code -d \"code=$CODE\" --data-urlencode "+
				"'redirect_uri=%s' %s | sed 's/.*\"id_token\":\"\\([^\"]*\\)\".*/\\1/')", curl, credentials,
				k.RedirectURIs[0], token)},
		{"3. exchange the ID token for an ID-JAG for " + r.ID,
			fmt.Sprintf("ID_JAG=$(%s -s %s -d grant_type=urn:ietf:params:oauth:grant-type:token-exchange "+
				"-d requested_token_type=urn:ietf:params:oauth:token-type:id-jag -d "+
				"subject_token_type=urn:ietf:params:oauth:token-type:id_token -d \"subject_token=$ID_TOKEN\" "+
				"--data-urlencode 'audience=%s'%s %s | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/'); echo "+
				"\"$ID_JAG\"", curl, credentials, r.Audience, optional.String(), token)},
	}
	if f.beside != nil && r.ID == besideID {
		return append(list, f.beside.steps(k, c, curl)...)
	}
	return append(list, step{"4. redeem the ID-JAG at the token endpoint of the resource authorization server, as " +
		"its client " + c.ClientID,
		fmt.Sprintf("curl -u '%s:SECRET_THERE' -d grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer -d "+
			"\"assertion=$ID_JAG\" %s/token",
			c.ClientID, strings.TrimSuffix(r.Audience, "/"))})
}

// signInStep is a line that gets the sign-in page, sends its form with the token and the cookie that belong together,
// and takes the code out of where that leads.
func signInStep(curl, login, request, page string) string {
	return fmt.Sprintf("JAR=$(mktemp); FORM=$(%[1]s -s -c \"$JAR\" -G --data-urlencode 'fromURI=%[3]s' %[4]s | "+
		"sed -n 's/.*name=\"form\" value=\"\\([^\"]*\\)\".*/\\1/p'); CODE=$(%[1]s -s -o /dev/null -b \"$JAR\" -c \"$JAR\" "+
		"-L --max-redirs 1 -w '%%{redirect_url}' -d 'person=%[2]s' -d \"form=$FORM\" --data-urlencode 'fromURI=%[3]s' "+
		"%[4]s | sed 's/.*[?&]code=\\([^&]*\\).*/\\1/'); rm \"$JAR\"", curl, login, request, page)
}

// granted is the scopes that the connection allows.
func granted(c *directory.Connection, r *directory.Connector) string {
	var scopes []string
	for _, s := range r.Scopes {
		if c.Allows(s) {
			scopes = append(scopes, s)
		}
	}
	return strings.Join(scopes, " ")
}

// narrate prints a line for each decision until ctx ends.
func narrate(ctx context.Context, w io.Writer, s *mockidp.Server) {
	_, seen := s.Audit().After(0)
	for {
		changed := s.Audit().Changed()
		var entries []audit.Entry
		entries, seen = s.Audit().After(seen)
		for _, e := range entries {
			fmt.Fprintln(w, line(e))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

func line(e audit.Entry) string {
	parts := []string{e.Time.Format("15:04:05"), strings.ToLower(string(e.Outcome)), e.Type}
	for _, p := range [][2]string{{"user", e.Login}, {"client", e.Client}, {"audience", e.Audience},
		{"scope", strings.Join(e.Granted, " ")},
		{"rule", e.Rule}, {"error", e.Error}, {"reason", e.Reason}, {"detail", e.Detail}} {
		if p[1] != "" {
			parts = append(parts, p[0]+"="+p[1])
		}
	}
	return strings.Join(parts, "  ")
}
