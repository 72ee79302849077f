package idp

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// Export writes the issuer's metadata and keys as files that any web server can serve at the issuer's URL, or that can
// be given to a server that takes a static key set: .well-known/openid-configuration,
// .well-known/oauth-authorization-server and oauth2/v1/keys, and the same keys as jwks.json. No private key is among
// them. It returns their paths.
func (p *IdP) Export(dir string) ([]string, error) {
	keys := p.state.Org.Keys.Set().Public()
	var paths []string
	for _, f := range []struct {
		name    string
		content any
	}{
		{".well-known/openid-configuration", p.Metadata()}, {".well-known/oauth-authorization-server", p.Metadata()},
		{"oauth2/v1/keys", keys}, {"jwks.json", keys},
	} {
		raw, err := json.MarshalIndent(f.content, "", "  ")
		if err != nil {
			return paths, err
		}
		path := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return paths, err
		}
		if err := os.WriteFile(path, append(raw, '\n'), 0o644); err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}
