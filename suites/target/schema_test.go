package target_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/emaconform/emaconform/fixtures/samples"
	"github.com/emaconform/emaconform/suites/target"
)

// An editor with the schema takes what the program takes, and underlines what it refuses.
func TestTheSchemaFitsTheConfiguration(t *testing.T) {
	g := NewWithT(t)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(target.Schema(samples.Comments(samples.Server))))
	g.Expect(err).NotTo(HaveOccurred())
	compiler := jsonschema.NewCompiler()
	g.Expect(compiler.AddResource("config.json", document)).To(Succeed())
	schema, err := compiler.Compile("config.json")
	g.Expect(err).NotTo(HaveOccurred())

	valid := func(text string) error {
		var value any
		g.Expect(yaml.Unmarshal([]byte(text), &value)).To(Succeed())
		raw, err := json.Marshal(value)
		g.Expect(err).NotTo(HaveOccurred())
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		g.Expect(err).NotTo(HaveOccurred())
		return schema.Validate(instance)
	}
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
