package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/spf13/pflag"

	"github.com/emaconform/emaconform/suites/target"
)

const environmentPrefix = "EMACONFORM_"

// settings are the flags that describe the target: each stands for a key of the configuration file.
type settings struct {
	url, name, resource, caFile      string
	issuer, tokenEndpoint            string
	idpIssuer, idpListen, idpKeys    string
	idpAlg, idpCA                    string
	clientID, clientAuth, clientKey  string
	clientSecret, clientSecretFile   string
	user, email                      string
	scopes                           []string
	secondServer, userAgent          string
	timeout, checkTimeout, reqTimout time.Duration
}

func (s *settings) add(f *pflag.FlagSet) {
	f.StringVarP(&s.url, "url", "u", "", "URL of the MCP server")
	f.StringVar(&s.name, "name", "", "what reports call the target")
	f.StringVar(&s.resource, "resource", "", "its resource identifier (default: from its metadata)")
	f.StringVar(&s.caFile, "ca-file", "", "PEM file of certificate authorities to trust for the target")
	f.StringVar(&s.issuer, "issuer", "", "issuer of the authorization server (default: from the metadata)")
	f.StringVar(&s.tokenEndpoint, "token-endpoint", "", "its token endpoint (default: from the metadata)")
	f.StringVar(&s.idpIssuer, "idp-issuer", "", "issuer of the mock IdP, as the target knows it")
	f.StringVar(&s.idpListen, "idp-listen", "", "address to serve the mock IdP on; none: the target has the exported keys")
	f.StringVar(&s.idpKeys, "idp-keys", "", "file with the mock IdP's keys; made when it is missing")
	f.StringVar(&s.idpAlg, "idp-alg", "", "signature algorithm of new keys: RS256, ES256, EdDSA, PS256")
	f.StringVar(&s.idpCA, "idp-ca", "", "file with a CA for serving the mock IdP over https; made when it is missing")
	f.StringVar(&s.clientID, "client-id", "", "client registered with the authorization server")
	f.StringVar(&s.clientAuth, "client-auth", "", "client_secret_basic, client_secret_post, client_secret_jwt, "+
		"private_key_jwt, tls_client_auth, self_signed_tls_client_auth or none")
	f.StringVar(&s.clientSecretFile, "client-secret-file", "",
		"file with the client's secret (or EMACONFORM_CLIENT_SECRET)")
	f.StringVar(&s.clientKey, "client-key-file", "", "file with the client's private JWK")
	f.StringVar(&s.user, "user", "", "sub of a user that the target knows")
	f.StringVar(&s.email, "email", "", "e-mail address of that user")
	f.StringSliceVar(&s.scopes, "scope", nil, "scopes that the client may have")
	f.StringVar(&s.userAgent, "user-agent", "", "what requests call their sender (default: emaconform)")
	f.StringVar(&s.secondServer, "second-server", "", "URL of another MCP server of the same authorization server")
	f.DurationVar(&s.timeout, "timeout", 0, "time limit of the whole run (default 15m)")
	f.DurationVar(&s.checkTimeout, "check-timeout", 0, "time limit of a check (default 1m)")
	f.DurationVar(&s.reqTimout, "request-timeout", 0, "time limit of an exchange (default 10s)")
}

// load reads the file, if any, and lays the flags over it.
func (s *settings) load(path string, f *pflag.FlagSet) (*target.Config, error) {
	c := &target.Config{}
	if path != "" {
		var err error
		if c, err = target.Load(path); err != nil {
			return nil, err
		}
	}
	s.clientSecret = os.Getenv(environmentPrefix + "CLIENT_SECRET")
	for into, value := range map[*string]string{
		&c.URL: s.url, &c.Name: s.name, &c.Resource: s.resource, &c.CAFile: s.caFile,
		&c.AuthorizationServer.Issuer: s.issuer, &c.AuthorizationServer.TokenEndpoint: s.tokenEndpoint,
		&c.IdP.Issuer: s.idpIssuer, &c.IdP.Listen: s.idpListen, &c.IdP.Keys: s.idpKeys, &c.IdP.Alg: s.idpAlg,
		&c.IdP.CA:       s.idpCA,
		&c.SecondServer: s.secondServer, &c.UserAgent: s.userAgent,
	} {
		if value != "" {
			*into = value
		}
	}
	for into, value := range map[*time.Duration]time.Duration{
		&c.Timing.Run: s.timeout, &c.Timing.Check: s.checkTimeout, &c.Timing.Request: s.reqTimout,
	} {
		if value != 0 {
			*into = value
		}
	}
	if f.Changed("scope") {
		c.Scopes = s.scopes
	}
	s.firstClient(c)
	s.firstUser(c)
	return c, nil
}

// firstClient lays the client flags over the first client of the file.
func (s *settings) firstClient(c *target.Config) {
	given := target.Client{ID: s.clientID, Auth: s.clientAuth, Secret: s.clientSecret, SecretFile: s.clientSecretFile,
		KeyFile: s.clientKey}
	if given.ID+given.Auth+given.Secret+given.SecretFile+given.KeyFile == "" {
		return
	}
	if len(c.Clients) == 0 {
		c.Clients = []target.Client{given}
		return
	}
	first := &c.Clients[0]
	if given.Secret != "" || given.SecretFile != "" {
		first.Secret, first.SecretEnv, first.SecretFile = given.Secret, "", given.SecretFile
	}
	for into, value := range map[*string]string{&first.ID: given.ID, &first.Auth: given.Auth,
		&first.KeyFile: given.KeyFile} {
		if value != "" {
			*into = value
		}
	}
}

func (s *settings) firstUser(c *target.Config) {
	if s.user == "" && s.email == "" {
		return
	}
	if len(c.Users) == 0 {
		c.Users = []target.User{{}}
	}
	if s.user != "" {
		c.Users[0].Sub = s.user
	}
	if s.email != "" {
		c.Users[0].Email = s.email
	}
}

// fromEnvironment sets every flag that was not given from EMACONFORM_<NAME>. Variables that stand for no flag are
// errors, as unknown keys of the file are. Those of another command are left alone: a CI job exports them once for all
// its steps.
func fromEnvironment(f *pflag.FlagSet, environment []string) error {
	values, err := env.Provider("", env.Opt{Prefix: environmentPrefix,
		EnvironFunc: func() []string { return environment }, TransformFunc: flagOf}).Read()
	if err != nil {
		return err
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		flag, variable := f.Lookup(name), environmentPrefix+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		switch {
		case flag == nil && (newServer().Flags().Lookup(name) != nil || newClient().Flags().Lookup(name) != nil ||
			newIdP().Flags().Lookup(name) != nil):
			continue
		case flag == nil:
			problems = append(problems, fmt.Errorf("environment variable %s: there is no such setting", variable))
		case !flag.Changed:
			if err := f.Set(flag.Name, fmt.Sprint(values[name])); err != nil {
				problems = append(problems, fmt.Errorf("environment variable %s: %w", variable, err))
			}
		}
	}
	return errors.Join(problems...)
}

// flagOf is the flag that a variable stands for, and its value; "" for what is no setting.
func flagOf(variable, value string) (string, any) {
	name := strings.TrimPrefix(variable, environmentPrefix)
	if name == "CLIENT_SECRET" || strings.HasPrefix(name, "INTERNAL_") {
		return "", nil
	}
	return strings.ToLower(strings.ReplaceAll(name, "_", "-")), value
}

// timeLimits finds a limit that leaves no time at all, of those that were given.
func timeLimits(f *pflag.FlagSet, names ...string) error {
	for _, name := range names {
		if d, err := f.GetDuration(name); err == nil && f.Changed(name) && d <= 0 {
			return fmt.Errorf("--%s %s: expected more than 0, such as 30s", name, d)
		}
	}
	return nil
}
