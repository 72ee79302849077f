package main

import (
	"bytes"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func TestTextsAreWrappedAndEndWithoutBlanks(t *testing.T) {
	const body = "aud is this server's issuer identifier: as a string, or as an array of exactly that one element."
	for columns, want := range map[int]string{
		50: "aud is this server's issuer identifier: as a\n  string, or as an array of exactly that one\n  element.",
		80: "aud is this server's issuer identifier: as a string, or as an array of exactly\n  that one element.",
		99: body,
		5:  "", // any: no line of nothing
	} {
		got := wrap(body, columns, 2)
		if want != "" && got != want {
			t.Errorf("%d columns:\n%s", columns, got)
		}
		for _, line := range strings.Split(got, "\n") {
			NewWithT(t).Expect(line).To(Equal(strings.TrimRight(line, " ")))
			NewWithT(t).Expect(strings.TrimSpace(line)).NotTo(BeEmpty())
		}
	}
}

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

func TestAListFitsTheTerminal(t *testing.T) {
	requirements, checks := find("", []string{"RS-ORIGIN"})
	for columns, want := range map[int][2]int{200: {72, 40}, 100: {36, 17}, 20: {24, 12}} {
		what, labels := shares(columns, requirements, checks)
		if got := [2]int{what, labels}; got != want {
			t.Errorf("%d columns: %v, expected %v", columns, got, want)
		}
	}
}
