package target_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/samples"
	"github.com/emaconform/emaconform/fixtures/samples/schematest"
	"github.com/emaconform/emaconform/suites/target"
)

// An editor with the schema takes what the program takes, and underlines what it refuses.
func TestTheSchemaFitsTheConfiguration(t *testing.T) {
	g := NewWithT(t)
	valid := schematest.Validator(t, target.Schema(samples.Comments(samples.Server)))
	g.Expect(valid(samples.Server)).To(Succeed())
	for _, wrong := range []string{
		"clinets: []", "clients: connector", "clients: [{id: a, auth: tls}]", "timing: {request: soon}", "cimd: perhaps",
		"idp: {alg: HS256}", "second_idp: {users: [{name: a}]}",
	} {
		g.Expect(valid(wrong)).NotTo(Succeed(), wrong)
	}
}

// Every key is explained: by its own comment in the sample, or by that of the key that it stands under.
func TestEveryKeyIsDescribed(t *testing.T) {
	g := NewWithT(t)
	comments := samples.Comments(samples.Server)
	for _, key := range []string{
		"url", "idp.listen", "clients", "clients[].auth", "timing.outage", "second_idp", "redeem",
	} {
		g.Expect(comments).To(HaveKey(key))
		g.Expect(target.Keys()).To(ContainElement(key))
	}
	for key := range comments {
		g.Expect(target.Keys()).To(ContainElement(key), "a comment at no key of the configuration")
	}
}
