package engine

import (
	"context"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
)

// Plan sorts the checks that were selected: those that can run become the job's, the others have their results at once.
// skipped says why a check cannot run, and what would let it run; why is "" for one that can.
func (j *Job) Plan(selected []*check.Check, skipped func(*check.Check) (why, key string)) {
	if j.Progress == nil {
		j.Progress = Silent{}
	}
	j.selected, j.skipped = selected, map[string]reports.Check{}
	j.Progress.Planned(len(selected))
	for _, c := range selected {
		why, key := skipped(c)
		if why == "" {
			j.Checks = append(j.Checks, c)
			continue
		}
		j.skipped[c.ID] = c.SkippedResult(why, key)
		j.Progress.Finished(j.skipped[c.ID])
	}
}

// Judge runs what was planned and puts the results of all that was selected into the report, in their order, with how
// the run ended and what it took. An error means that nothing ran.
func (j *Job) Judge(ctx context.Context, report *reports.Report) error {
	done, err := Run(ctx, *j)
	if err != nil {
		return err
	}
	for _, c := range j.selected {
		result, ran := done.Results[c.ID]
		if !ran {
			result = j.skipped[c.ID]
		}
		report.Checks = append(report.Checks, result)
	}
	report.Ended, report.Problem = done.Ended, done.Problem
	report.Load = Load(report)
	report.Load.Workers = done.Workers
	report.Load.PeakMemory += done.Memory
	return nil
}

// Load is what the run of a report took so far in this process: its exchanges, and the memory in bytes.
func Load(r *reports.Report) reports.Load {
	n := 0
	for _, s := range r.Preflight {
		n += len(s.Exchanges)
	}
	for _, c := range r.Checks {
		n += len(c.Exchanges)
	}
	return reports.Load{Exchanges: n, PeakMemory: PeakMemory()}
}
