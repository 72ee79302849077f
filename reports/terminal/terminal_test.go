package terminal

import (
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
		got := Wrap(body, columns, 2)
		if want != "" && got != want {
			t.Errorf("%d columns:\n%s", columns, got)
		}
		for _, line := range strings.Split(got, "\n") {
			NewWithT(t).Expect(line).To(Equal(strings.TrimRight(line, " ")))
			NewWithT(t).Expect(strings.TrimSpace(line)).NotTo(BeEmpty())
		}
	}
}
