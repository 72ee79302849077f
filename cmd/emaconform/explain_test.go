package main

import (
	"bytes"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func TestExplainAndListPrintNoTrailingBlanks(t *testing.T) {
	for _, command := range []string{"explain", "list"} {
		var out bytes.Buffer
		code := execute(t.Context(), []string{command, "RAS-AUD-EXACT", "RAS-META-*"}, &out, &out)
		NewWithT(t).Expect(code).To(Equal(exitConformant))
		for _, line := range strings.Split(out.String(), "\n") {
			if strings.HasSuffix(line, " ") {
				t.Errorf("%s: %q", command, line)
			}
		}
	}
}
