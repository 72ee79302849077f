package reports

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/reports/junit"
)

// junitOf writes a report and reads it again with a parser that knows the format by its names alone.
func junitOf(t *testing.T, r *Report) junit.Report {
	t.Helper()
	var b bytes.Buffer
	if err := WriteJUnit(&b, r); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(bytes.NewReader(b.Bytes())); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the XML is not well-formed: %v", err)
		}
	}
	var read junit.Report
	if err := xml.Unmarshal(b.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func find(t *testing.T, r junit.Report, id string) junit.Case {
	t.Helper()
	for _, s := range r.Suites {
		for _, c := range s.Cases {
			if strings.HasPrefix(c.Out, id+" (") {
				return c
			}
		}
	}
	t.Fatalf("there is no testcase for %s", id)
	return junit.Case{}
}

func TestJUnitOutcomes(t *testing.T) {
	read := junitOf(t, withBaseline())
	has := func(text string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in %q", want, text)
			}
		}
	}
	if c := find(t, read, "RAS-JTI-REPLAY/at-once"); c.Failure == nil {
		t.Error("a failed check is no failure")
	} else {
		has(c.Failure.Message, "Expected the ID-JAG to be refused")
		has(c.Failure.Body, "Sent: ", "Expected: 400", "Seen: Expected the ID-JAG", "MUST: An ID-JAG",
			"Written in: EMA § 7.4.3", "Fix: Check this")
		has(c.Out, "control POST https://auth.acme.example/tenant-7/token: 200 OK", "attack  POST")
	}
	if c := find(t, read, "RAS-SIG-VERIFY/jku"); c.Error == nil || c.Error.Type != "inconclusive" {
		t.Error("an inconclusive check is no error")
	}
	if c := find(t, read, "RAS-EXP/far-future"); c.Failure != nil || c.Error != nil || c.Skipped != nil {
		t.Error("a warning does not pass")
	} else {
		has(c.Out, "Warning: Expected the error invalid_grant, saw invalid_request.")
	}
	if c := find(t, read, "RAS-CLIENT-BINDING/other-client"); c.Skipped == nil {
		t.Error("a skipped check is not skipped")
	} else {
		has(c.Skipped.Message, "a second registered client is needed")
	}
	if c := find(t, read, "RAS-AUD-EXACT/prefix"); c.Skipped == nil || c.Failure != nil {
		t.Error("an expected failure is not skipped")
	} else {
		has(c.Skipped.Message, "expected by the baseline (fail): compared by prefix until release 4")
	}
}

func TestJUnitCountsAndNames(t *testing.T) {
	for name, r := range map[string]*Report{"sample": sample(), "stopped": stopped()} {
		read := junitOf(t, r)
		var total junit.Report
		names := map[string]bool{}
		for _, s := range read.Suites {
			var failures, failed, skipped int
			for _, c := range s.Cases {
				failures += btoi(c.Failure != nil)
				failed += btoi(c.Error != nil)
				skipped += btoi(c.Skipped != nil)
				if _, err := strconv.ParseFloat(c.Time, 64); err != nil || c.Class == "" || c.Name == "" {
					t.Errorf("%s: testcase %+v", name, c)
				}
				if names[c.Class+" "+c.Name] {
					t.Errorf("%s: two testcases are called %s %s", name, c.Class, c.Name)
				}
				names[c.Class+" "+c.Name] = true
			}
			if s.Tests != len(s.Cases) || s.Failures != failures || s.Errors != failed || s.Skipped != skipped {
				t.Errorf("%s: suite %s counts %d, %d, %d, %d", name, s.Name, s.Tests, s.Failures, s.Errors, s.Skipped)
			}
			total.Tests += s.Tests
			total.Failures += s.Failures
		}
		if read.Tests != total.Tests || read.Failures != total.Failures {
			t.Errorf("%s: in all it counts %d tests, %d failures", name, read.Tests, read.Failures)
		}
	}
}

func TestJUnitOfARunThatEndedEarlyIsRed(t *testing.T) {
	read := junitOf(t, stopped())
	if read.Errors != 2 {
		t.Errorf("%d errors, want the step that broke and the end of the run", read.Errors)
	}
}

func TestJUnitHoldsPoisonDown(t *testing.T) {
	read := junitOf(t, poisoned()) // which parses it
	c := find(t, read, visible(poisoned().Checks[1].ID))
	if c.Failure == nil || !strings.Contains(c.Failure.Body, `]]><!-- --> &lt;`) ||
		!strings.Contains(c.Failure.Body, `\u0000`) {
		t.Error("the poison does not read as it was sent")
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
