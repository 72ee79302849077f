package drive

import (
	"io"
	"os/exec"

	"github.com/creack/pty"
)

// beforeTerminal runs a command before a terminal of its own, and copies what it shows there.
func beforeTerminal(cmd *exec.Cmd, shown io.Writer) error {
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 200})
	if err != nil {
		return err
	}
	defer func() { _ = terminal.Close() }()
	_, _ = io.Copy(shown, terminal) // ends, with an error on Linux, when the last who has it open is gone
	return cmd.Wait()
}
