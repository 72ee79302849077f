package engine

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
)

// Selection says which checks to run. The zero value is all of them.
type Selection struct {
	Checks []string // ids of checks or requirements, with * and ?, in any case
	Labels string   // a label filter of Ginkgo, e.g. "ras && !slow"
}

// String says what is selected, "" for everything.
func (s Selection) String() string {
	var parts []string
	if len(s.Checks) > 0 {
		parts = append(parts, "checks "+strings.Join(s.Checks, ", "))
	}
	if s.Labels != "" {
		parts = append(parts, "labels "+s.Labels)
	}
	return strings.Join(parts, "; ")
}

// Of returns those of all that are selected, in their order. Selecting nothing is an error.
func (s Selection) Of(all []*check.Check) ([]*check.Check, error) {
	filter, err := types.ParseLabelFilter(s.Labels)
	if err != nil {
		return nil, fmt.Errorf("label filter %q: write labels with && || ! and parentheses, e.g. 'ras && !slow'", s.Labels)
	}
	if err := s.knownLabels(all); err != nil {
		return nil, err
	}
	used := make([]bool, len(s.Checks))
	var list []*check.Check
	for _, c := range all {
		if !filter(c.Labels) {
			continue
		}
		hit := len(s.Checks) == 0
		for i, pattern := range s.Checks {
			ok, err := matches(pattern, c)
			if err != nil {
				return nil, err
			}
			used[i] = used[i] || ok
			hit = hit || ok
		}
		if hit {
			list = append(list, c)
		}
	}
	for i, pattern := range s.Checks {
		if !used[i] {
			return nil, fmt.Errorf("no check matches %q: `emaconform list` shows all ids", pattern)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no check matches the label filter %q: `emaconform list` shows all labels", s.Labels)
	}
	return list, nil
}

// labelTerm is one label of a filter, or one regular expression between slashes.
var labelTerm = regexp.MustCompile("/[^/]*/?|[^&|!,()/]+")

// knownLabels finds labels that no check has: with a typo in one term a filter still selects something, though not what
// was meant.
func (s Selection) knownLabels(all []*check.Check) error {
	for _, term := range labelTerm.FindAllString(s.Labels, -1) {
		if term = strings.TrimSpace(term); term == "" {
			continue
		}
		filter, err := types.ParseLabelFilter(term)
		known := func(c *check.Check) bool { return filter(c.Labels) }
		if err == nil && !slices.ContainsFunc(all, known) {
			return fmt.Errorf("no check has the label %q: `emaconform list` shows every check with its labels", term)
		}
	}
	return nil
}

func matches(pattern string, c *check.Check) (bool, error) {
	if !strings.ContainsAny(pattern, `*?[\\`) { // whole ids come by the hundred, in the kill matrix
		return strings.EqualFold(pattern, c.ID) || strings.EqualFold(pattern, c.Requirement.ID), nil
	}
	pattern = strings.ToLower(pattern)
	for _, id := range []string{c.ID, c.Requirement.ID} {
		ok, err := path.Match(pattern, strings.ToLower(id))
		if err != nil {
			return false, fmt.Errorf("check pattern %q: %w", pattern, err)
		}
		if ok {
			return true, nil
		}
	}
	return false, nil
}

// Requirements are those of these roles, for the report of a run by this profile.
func Requirements(profile string, roles ...string) []reports.Requirement {
	var list []reports.Requirement
	for _, role := range roles {
		for _, r := range catalogue.ForRole(role) {
			list = append(list, r.Report(profile))
		}
	}
	return list
}
