package attest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/emaconform/emaconform/mockidp/mutate"
	"github.com/emaconform/emaconform/reports/attest"
)

// A policy is read without a crash, whatever is in it.
func FuzzLoadPolicy(f *testing.F) {
	for _, text := range []string{"signers: !x", "level: !x", "signers:\n  - !x", "signers: [{name: a, key: b.pem}]",
		"level: &a [*a]", ""} {
		mutate.Add(f, []byte(text))
	}
	path := filepath.Join(f.TempDir(), "policy.yaml")
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, _ = attest.LoadPolicy(path) // an error or not: no panic
	})
}

// So is a key.
func FuzzParseKey(f *testing.F) {
	mutate.Add(f, []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	mutate.Add(f, []byte("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if key, err := attest.ParseKey(raw); (key == nil) == (err == nil) {
			t.Errorf("key %v, error %v", key, err)
		}
	})
}
