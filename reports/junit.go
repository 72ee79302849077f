package reports

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/emaconform/emaconform/reports/junit"
)

const (
	junitMessage   = 400  // runes of a message attribute; the body has it in full
	junitBody      = 8000 // runes of a body
	junitExchanges = 20   // exchanges summed up for one check
)

// WriteJUnit writes the report as JUnit XML.
//
// A role is a testsuite and a requirement is a class, "emaconform.<role>.<requirement>": GitHub's reporters make a
// table row of each suite and group by class within it, Jenkins makes a package of the role and a page of each class,
// and GitLab, which shows no suites, still shows the class. A suite for each requirement would give tables of eighty
// rows with two tests each. Names do not change with the outcome, since GitLab compares runs by class and name.
//
// A warning passes, with the warning in system-out; an inconclusive check is an error; what the baseline expects is
// skipped, with the reason. The preflight, and an early end, stand in a suite of their own, so that a run that came to
// no check is no empty report. Testcases have no properties: the schema of Jenkins' xUnit plug-in allows them in suites
// only, so a testcase's id and level begin its system-out.
func WriteJUnit(w io.Writer, r *Report) error {
	report := junit.Report{Name: visible("emaconform " + r.Target.name()), Time: seconds(r.Seconds)}
	report.Add(junitRun(r).Suite)
	known := map[string]Requirement{}
	for _, q := range r.Requirements {
		known[q.ID] = q
	}
	for _, v := range r.Roles {
		s := r.junitSuite(roleTitle(v.Role), string(v.Verdict))
		for _, c := range r.Checks {
			if c.Role == v.Role {
				s.add(junitCheck(c, known[c.Requirement]), c.Seconds)
			}
		}
		if s.Tests > 0 {
			report.Add(s.Suite)
		}
	}
	return report.Write(w)
}

// timedSuite is a suite that takes as long as its cases do.
type timedSuite struct {
	junit.Suite
	seconds float64
}

func (r *Report) junitSuite(name, verdict string) timedSuite {
	s := timedSuite{Suite: junit.Suite{Name: visible(name), Time: seconds(0),
		Timestamp: r.Started.UTC().Format(junit.Timestamps)}}
	s.Properties = properties("verdict", verdict, "profile", r.Profile, "target", r.Target.URL,
		"issuer", r.Target.AuthorizationServer, "version", r.Tool.Version, "selection", r.Selection,
		"coverage", r.Coverage.String(), "nonce", r.Nonce, "catalogue", r.Catalogue.Version)
	return s
}

func (s *timedSuite) add(c junit.Case, took float64) {
	s.seconds += took
	s.Time, c.Time = seconds(s.seconds), seconds(took)
	s.Add(c)
}

// junitRun is the suite of the run itself: the steps of the preflight, and whether it came to its end.
func junitRun(r *Report) timedSuite {
	s := r.junitSuite("Run", string(r.Verdict))
	for _, step := range r.Preflight {
		c := junit.Case{Class: "emaconform.run", Name: line(step.Name), Out: visible(step.Saw)}
		took := 0.0
		for _, e := range step.Exchanges {
			took += e.Seconds
		}
		if !step.OK {
			c.Error = &junit.Result{Message: cut(line(step.Saw), junitMessage), Type: "preflight",
				Body: visible(labelled("Seen", step.Saw) + labelled("Fix", step.Fix))}
		}
		s.add(c, took)
	}
	end := junit.Case{Class: "emaconform.run", Name: "runs to its end"}
	if r.Ended != "" {
		end.Error = &junit.Result{Message: cut(line(r.Ended), junitMessage), Type: "ended early", Body: visible(r.Problem)}
	}
	s.add(end, 0)
	return s
}

func junitCheck(c Check, q Requirement) junit.Case {
	k := junit.Case{
		Class: visible("emaconform." + c.Role + "." + c.Requirement),
		Name:  line(c.slug() + ": " + c.Title),
		Out:   cut(visible(junitOut(c)), junitBody),
	}
	result := &junit.Result{Message: cut(line(c.Message), junitMessage), Type: string(c.Outcome)}
	if c.Outcome != Skip {
		result.Body = cut(visible(junitExplain(c, q)), junitBody)
	}
	switch {
	case c.Expected != "":
		result.Message = cut(line(fmt.Sprintf("expected by the baseline (%s): %s", c.Outcome, c.Expected)), junitMessage)
		k.Skipped = result
	case c.Outcome == Fail:
		k.Failure = result
	case c.Outcome == Inconclusive:
		k.Error = result
	case c.Outcome == Skip:
		k.Skipped = result
	}
	return k
}

// junitExplain is the body of a failure: what was sent, expected and seen, where it is written, how to fix it.
func junitExplain(c Check, q Requirement) string {
	s := labelled("Sent", c.Sends) + labelled("Expected", c.Expects) + labelled("Seen", c.Message) +
		labelled(c.Level, q.Says)
	for _, source := range q.Sources {
		s += labelled("Written in", strings.TrimSpace(source.where()+" "+source.URL))
	}
	return s + labelled("Severity", strings.TrimSpace(string(cmp.Or(c.Severity, q.Severity))+before(": ",
		q.SeverityWhy))) +
		labelled("Follows from", c.Cause) + labelled("Why", q.Why) + labelled("Fix", q.Fix)
}

func junitOut(c Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s\n", c.ID, c.Level, c.Outcome)
	if c.Outcome == Warn {
		b.WriteString(labelled("Warning", c.Message))
	}
	for _, w := range c.Warnings {
		if w != c.Message {
			b.WriteString(labelled("Warning", w))
		}
	}
	for _, n := range c.Notes {
		b.WriteString(labelled("Note", n))
	}
	for i, e := range c.Exchanges {
		if i == junitExchanges {
			fmt.Fprintf(&b, "… and %d more\n", len(c.Exchanges)-i)
			break
		}
		fmt.Fprintf(&b, "%-8s%s %s: %s\n", e.Part, e.Request.Method, e.Request.URL, e.summary())
	}
	return b.String()
}

// summary is what came back, in a few words.
func (e Exchange) summary() string {
	switch {
	case e.Response == nil:
		return "no answer: " + e.Error
	case e.Error != "":
		return fmt.Sprintf("%d, then %s", e.Response.Status, e.Error)
	default:
		return strings.TrimSpace(fmt.Sprintf("%d %s", e.Response.Status, http.StatusText(e.Response.Status)))
	}
}

func labelled(label, s string) string {
	if s == "" {
		return ""
	}
	return label + ": " + s + "\n"
}

// properties makes properties of names and values, in turn; what has no value is left out.
func properties(pairs ...string) *junit.Properties {
	p := &junit.Properties{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			p.List = append(p.List, junit.Property{Name: pairs[i], Value: visible(pairs[i+1])})
		}
	}
	return p
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }
