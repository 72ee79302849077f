// Command extras writes what comes with a release besides the binary: man pages and shell completions. Its argument is
// the folder to write to.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// completions are the files that package managers install for each shell, by the names that the shells look for.
var completions = map[string]string{
	"bash": "emaconform.bash", "zsh": "_emaconform", "fish": "emaconform.fish", "powershell": "emaconform.ps1",
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: extras FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "extras:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	scratch, err := os.MkdirTemp("", "emaconform-extras-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	program := filepath.Join(scratch, "emaconform")
	if _, err := output("go", "build", "-o", program, "./cmd/emaconform"); err != nil {
		return err
	}
	if _, err := output(program, "docs", "man", "--out", filepath.Join(dir, "man")); err != nil {
		return err
	}
	folder := filepath.Join(dir, "completions")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for shell, name := range completions {
		script, err := output(program, "completion", shell)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), script, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func output(name string, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %v: %w\n%s", filepath.Base(name), args, err, &stderr)
	}
	return stdout.Bytes(), nil
}
