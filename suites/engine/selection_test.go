package engine_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/engine"
)

func TestEveryTermOfALabelFilterNamesALabel(t *testing.T) {
	all := []*check.Check{
		{ID: "A/one", Requirement: catalogue.Requirement{ID: "A"}, Labels: []string{"must", "login"}},
		{ID: "A/two", Requirement: catalogue.Requirement{ID: "A"}, Labels: []string{"must", "slow"}},
	}
	for filter, unknown := range map[string]string{
		"must && !login":          "",
		"MUST && (slow || login)": "",
		"must, /lo(g|w)/":         "", // what is between slashes is one term
		"":                        "",
		"must && !logn":           "logn",
		"(must || slwo)":          "slwo",
		"must && !/^logn/":        "/^logn/",
	} {
		_, err := engine.Selection{Labels: filter}.Of(all)
		if g := NewWithT(t); unknown == "" {
			g.Expect(err).NotTo(HaveOccurred(), filter)
		} else {
			g.Expect(err).To(MatchError(ContainSubstring("no check has the label %q", unknown)), filter)
		}
	}
}
