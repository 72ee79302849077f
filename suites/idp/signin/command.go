package signin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// command runs the user's sign-in command, which prints a token response.
func (d *Desk) command(v *visit, a Ask) (Tokens, error) {
	out, err := Shell(v.ctx, a.User.SignIn.Command, map[string]string{
		"CLIENT_ID": a.Client.ID, "USER": a.User.Login, "SCOPE": Scope, "MAX_AGE": optional(a.MaxAge), "ACR_VALUES": a.ACR,
		"REDIRECT_URI": a.Client.RedirectURI, "ISSUER": d.Config.IdP.Issuer,
	})
	if err != nil {
		return Tokens{}, fmt.Errorf("the sign-in command of %s %w", a.User.Login, err)
	}
	t, err := parse(out)
	if err != nil {
		return t, fmt.Errorf("the sign-in command of %s printed something else than expected: %w", a.User.Login, err)
	}
	return t, nil
}

func optional(seconds int) string {
	if seconds == 0 {
		return ""
	}
	return strconv.Itoa(seconds)
}

// most is how many bytes of a command's output are kept.
const most = 1 << 20

// Shell runs a shell command with these variables, each with EMACONFORM_ before its name, and returns what it printed.
// The error says how it failed and the last line of its standard error, without tokens.
func Shell(ctx context.Context, line string, environment map[string]string) ([]byte, error) {
	stdout, stderr := &bounded{}, &bounded{}
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Env = os.Environ()
	for name, value := range environment {
		cmd.Env = append(cmd.Env, "EMACONFORM_"+name+"="+value)
	}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = stdout, stderr, time.Second
	group(cmd)
	err := cmd.Run()
	switch exit := (*exec.ExitError)(nil); {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("was stopped: %w", context.Cause(ctx))
	case errors.As(err, &exit):
		return nil, fmt.Errorf("failed (%s); it said: %s", exit.ProcessState, lastLine(stderr.Bytes()))
	case err != nil:
		return nil, fmt.Errorf("could not be run: %w", err)
	}
	return stdout.Bytes(), nil
}

func lastLine(output []byte) string {
	lines := bytes.Split(bytes.TrimSpace(output), []byte("\n"))
	if text := printable(string(lines[len(lines)-1])); text != "" {
		return text
	}
	return "nothing"
}

// bounded is a writer that keeps the first bytes and drops the rest.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if room := most - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
