package endpoint_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emaconform/emaconform/fixtures/thirdparty"
	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

// TestOpenIDClientSignsIn lets openid-client, a certified relying party for Node, use every endpoint, unchanged.
func TestOpenIDClientSignsIn(t *testing.T) {
	baseline, err := thirdparty.BaselineOf(thirdparty.ClientOpenIDClient)
	harness.Must(t, err)
	dir := filepath.Dir(baseline)
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "openid-client")); err != nil {
		t.Skip("openid-client is not installed: npm ci in " + dir)
	}
	script, err := os.ReadFile("testdata/openid-client.mjs")
	harness.Must(t, err)
	for _, flavour := range []string{"okta", "generic"} {
		t.Run(flavour, func(t *testing.T) {
			idp := mockidp.New(t, mockidp.WithFlavour(flavour))
			what, err := json.Marshal(map[string]string{"issuer": idp.URL(), "id": agent,
				"secret":   idp.Directory().Client(agent).Secret,
				"redirect": callback, "audience": notes, "resource": notesResource})
			harness.Must(t, err)
			node := exec.CommandContext(t.Context(), "node", "--input-type=module", "--eval", string(script))
			node.Dir, node.Env, node.Stderr = dir, append(os.Environ(), "SIGN_IN="+string(what)), os.Stderr
			in, err := node.StdinPipe()
			harness.Must(t, err)
			out, err := node.StdoutPipe()
			harness.Must(t, err)
			harness.Must(t, node.Start())
			lines := bufio.NewScanner(out)
			if !lines.Scan() {
				t.Fatalf("the client did not begin: %v", node.Wait())
			}
			back, err := humanAt(lines.Text(), alice)
			harness.Must(t, err)
			_, err = fmt.Fprintln(in, callback+"?"+back.Encode())
			harness.Must(t, err)
			var got map[string]any
			if !lines.Scan() {
				t.Fatalf("the client gave up: %v", node.Wait())
			}
			harness.Must(t, json.Unmarshal(lines.Bytes(), &got))
			harness.Must(t, node.Wait())
			want := map[string]any{"sub": mockidp.Subject(idp.Flavour().Subject, idp.User(alice), agent),
				"email": alice, "rotated": true,
				"active": []any{true, false}, "type": "n_a", "issued": "urn:ietf:params:oauth:token-type:id-jag"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
