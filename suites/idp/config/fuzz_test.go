package config_test

import (
	"testing"

	"github.com/emaconform/emaconform/mockidp/mutate"
	"github.com/emaconform/emaconform/suites/idp/config"
)

// A configuration is read without a crash, whatever is in it.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"users: !x", "users:\n  - !x", "users: [{login: a, sign_in: !x}]",
		"users: [{login: a, sign_in: {tokens: !x}}]",
		"clients: [{id: a, secret: !x}]", "idp: &i {<<: *i}", "timing: {check: 1s}"} {
		mutate.Add(f, []byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c, err := config.Parse(raw); (c == nil) == (err == nil) {
			t.Errorf("configuration %v, error %v", c, err)
		}
	})
}
