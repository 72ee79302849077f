package reports

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const (
	junitMessage   = 400  // runes of a message attribute; the body has it in full
	junitBody      = 8000 // runes of a body
	junitExchanges = 20   // exchanges summed up for one check
)

// The elements of a JUnit report, as Jenkins, GitLab and the GitHub reporters read them.
type (
	junitReport struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string           `xml:"name,attr"`
		Tests      int              `xml:"tests,attr"`
		Failures   int              `xml:"failures,attr"`
		Errors     int              `xml:"errors,attr"`
		Skipped    int              `xml:"skipped,attr"`
		Time       string           `xml:"time,attr"`
		Timestamp  string           `xml:"timestamp,attr"`
		Properties *junitProperties `xml:"properties"`
		Cases      []junitCase      `xml:"testcase"`
		seconds    float64
	}
	junitCase struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		Time    string       `xml:"time,attr"`
		Failure *junitResult `xml:"failure"`
		Error   *junitResult `xml:"error"`
		Skipped *junitResult `xml:"skipped"`
		Out     string       `xml:"system-out,omitempty"`
	}
	junitProperties struct {
		List []junitProperty `xml:"property"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitResult struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Body    string `xml:",chardata"`
	}
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
	report := junitReport{Name: visible("emaconform " + r.Target.name()), Time: seconds(r.Seconds)}
	report.Suites = append(report.Suites, junitRun(r))
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
			report.Suites = append(report.Suites, s)
		}
	}
	for _, s := range report.Suites {
		report.Tests += s.Tests
		report.Failures += s.Failures
		report.Errors += s.Errors
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	return e.Encode(report)
}

func (r *Report) junitSuite(name, verdict string) junitSuite {
	s := junitSuite{Name: visible(name), Time: seconds(0), Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05")}
	s.Properties = properties("verdict", verdict, "profile", r.Profile, "target", r.Target.URL,
		"issuer", r.Target.AuthorizationServer, "version", r.Tool.Version, "selection", r.Selection,
		"coverage", r.Coverage.String(), "nonce", r.Nonce, "catalogue", r.Catalogue.Version)
	return s
}

func (s *junitSuite) add(c junitCase, took float64) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.seconds += took
	s.Time, c.Time = seconds(s.seconds), seconds(took)
	s.Cases = append(s.Cases, c)
}

// junitRun is the suite of the run itself: the steps of the preflight, and whether it came to its end.
func junitRun(r *Report) junitSuite {
	s := r.junitSuite("Run", string(r.Verdict))
	for _, step := range r.Preflight {
		c := junitCase{Class: "emaconform.run", Name: line(step.Name), Out: visible(step.Saw)}
		took := 0.0
		for _, e := range step.Exchanges {
			took += e.Seconds
		}
		if !step.OK {
			c.Error = &junitResult{Message: cut(line(step.Saw), junitMessage), Type: "preflight",
				Body: visible(labelled("Seen", step.Saw) + labelled("Fix", step.Fix))}
		}
		s.add(c, took)
	}
	end := junitCase{Class: "emaconform.run", Name: "runs to its end"}
	if r.Ended != "" {
		end.Error = &junitResult{Message: cut(line(r.Ended), junitMessage), Type: "ended early", Body: visible(r.Problem)}
	}
	s.add(end, 0)
	return s
}

func junitCheck(c Check, q Requirement) junitCase {
	k := junitCase{
		Class: visible("emaconform." + c.Role + "." + c.Requirement),
		Name:  line(c.slug() + ": " + c.Title),
		Out:   cut(visible(junitOut(c)), junitBody),
	}
	result := &junitResult{Message: cut(line(c.Message), junitMessage), Type: string(c.Outcome)}
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
func properties(pairs ...string) *junitProperties {
	p := &junitProperties{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			p.List = append(p.List, junitProperty{pairs[i], visible(pairs[i+1])})
		}
	}
	return p
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }
