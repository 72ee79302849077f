// Package matrix proves that the suite can tell right from wrong: it runs the checks against a correct target and
// against targets that each have one defect. A check that no defect makes fail cannot fail; a defect that no check
// notices is a hole in the suite.
package matrix

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/engine"
)

// Defect is a mistake that a target can be started with.
type Defect struct {
	ID     string
	Title  string
	Breaks []string // ids of the requirements that it breaks
	// Labels, when there are any, are those of the checks that have to notice it; what others say is not looked at.
	Labels []string
	// Together are defects that do not disturb each other, each with Labels: one target has them all, and this one stands
	// for them.
	Together []Defect
}

// Judge runs checks against a target that has this defect; nil is the correct target, which is to be judged by all
// checks.
type Judge func(ctx context.Context, defect *Defect) (*reports.Report, error)

// Row is what the checks say of one defect.
type Row struct {
	Defect
	Noticed []string // checks that pass against the correct target and fail or warn against this one
	Failed  []string // those of them that fail
	Stopped string   // what the preflight said when it let no check run
}

// Matrix is defects by checks.
type Matrix struct {
	Correct      *reports.Report
	Rows         []Row
	requirements []reports.Requirement
}

// Build judges the correct target and then every defective one, a few at a time. done is called after each.
func Build(ctx context.Context, defects []Defect, judge Judge, parallel int, done func(Row)) (*Matrix, error) {
	correct, err := judge(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("the correct target: %w", err)
	}
	if correct.Ended != "" {
		return nil, fmt.Errorf("the correct target: %s: %s", correct.Ended, correct.Problem)
	}
	m := &Matrix{Correct: correct, requirements: correct.Requirements}
	passing := outcomes(correct, reports.Pass)

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, parallel)
	rows := make([][]Row, len(defects)) // of each target, in their order
	for i, d := range defects {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			report, err := whole(judge(ctx, &d))
			if err != nil {
				cancel(fmt.Errorf("defect %s: %w", d.ID, err))
				return
			}
			mu.Lock()
			defer mu.Unlock()
			members := d.Together
			if len(members) == 0 {
				members = []Defect{d}
			}
			for _, one := range members {
				row := Row{Defect: one, Stopped: report.Problem}
				row.notice(report, passing)
				rows[i] = append(rows[i], row)
				done(row)
			}
		})
	}
	wg.Wait()
	m.Rows = slices.Concat(rows...)
	return m, context.Cause(ctx)
}

// whole is an error for a run that ended early, which says nothing of its checks, unless the preflight ended it: that
// is a way to notice a defect.
func whole(report *reports.Report, err error) (*reports.Report, error) {
	if err == nil && report.Ended != "" && report.Ended != engine.EndedPreflight {
		return nil, fmt.Errorf("the run ended early (%s): %s", report.Ended, report.Problem)
	}
	return report, err
}

func outcomes(r *reports.Report, wanted ...reports.Outcome) map[string]bool {
	set := map[string]bool{}
	for _, c := range r.Checks {
		if slices.Contains(wanted, c.Outcome) {
			set[c.ID] = true
		}
	}
	return set
}

// notice adds the checks with the defect's labels that tell this report from the correct one.
func (row *Row) notice(r *reports.Report, passing map[string]bool) {
	for _, c := range r.Checks {
		lacks := func(label string) bool { return !slices.Contains(c.Labels, label) }
		if !passing[c.ID] || slices.ContainsFunc(row.Labels, lacks) {
			continue
		}
		switch c.Outcome {
		case reports.Fail:
			row.Failed = append(row.Failed, c.ID)
			row.Noticed = append(row.Noticed, c.ID)
		case reports.Warn:
			row.Noticed = append(row.Noticed, c.ID)
		}
	}
}

// unkilled lists the checks that pass against the correct target and that no defect has made fail yet.
func (m *Matrix) unkilled() []string {
	var list []string
	killers := m.Killers()
	for _, c := range m.Correct.Checks {
		if c.Outcome == reports.Pass && len(killers[c.ID]) == 0 {
			list = append(list, c.ID)
		}
	}
	return list
}

// Extend runs the checks that no defect has made fail so far against the defects once more, until one does: a check may
// be made to fail by a defect that breaks another requirement alone. judge runs these checks alone.
func (m *Matrix) Extend(ctx context.Context, judge func(context.Context, *Defect,
	[]string) (*reports.Report, error), parallel int) error {
	passing := outcomes(m.Correct, reports.Pass)
	var rows []*Row
	for i := range m.Rows {
		if len(m.Rows[i].Labels) == 0 && m.Rows[i].Stopped == "" {
			rows = append(rows, &m.Rows[i])
		}
	}
	for some := range slices.Chunk(rows, parallel) {
		left := m.unkilled()
		if len(left) == 0 {
			return nil
		}
		errs := make([]error, len(some))
		var wg sync.WaitGroup
		for i, row := range some {
			wg.Go(func() {
				report, err := whole(judge(ctx, &row.Defect, left))
				if err != nil {
					errs[i] = fmt.Errorf("defect %s: %w", row.ID, err)
					return
				}
				row.notice(report, passing)
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return nil
}

// Killers lists, for each check, the defects that make it fail.
func (m *Matrix) Killers() map[string][]string {
	killers := map[string][]string{}
	for _, c := range m.Correct.Checks {
		killers[c.ID] = nil
	}
	for _, row := range m.Rows {
		for _, id := range row.Noticed {
			killers[id] = append(killers[id], row.ID)
		}
	}
	return killers
}

// Problems lists what is wrong with the suite, a sentence each: a check that does not pass against the correct target,
// one that no defect makes fail, a defect that no check of a requirement it breaks notices, and a requirement with
// neither a check nor a reason.
func (m *Matrix) Problems() []string {
	var list []string
	killers := m.Killers()
	requirementOf := map[string]string{}
	for _, c := range m.Correct.Checks {
		requirementOf[c.ID] = c.Requirement
		if c.Outcome != reports.Pass {
			list = append(list, fmt.Sprintf("check %s does not pass against the correct target: %s: %s", c.ID, c.Outcome,
				c.Message))
		} else if len(killers[c.ID]) == 0 {
			list = append(list, fmt.Sprintf("check %s has no killer: no defect makes it fail", c.ID))
		}
	}
	for _, row := range m.Rows {
		hit := slices.ContainsFunc(row.Noticed, func(id string) bool {
			return slices.Contains(row.Breaks, requirementOf[id])
		})
		if !hit && row.Stopped == "" {
			list = append(list, fmt.Sprintf("defect %s breaks %v, but no check of these notices it (noticed by: %v)", row.ID,
				row.Breaks, row.Noticed))
		}
	}
	for _, r := range m.requirements {
		covered := slices.ContainsFunc(m.Correct.Checks, func(c reports.Check) bool { return c.Requirement == r.ID })
		if !covered && r.Untestable == "" {
			list = append(list, fmt.Sprintf("requirement %s has neither a check nor a stated reason", r.ID))
		}
	}
	return list
}
