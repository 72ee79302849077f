package reports

import "testing"

func TestHeadlineOfARunThatEndedEarly(t *testing.T) {
	const checks = "Checks that had not ended are inconclusive."
	for _, c := range []struct{ ended, problem, want string }{
		{"interrupted", checks, "The run ended early (interrupted). " + checks},
		{"interrupted", "interrupted: checks that had not ended are inconclusive",
			"The run ended early (interrupted). " + checks},
		{"interrupted", "Interrupted: " + checks, "The run ended early (interrupted). " + checks},
		{"interrupted", "", "The run ended early (interrupted)."},
		{"interrupted", "interrupted:", "The run ended early (interrupted)."},
		{"time limit", "the run's time limit of 5s is over",
			"The run ended early (time limit). The run's time limit of 5s is over."},
		{"target lost", "the target no longer answers (EOF)",
			"The run ended early (target lost). The target no longer answers (EOF)."},
		{"preflight", "cannot reach it: start it first!",
			"The run ended early (preflight). Cannot reach it: start it first!"},
		{"preflight", "http://127.0.0.1:1 is no target",
			"The run ended early (preflight). http://127.0.0.1:1 is no target."},
		{"preflight", "idp.issuer is not https://idp.example",
			"The run ended early (preflight). idp.issuer is not https://idp.example"},
		{"preflight", "über all", "The run ended early (preflight). Über all."},
	} {
		r := &Report{Ended: c.ended, Problem: c.problem}
		if got := r.headline()[0]; got != c.want {
			t.Errorf("%s, %q: it says %q, want %q", c.ended, c.problem, got, c.want)
		}
	}
}

// What many attacks have shown is one line: what is compared is said once, and so is that it is compared.
func TestAttacksAreSaidInOneLine(t *testing.T) {
	g := attackGroup{Identifier: "sub", Severity: Critical, Checks: make([]Check, 3),
		Ways: []string{"compared without regard to case", "compared by how it begins", "read from other claims"}}
	const want = "sub is compared without regard to case, by how it begins, read from other claims (3 attacks, critical)"
	if got := g.said(); got != want {
		t.Errorf("said %q", got)
	}
}
