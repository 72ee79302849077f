// Command homebrew writes the Homebrew formula of a release, for macOS and Linux, to standard output. Its arguments are
// the version, such as 1.2.3, and the file with the checksums of the archives.
package main

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"strings"
	"text/template"
)

//go:embed emaconform.rb.tmpl
var formula string

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: homebrew VERSION CHECKSUMS")
		os.Exit(2)
	}
	if err := write(os.Stdout, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "homebrew:", err)
		os.Exit(1)
	}
}

// archive is what Homebrew downloads on one kind of machine.
type archive struct{ File, SHA256 string }

func write(out io.Writer, version, checksums string) error {
	text, err := os.ReadFile(checksums)
	if err != nil {
		return err
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 2 {
			sums[fields[1]] = fields[0]
		}
	}
	data := struct {
		Version  string
		Archives map[string]archive
	}{version, map[string]archive{}}
	for _, system := range []string{"darwin_arm64", "darwin_amd64", "linux_arm64", "linux_amd64"} {
		file := fmt.Sprintf("emaconform_%s_%s.tar.gz", version, system)
		if len(sums[file]) != 64 {
			return fmt.Errorf("%s has no SHA-256 digest of %s", checksums, file)
		}
		data.Archives[system] = archive{file, sums[file]}
	}
	return template.Must(template.New("").Parse(formula)).Execute(out, data)
}
