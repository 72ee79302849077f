package catalogue

import "github.com/emaconform/emaconform/reports"

// entry is a requirement as the YAML files write it.
type entry struct {
	Requirement `yaml:",inline"`

	Src []string `yaml:"src"` // e.g. "EMA 7.4.2", "RFC7523 3"
}

func (e entry) requirement(role string) (Requirement, error) {
	r := e.Requirement
	r.Role = role
	for _, s := range e.Src {
		r.Sources = append(r.Sources, reports.Source{Document: s})
	}
	return r, nil
}
