package matrix

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/reports"
)

// Variant is a lawful choice in which a target can differ: no check may fail for it.
type Variant struct {
	ID     string
	Title  string
	Allows string            // the text that leaves it open
	Warns  map[string]string // requirements of which a check may warn, each with the reason
}

// JudgeVariants runs checks (none named: all) against a target that has made these choices.
type JudgeVariants func(ctx context.Context, ids, checks []string) (*reports.Report, error)

// Warning is a check that warns of a lawful target, and why it may.
type Warning struct{ Check, Variant, Reason string }

// Honesty is what the checks say of lawful targets.
type Honesty struct {
	Warnings []Warning
	Problems []string // a sentence each
}

// Honest judges a lawful target for each group of choices. Where a check fails, or warns without a reason, the choices
// of the group are judged one by one, to name the one that it fails for.
func Honest(ctx context.Context, all []Variant, groups [][]string, judge JudgeVariants,
	done func([]string)) (*Honesty, error) {
	h := &Honesty{}
	byID := map[string]Variant{}
	for _, v := range all {
		byID[v.ID] = v
	}
	for _, group := range groups {
		report, err := judge(ctx, group, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Join(group, ", "), err)
		}
		if report.Ended != "" {
			h.Problems = append(h.Problems, fmt.Sprintf("%s: the run ended early (%s): %s", strings.Join(group, ", "),
				report.Ended, report.Problem))
			continue
		}
		wrong := h.look(report, group, byID)
		done(group)
		if len(wrong) == 0 {
			continue
		}
		for _, id := range group {
			alone := report
			if len(group) > 1 {
				if alone, err = judge(ctx, []string{id}, wrong); err != nil {
					return nil, fmt.Errorf("%s: %w", id, err)
				}
			}
			for _, c := range alone.Checks {
				if slices.Contains(wrong, c.ID) && unexpected(c, []string{id}, byID) {
					h.Problems = append(h.Problems, fmt.Sprintf("%s: %s with the variant %s (%s), which %s allows: %s",
						c.ID, c.Outcome, id, byID[id].Title, byID[id].Allows, c.Message))
					wrong = slices.DeleteFunc(wrong, func(w string) bool { return w == c.ID })
				}
			}
		}
		for _, id := range wrong {
			h.Problems = append(h.Problems, fmt.Sprintf("%s does not pass with %s together", id, strings.Join(group, ", ")))
		}
	}
	return h, nil
}

// look notes the warnings that have a reason, and returns the checks that say something else than they may.
func (h *Honesty) look(r *reports.Report, group []string, byID map[string]Variant) (wrong []string) {
	for _, c := range r.Checks {
		switch {
		case unexpected(c, group, byID):
			wrong = append(wrong, c.ID)
		case c.Outcome == reports.Warn:
			for _, id := range group {
				if reason, ok := byID[id].Warns[c.Requirement]; ok {
					h.Warnings = append(h.Warnings, Warning{c.ID, id, reason})
					break
				}
			}
		}
	}
	return wrong
}

// unexpected reports whether a check says of a lawful target what it may not.
func unexpected(c reports.Check, group []string, byID map[string]Variant) bool {
	switch c.Outcome {
	case reports.Fail, reports.Inconclusive:
		return true
	case reports.Warn:
		return !slices.ContainsFunc(group, func(id string) bool { return byID[id].Warns[c.Requirement] != "" })
	}
	return false
}
