// Package junit has the elements of JUnit XML, as Jenkins, GitLab and the GitHub reporters read them.
package junit

import (
	"encoding/xml"
	"io"
)

// Report is the document: suites, and their sums.
type Report struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Time     string   `xml:"time,attr,omitempty"` // seconds
	Suites   []Suite  `xml:"testsuite"`
}

// Suite is test cases that belong together, and how many there are of each kind.
type Suite struct {
	Name       string      `xml:"name,attr"`
	Tests      int         `xml:"tests,attr"`
	Failures   int         `xml:"failures,attr"`
	Errors     int         `xml:"errors,attr"`
	Skipped    int         `xml:"skipped,attr"`
	Time       string      `xml:"time,attr"`                // seconds
	Timestamp  string      `xml:"timestamp,attr,omitempty"` // UTC, without a zone
	Properties *Properties `xml:"properties"`
	Cases      []Case      `xml:"testcase"`
}

// Case is one test. It passed where none of the three results is there.
type Case struct {
	Class   string  `xml:"classname,attr"`
	Name    string  `xml:"name,attr"`
	Time    string  `xml:"time,attr,omitempty"` // seconds
	Failure *Result `xml:"failure"`
	Error   *Result `xml:"error"`
	Skipped *Result `xml:"skipped"`
	Out     string  `xml:"system-out,omitempty"`
}

// Properties is what is said of a suite.
type Properties struct {
	List []Property `xml:"property"`
}

// Property is a name with a value.
type Property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

// Result is why a test did not pass.
type Result struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Body    string `xml:",chardata"`
}

// Timestamps is the layout of Suite.Timestamp.
const Timestamps = "2006-01-02T15:04:05"

// Add adds a test case and counts it.
func (s *Suite) Add(c Case) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// Add adds a suite and its numbers.
func (r *Report) Add(s Suite) {
	r.Tests, r.Failures, r.Errors = r.Tests+s.Tests, r.Failures+s.Failures, r.Errors+s.Errors
	r.Suites = append(r.Suites, s)
}

// Write writes the document.
func (r *Report) Write(w io.Writer) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	return e.Encode(r)
}
