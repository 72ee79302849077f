package attest

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/emaconform/emaconform/mockidp/yamlfile"
	"github.com/emaconform/emaconform/reports"
)

// The levels of a statement.
const (
	Full    = "full"    // every MUST check of its roles was judged, and none is waived
	Waivers = "waivers" // a baseline waives some
	Partial = "partial" // MUST checks were not judged
)

// Policy is what a customer demands of a statement.
type Policy struct {
	Verdict reports.Verdict `yaml:"verdict"` // the worst that is taken; default: conformant with warnings
	Level   string          `yaml:"level"`   // full, waivers or partial; default: partial
	MaxAge  time.Duration   `yaml:"max_age"` // e.g. 720h; 0: any age
	Signers []PolicySigner  `yaml:"signers"` // whose signature is taken
	Roles   []string        `yaml:"roles"`   // that must have been judged
	Profile string          `yaml:"profile"` // e.g. ema; empty: any
	Proof   bool            `yaml:"proof"`   // the target must have been proved
	Public  bool            `yaml:"public"`  // the target must have a public address
	// checks (* and ? match) that may be skipped; others may not, when it is there
	AllowedSkips []string `yaml:"allowed_skips"`
	AllowWaivers bool     `yaml:"allow_waivers"` // a baseline may waive results
}

// PolicySigner names a signer and the file of its public key, which is looked for beside the policy.
type PolicySigner struct {
	Name string `yaml:"name"`
	Key  string `yaml:"key"`
}

// LoadPolicy reads a policy and the keys that it names. Unknown keys are errors that name the line.
func LoadPolicy(file string) (*Policy, []Signer, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the policy: %w", err)
	}
	p := &Policy{}
	if err := yamlfile.Decode(raw, p); err != nil && !errors.Is(err, yamlfile.ErrEmpty) {
		return nil, nil, fmt.Errorf("policy %s: %s", file, yaml.FormatError(err, false, true))
	}
	if p.Level != "" && !slices.Contains(levels, p.Level) {
		return nil, nil, fmt.Errorf("policy %s: level %q is none of %s", file, p.Level, strings.Join(levels, ", "))
	}
	if p.Verdict != "" && !slices.Contains(verdicts, p.Verdict) {
		return nil, nil, fmt.Errorf("policy %s: verdict %q is none of conformant, conformant with warnings, inconclusive, "+
			"not conformant",
			file, p.Verdict)
	}
	var signers []Signer
	for i, s := range p.Signers {
		at := s.Key
		if !filepath.IsAbs(at) {
			at = filepath.Join(filepath.Dir(file), at)
		}
		key, err := LoadKey(at)
		if err != nil {
			return nil, nil, fmt.Errorf("policy %s: signers[%d] (%s): %w", file, i, s.Name, err)
		}
		signers = append(signers, Signer{Name: s.Name, Key: key})
	}
	return p, signers, nil
}

// LoadKey reads a key file.
func LoadKey(file string) (*Key, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the key: %w", err)
	}
	k, err := ParseKey(raw)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", file, err)
	}
	return k, nil
}

var (
	levels   = []string{Full, Waivers, Partial} // best first
	verdicts = []reports.Verdict{reports.Conformant, reports.ConformantWithWarnings, reports.NoVerdict,
		reports.NotConformant}
)

// Level is how much the statement stands for.
func (p *Predicate) Level() string {
	switch {
	case p.Coverage.MustJudged < p.Coverage.Must || p.Selection != "":
		return Partial
	case len(p.Waived) > 0:
		return Waivers
	default:
		return Full
	}
}

// Violations lists what a statement falls short of, a sentence each.
func (p *Policy) Violations(o *Opened, now time.Time) []string {
	var list []string
	say := func(when bool, format string, args ...any) {
		if when {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	worst := p.Verdict
	if worst == "" {
		worst = reports.ConformantWithWarnings
	}
	say(slices.Index(verdicts, o.Verdict) > slices.Index(verdicts, worst), "the verdict is %q, at worst %q is taken",
		o.Verdict, worst)
	say(p.Level != "" && slices.Index(levels, o.Level()) > slices.Index(levels, p.Level),
		"the statement is %s, %s is demanded: %s",
		o.Level(), p.Level, o.Coverage)
	age := now.Sub(o.Finished)
	say(p.MaxAge > 0 && age > p.MaxAge, "it is too old: %s, at most %s is taken", Age(age), Age(p.MaxAge))
	say(age < -10*time.Minute, "it comes from the future: the run ended at %s", o.Finished.Format(time.RFC3339))
	for _, role := range p.Roles {
		judged := slices.ContainsFunc(o.Roles, func(v reports.RoleVerdict) bool {
			return v.Role == role && v.Counts[reports.Pass] > 0
		})
		say(!judged, "role %s was not judged", role)
	}
	say(p.Profile != "" && o.Profile != p.Profile, "it was judged by profile %.40s, %s is demanded", o.Profile, p.Profile)
	say(p.Proof && !o.proved(), "nothing proves that the run was against the target that it names")
	say(p.Public && o.Target.Address != reports.AddressPublic, "the target has a %s address, a public one is demanded",
		o.Target.Address)
	say(o.Target.Embedded, "it is about the reference target of emaconform, which is nobody's product")
	say(!p.AllowWaivers && len(o.Waived) > 0, "%d results are waived by the vendor's baseline", len(o.Waived))
	if p.AllowedSkips != nil {
		var others []string
		for _, s := range o.Results.Skipped {
			if !allowed(p.AllowedSkips, s.ID) {
				others = append(others, s.ID)
			}
		}
		say(len(others) > 0, "checks were skipped that may not be: %s", some(others))
	}
	return list
}

func allowed(patterns []string, id string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		requirement, _, _ := strings.Cut(id, "/")
		fits, err := path.Match(p, id)
		return p == requirement || err == nil && fits
	})
}

func (p *Predicate) proved() bool { return p.Proof != nil && p.Proof.Before && p.Proof.After }

// Age is a duration in the unit that a reader thinks in.
func Age(d time.Duration) string {
	switch {
	case d < 0:
		return "not yet"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}
