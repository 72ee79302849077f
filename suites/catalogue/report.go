package catalogue

import "github.com/emaconform/emaconform/reports"

// Report is the requirement as a report shows it, not yet judged.
func (r Requirement) Report() reports.Requirement {
	return reports.Requirement{
		ID: r.ID, Role: r.Role, Level: r.Level, Title: r.Title, Says: r.Says, Reading: r.Reading, Sources: r.Sources,
		Why: r.Why, Fix: r.Fix, Untestable: r.Untestable,
	}
}
