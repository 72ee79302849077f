package main

import (
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const samlConfig = `
users:
  - login: alice@acme.example
clients:
  - id: agent
    secret: agent-development-secret
    assigned: {everyone: true}
    saml:
      entity_id: https://agent.example/saml
      acs: [https://agent.example/saml/acs]
`

func TestMockIdPAnnouncesSAMLMetadata(t *testing.T) {
	dir := t.TempDir()
	config, certificate := filepath.Join(dir, "idp.yaml"), filepath.Join(dir, "saml.pem")
	if err := os.WriteFile(config, []byte(samlConfig), 0o600); err != nil {
		t.Fatal(err)
	}

	for range 2 { // the second start signs with the certificate of the first
		out := startMockIdP(t, func(line string) bool { return strings.Contains(line, "SAML metadata") },
			"--config", config, "--saml-certificate", certificate)
		address := regexp.MustCompile(`SAML metadata (\S+)`).FindStringSubmatch(out)[1]
		resp, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d (%v)", address, resp.StatusCode, err)
		}
		metadata := string(body)
		raw, err := os.ReadFile(certificate)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(raw)
		if !strings.Contains(metadata, base64.StdEncoding.EncodeToString(block.Bytes)) {
			t.Error("the metadata does not have the certificate of the file")
		}
	}
}
