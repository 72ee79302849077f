//go:build unix

package signin

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/target"
)

func deskFor(s config.SignIn, patience time.Duration) (*Desk, Ask) {
	c := &config.Config{
		IdP:     config.IdP{Issuer: "https://idp.example"},
		Clients: []config.Client{{Client: target.Client{ID: "a"}}},
		Users:   []config.User{{Login: "alice", SignIn: s}}, Timing: config.Timing{SignIn: patience},
	}
	return &Desk{Config: c}, Ask{User: &c.Users[0], Client: &c.Clients[0]}
}

func TestACommandPrintsATokenResponse(t *testing.T) {
	g := NewWithT(t)
	d, ask := deskFor(config.SignIn{Command: `printf '{"access_token":"%s-%s-%s"}' \
		"$EMACONFORM_CLIENT_ID" "$EMACONFORM_USER" "$EMACONFORM_ISSUER"`}, time.Minute)
	tokens, err := d.signIn(&visit{ctx: t.Context()}, ask)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tokens.AccessToken).To(Equal("a-alice-https://idp.example"))
}

func TestCommandsThatFail(t *testing.T) {
	for name, c := range map[string]struct{ command, want string }{
		"prints no JSON": {"echo eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
			"printed something else than expected: it is no token response"},
		"prints no tokens": {"echo '{}'", "has neither id_token nor refresh_token"},
		"prints nothing":   {"true", "it is no token response"},
		"fails": {"echo 'no such user: eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2lnbmF0dXJl' >&2; exit 3",
			"failed (exit status 3); it said: no such user: ‹jwt›"},
		"is not there":       {"/nowhere/login.sh", "failed (exit status 127)"},
		"hangs in a child":   {"sleep 600 | cat", "took longer than 1s (timing.sign_in)"},
		"prints without end": {"yes", "took longer than 1s (timing.sign_in)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			d, ask := deskFor(config.SignIn{Command: c.command}, time.Second)
			if name != "hangs in a child" && name != "prints without end" {
				d.Config.Timing.SignIn = time.Minute
			}
			_, err := d.signIn(&visit{ctx: t.Context()}, ask)
			g.Expect(err).To(MatchError(And(ContainSubstring("the sign-in"), ContainSubstring(c.want),
				Not(ContainSubstring("eyJ")))))
		})
	}
}

func TestTokensInFiles(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "alice.json")
	d, ask := deskFor(config.SignIn{Tokens: map[string]string{"": path}}, time.Minute)
	_, err := d.signIn(&visit{ctx: t.Context()}, ask)
	g.Expect(err).To(MatchError(os.ErrNotExist))
	g.Expect(os.WriteFile(path, []byte("secret-that-is-no-json"), 0o600)).To(Succeed())
	_, err = d.signIn(&visit{ctx: t.Context()}, ask)
	g.Expect(err).To(MatchError(And(ContainSubstring(path), Not(ContainSubstring("secret-that")))))
	g.Expect(os.WriteFile(path, []byte(`{"id_token":"x.y.z","refresh_token":"r"}`), 0o600)).To(Succeed())
	tokens, err := d.signIn(&visit{ctx: t.Context()}, ask)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tokens.RefreshToken).To(Equal("r"))
	ask.Client = &config.Client{Client: target.Client{ID: "b"}}
	_, err = d.signIn(&visit{ctx: t.Context()}, ask)
	g.Expect(err).To(MatchError(ErrOnce))
}
