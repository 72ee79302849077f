package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// Trust is what a target needs to know of us in order to trust the mock IdP. A setup command gets it as JSON on its
// standard input.
type Trust struct {
	IdP    TrustedIdP  `json:"idp"`
	Second *TrustedIdP `json:"second_idp,omitempty"`
	// Disabled is one that the target is to know and not to trust any more.
	Disabled *TrustedIdP `json:"disabled_idp,omitempty"`
	// Upstream is the URL of the upstream service that we play; "" is none.
	Upstream string `json:"upstream,omitempty"`
}

// TrustedIdP is one identity provider that we play.
type TrustedIdP struct {
	Issuer  string             `json:"issuer"`
	JWKSURI string             `json:"jwks_uri,omitempty"` // empty when nothing is served
	JWKS    jose.JSONWebKeySet `json:"jwks"`               // public keys
	CA      string             `json:"ca,omitempty"`       // PEM, for an https issuer with a CA of ours
}

func (p *parties) trust(c *target.Config) Trust {
	t := Trust{IdP: p.trustOne(p.idp, p.keys, c.IdP.Issuer)}
	if c.SecondIdP != nil {
		second := p.trustOne(p.second, p.secondKeys, c.SecondIdP.Issuer)
		t.Second = &second
	}
	if c.DisabledIdP != nil {
		disabled := p.trustOne(p.disabled, p.disabledKeys, c.DisabledIdP.Issuer)
		t.Disabled = &disabled
	}
	if p.upstream != nil {
		t.Upstream = p.upstream.url
	}
	return t
}

func (p *parties) trustOne(server *mockidp.Server, keys *mockidp.KeySet, issuer string) TrustedIdP {
	t := TrustedIdP{Issuer: issuer, JWKS: keys.Public()}
	if server != nil {
		t.JWKSURI = server.JWKSURI()
		t.CA = string(p.ca[server])
	}
	return t
}

// register makes the target trust us.
func register(ctx context.Context, o *Options, p *parties) error {
	switch {
	case o.Register != nil:
		return o.Register(ctx, p.trust(o.Config), o.Config)
	case len(o.Config.Setup) > 0:
		return setup(ctx, p.trust(o.Config), o.Config)
	}
	return nil
}

// SetupEntry stands in the environment of the setup command, and of what that leaves running: the target, say, which is
// not ours to end.
const SetupEntry = "EMACONFORM_INTERNAL_SETUP=1"

// setup runs the configured command. It reads Trust as JSON and answers with configuration, as JSON or YAML: what it
// names (clients, users, url, …) replaces what the file said.
func setup(ctx context.Context, t Trust, c *target.Config) error {
	input, err := json.Marshal(t)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, c.Setup[0], c.Setup[1:]...)
	cmd.Env = append(os.Environ(), SetupEntry)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &stdout, &stderr
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Run(); err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = errors.New("it did not end within a minute")
		}
		return fmt.Errorf("the setup command %s failed: %w; it said: %s", c.Setup[0], err, lastLine(stderr.Bytes()))
	}
	if err := c.Merge(stdout.Bytes()); err != nil {
		return fmt.Errorf("the setup command %s answered with something that is no configuration: %w", c.Setup[0], err)
	}
	return nil
}

func lastLine(output []byte) string {
	lines := bytes.Split(bytes.TrimSpace(output), []byte("\n"))
	return wire.Printable(wire.ScrubJWTs(string(lines[len(lines)-1])), 300)
}
