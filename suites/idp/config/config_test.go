package config

import (
	"reflect"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/samples"
	"github.com/emaconform/emaconform/fixtures/samples/schematest"
)

// The sample shows every key, and none that does not exist; the one for Okta is one, too.
func TestTheSamplesAreComplete(t *testing.T) {
	g := NewWithT(t)
	c, err := Parse([]byte(samples.IdP))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Users[0].SignIn.Form.PasswordEnv).To(Equal("ALICE_PASSWORD"))
	for _, key := range keys(reflect.TypeFor[Config](), 0) {
		if key == "cimd" || key == "certificate_file" {
			continue // of a server's clients alone
		}
		g.Expect(samples.IdP).To(MatchRegexp(`[{\s#,]`+key+`:`), "the sample does not mention %s", key)
	}
	okta, err := Parse([]byte(samples.IdPOkta))
	g.Expect(err).NotTo(HaveOccurred())
	okta.Defaults()
	t.Setenv("OKTA_CLIENT_SECRET", "not a real one")
	g.Expect(okta.Resolve()).To(Succeed())
	g.Expect(okta.Users[0].SignIn.Attended).To(BeTrue())
}

func keys(typ reflect.Type, depth int) []string {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || depth > 3 || strings.HasSuffix(typ.PkgPath(), "jose/v4") {
		return nil
	}
	var list []string
	for f := range typ.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "-" {
			continue
		}
		if name != "" {
			list = append(list, name)
		}
		list = append(list, keys(f.Type, depth+1)...)
	}
	return list
}

// Every mistake is told in one go, by its key, and none shows a secret.
func TestMistakesNameTheirKeys(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"an empty file": {"", []string{"idp.issuer: missing", "clients: none", "targets: none", "users: the first one"}},
		"no issuer URL": {"idp: {issuer: acme}", []string{`idp.issuer: "acme" is no http or https URL`}},
		"no secret":     {"clients: [{id: a}]", []string{"clients[0] (a): client_secret_basic needs a secret"}},
		"no audience":   {"targets: [{resource: 'https://x.example'}]", []string{"targets[0].audience: missing"}},
		"no way in": {"users: [{login: alice}]",
			[]string{"users[0].sign_in: expected one of command, tokens, form, attended, got 0"}},
		"two ways in": {"users: [{login: a, sign_in: {command: x, tokens: y}}]",
			[]string{"users[0].sign_in: expected one of", "got 2"}},
		"no redirect": {"clients: [{id: a, secret: s3cret-s3cret}]\nusers: [{login: a, sign_in: {form: {}}}]",
			[]string{"clients[0].redirect_uri: missing"}},
		"unknown client": {"short_lived: nobody", []string{`short_lived: there is no client "nobody"`}},
		"unknown vendor": {"idp: {vendor: acme}", []string{`idp.vendor: "acme" is none of okta, keycloak, entra`}},
		"unknown method": {"clients: [{id: a, auth: tls_client_auth}]",
			[]string{`clients[0] (a): auth: "tls_client_auth" is none of client_secret_basic`}},
		"another role's": {"clients: [{id: a, secret: s3cret-s3cret, cimd: true}]", []string{"are for emaconform server"}},
		"no max_age":     {"step_up: {fresh: {audience: 'https://x.example'}}", []string{"step_up.max_age: missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			config, err := Parse([]byte(c.text))
			g.Expect(err).NotTo(HaveOccurred())
			config.Defaults()
			err = config.Resolve()
			g.Expect(err).To(HaveOccurred())
			for _, want := range c.want {
				g.Expect(err.Error()).To(ContainSubstring(want))
			}
			g.Expect(err.Error()).NotTo(ContainSubstring("s3cret"))
		})
	}
}

func TestAFileThatIsNoneIsToldByItsLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"an unknown key": {"idp:\n  issuer: https://x.example\n  isuer: https://hidden.example\n",
			`line 3: there is no key "isuer"; did you mean idp.issuer?`},
		"an unknown key in a list": {"targets:\n  - audiense: hidden\n",
			`line 2: there is no key "audiense"; did you mean targets[].audience?`},
		"an unknown key of a client": {"clients:\n  - {id: a, secret_enf: hidden}\n",
			`line 2: there is no key "secret_enf"; did you mean clients[].secret_env?`},
		"an unknown key of a sign-in": {"users:\n  - login: a\n    sign_in:\n      form: {pasword: hidden}\n",
			`line 4: there is no key "pasword"; did you mean users[].sign_in.form.password?`},
		"a value of no kind": {"clients: 7\n", "line 1: clients: expected a list, but saw a number"},
		"a way that is none": {"users:\n  - login: a\n    sign_in: magically-hidden\n",
			"line 3: sign_in: expected command, tokens, form or attended"},
		"a duration of no one": {"timing:\n  request: hidden\n",
			"line 2: timing.request: expected a time such as 500ms, 10s or 2m"},
		"no YAML": {"idp: [hidden\n", "line 1: sequence end token"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := Parse([]byte(c.text))
			g.Expect(err).To(MatchError(And(ContainSubstring(c.want), Not(ContainSubstring("hidden")))))
		})
	}
}

// An editor with the schema takes what the program takes, and underlines what it refuses.
func TestTheSchemaFitsTheConfiguration(t *testing.T) {
	g := NewWithT(t)
	comments := samples.Comments(samples.IdP)
	g.Expect(comments).To(HaveKeyWithValue("hooks.revoke", "every session and refresh token of the user"))
	g.Expect(comments).To(HaveKeyWithValue("idp.issuer", "the endpoints are found from here"))
	valid := schematest.Validator(t, Schema(comments))
	for _, right := range []string{samples.IdP, samples.IdPOkta,
		"users: [{login: a, sign_in: {tokens: a.json}}, {login: b, sign_in: {tokens: {agent: b.json}}}]"} {
		g.Expect(valid(right)).To(Succeed())
	}
	for _, wrong := range []string{
		"clinets: []", "clients: [{id: a, auth: tls_client_auth}]", "timing: {request: soon}",
		"users: [{login: a, sign_in: magic}]",
		"users: [{login: a, sign_in: {command: x, tokens: y}}]", "exchange: {resource: perhaps}", "idp: {vendor: acme}",
	} {
		g.Expect(valid(wrong)).NotTo(Succeed(), wrong)
	}
}
