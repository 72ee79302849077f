package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/attest"
	"github.com/emaconform/emaconform/reports/files"
	"github.com/emaconform/emaconform/reports/terminal"
	"github.com/emaconform/emaconform/suites/provenance"
)

const attestLong = `Makes a small statement from a report, for a vendor to sign and hand to a customer: an in-toto
statement in a DSSE envelope, with the verdict, every check's outcome by id, what was skipped and why, and by what and
against whom the run was made. It holds no exchange. Beside it stands the same result as in-toto's test-result, for
tools that read that.

With --statement-only the statements are written unsigned, for a keyless signer such as cosign attest-blob --statement.`

func newAttest() *cobra.Command {
	var out, keyFile string
	var unsigned bool
	var artifacts []string
	c := &cobra.Command{
		Use:   "attest REPORT.json",
		Short: "Make a signed statement from a report",
		Long:  attestLong,
		Example: `  emaconform keygen --out vendor.key
  emaconform attest emaconform-report/report.json --key vendor.key
  emaconform attest emaconform-report/report.json --statement-only --artifact registry.example/mcp@sha256:…`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if (keyFile == "") == !unsigned {
				return errors.New("attest needs either --key FILE (emaconform keygen makes one) or --statement-only")
			}
			ours, testResult, err := statements(args[0], artifacts)
			if err != nil {
				return err
			}
			if !unsigned {
				key, err := attest.LoadKey(keyFile)
				if err != nil {
					return err
				}
				for _, payload := range []*[]byte{&ours, &testResult} {
					if *payload, err = attest.Sign(c.Context(), key, *payload); err != nil {
						return fmt.Errorf("key %s: %w", keyFile, err)
					}
				}
			}
			if out == "" {
				out = filepath.Dir(args[0])
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			for name, content := range map[string][]byte{"statement.json": ours, "test-result.json": testResult} {
				if err := files.Write(filepath.Join(out, name), content); err != nil {
					return err
				}
			}
			fmt.Fprintf(c.OutOrStdout(), "%s\n%s\n", filepath.Join(out, "statement.json"),
				filepath.Join(out, "test-result.json"))
			return nil
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "directory for the statements (default: that of the report)")
	c.Flags().StringVar(&keyFile, "key", "", "PEM file of the private key to sign with")
	c.Flags().BoolVar(&unsigned, "statement-only", false, "write unsigned statements, for a keyless signer")
	c.Flags().StringSliceVar(&artifacts, "artifact", nil, "what was judged, also, as NAME@sha256:DIGEST (an "+
		"image, a binary)")
	return c
}

var artifactForm = regexp.MustCompile(`^(.+)@sha256:([0-9a-f]{64})$`)

// statements makes both statements from a report's file.
func statements(path string, artifacts []string) (ours, testResult []byte, err error) {
	var list []attest.Artifact
	for _, a := range artifacts {
		part := artifactForm.FindStringSubmatch(a)
		if part == nil {
			return nil, nil, fmt.Errorf("--artifact %q: write NAME@sha256: and 64 hexadecimal digits", a)
		}
		list = append(list, attest.Artifact{Name: part[1], SHA256: part[2]})
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, terminal.Readable(path, err)
	}
	report, err := reports.ReadResults(bytes.NewReader(raw))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if ours, testResult, err = attest.Statement(report, raw, known(), list...); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return ours, testResult, nil
}

// known is what this program knows of the catalogue.
func known() attest.Known {
	known := attest.Known{Catalogue: provenance.Catalogue(), Checks: provenance.Checks()}
	if before, checks := provenance.Before(); before != (reports.Catalogue{}) {
		known.Before = &attest.Known{Catalogue: before, Checks: checks}
	}
	return known
}

func newKeygen() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "keygen",
		Short: "Make a key to sign statements with",
		Long: "Makes an Ed25519 key: the private half, which stays with the vendor, and beside it, with .pub, the public " +
			"half for customers.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			private, public, err := attest.NewKey()
			if err != nil {
				return err
			}
			if err := newFile(out, private, 0o600); err != nil {
				return err
			}
			if err := newFile(out+".pub", public, 0o644); err != nil {
				return errors.Join(err, os.Remove(out))
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: keep it secret\n%s: give it to customers\n", out, out+".pub")
			return nil
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "emaconform.key", "file for the private key")
	return c
}

// newFile writes a file that must not be there yet.
func newFile(path string, content []byte, mode os.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already: a key is never overwritten", path)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}
