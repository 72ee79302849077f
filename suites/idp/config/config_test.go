package config

import (
	"reflect"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/samples"
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
		"an empty file":  {"", []string{"idp.issuer: missing", "clients: none", "targets: none", "users: the first one"}},
		"no issuer URL":  {"idp: {issuer: acme}", []string{`idp.issuer: "acme" is no http or https URL`}},
		"no secret":      {"clients: [{id: a}]", []string{"clients[0] (a): client_secret_basic needs a secret"}},
		"no audience":    {"targets: [{resource: 'https://x.example'}]", []string{"targets[0].audience: missing"}},
		"no way in":      {"users: [{login: alice}]", []string{"users[0].sign_in: expected one of command, tokens, form, attended, got 0"}},
		"two ways in":    {"users: [{login: a, sign_in: {command: x, tokens: y}}]", []string{"users[0].sign_in: expected one of", "got 2"}},
		"no redirect":    {"clients: [{id: a, secret: s3cret-s3cret}]\nusers: [{login: a, sign_in: {form: {}}}]", []string{"clients[0].redirect_uri: missing"}},
		"unknown client": {"short_lived: nobody", []string{`short_lived: there is no client "nobody"`}},
		"unknown vendor": {"idp: {vendor: acme}", []string{`idp.vendor: "acme" is none of okta, keycloak, entra`}},
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
	for name, text := range map[string]string{
		"an unknown key":       "idp:\n  issuer: https://x.example\n  isuer: https://hidden.example\n",
		"a value of no kind":   "clients: 7\n",
		"a way that is none":   "users:\n  - login: a\n    sign_in: magically-hidden\n",
		"a duration of no one": "timing: {request: hidden}\n",
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := Parse([]byte(text))
			g.Expect(err).To(HaveOccurred())
			g.Expect(err.Error()).NotTo(ContainSubstring("hidden"))
		})
	}
}
