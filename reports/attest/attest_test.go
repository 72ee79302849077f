package attest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emaconform/emaconform/reports"
)

var known = Known{
	Catalogue: reports.Catalogue{Version: "1.0", Digest: reports.Digest([]byte("catalogue"))},
	Checks: []reports.NotRun{
		{ID: "RAS-A/one", Role: "ras", Level: "MUST"}, {ID: "RAS-A/two", Role: "ras", Level: "MUST"},
		{ID: "RS-B/one", Role: "rs", Level: "SHOULD"}, {ID: "CL-C/one", Role: "client", Level: "MUST"},
	},
}

// judged is a report of a run that a vendor would attest, with these changes.
func judged(changes ...func(*reports.Report)) *reports.Report {
	r := &reports.Report{
		Tool:      reports.Tool{Name: "emaconform", Version: "1.2.3", Digest: reports.Digest([]byte("binary"))},
		Catalogue: known.Catalogue, Nonce: "nonce", Profile: "ema", Finished: time.Now(),
		Target: reports.Target{URL: "https://mcp.acme.example/mcp", Resource: "https://mcp.acme.example/mcp",
			Address: reports.AddressPublic},
		Requirements: []reports.Requirement{{ID: "RAS-A", Role: "ras", Level: "MUST"},
			{ID: "RS-B", Role: "rs", Level: "SHOULD"}},
	}
	for _, c := range known.Checks[:3] {
		r.Checks = append(r.Checks, reports.Check{ID: c.ID, Requirement: strings.Split(c.ID, "/")[0], Role: c.Role,
			Level:   c.Level,
			Outcome: reports.Pass})
	}
	for _, change := range changes {
		change(r)
	}
	reports.Finish(r)
	return r
}

func newKey(t *testing.T) *Key {
	t.Helper()
	private, _, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParseKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signed is a statement made of a report, with its text changed after it was signed.
func signed(t *testing.T, key *Key, r *reports.Report, change ...string) []byte {
	t.Helper()
	payload, _, err := Statement(r, []byte("report"), known)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := Sign(context.Background(), key, payload)
	if err != nil {
		t.Fatal(err)
	}
	if len(change) == 0 {
		return envelope
	}
	changed := strings.NewReplacer(change...).Replace(string(payload))
	if changed == string(payload) {
		t.Fatalf("the statement has no %q: %s", change[0], payload)
	}
	var parts map[string]any
	if err := json.Unmarshal(envelope, &parts); err != nil {
		t.Fatal(err)
	}
	parts["payload"] = base64.StdEncoding.EncodeToString([]byte(changed))
	envelope, err = json.Marshal(parts)
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}

func TestAStatementHolds(t *testing.T) {
	key := newKey(t)
	o, err := Open(signed(t, key, judged()))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := o.SignedBy(context.Background(), []Signer{{"other", newKey(t)}, {"Acme", key}})
	if err != nil || signer.Name != "Acme" {
		t.Errorf("signed by %q: %v", signer.Name, err)
	}
	if err := o.Complete(known); err != nil {
		t.Errorf("complete: %v", err)
	}
	policy := &Policy{Verdict: reports.Conformant, Level: Full, MaxAge: time.Hour, Roles: []string{"ras", "rs"},
		Public: true}
	if v := policy.Violations(o, time.Now()); len(v) > 0 {
		t.Errorf("violations: %q", v)
	}
}

// Statements count by this catalogue and by the one before it; of another nobody can say whether it is complete.
func TestStatementsByTheLastTwoCatalogues(t *testing.T) {
	o, err := Open(signed(t, newKey(t), judged()))
	if err != nil {
		t.Fatal(err)
	}
	next := Known{Catalogue: reports.Catalogue{Version: "9.0", Digest: reports.Digest([]byte("next"))}}
	if err := o.Complete(next); err == nil || !strings.Contains(err.Error(), "and by the one before it") {
		t.Errorf("by a catalogue that nothing is known of: %v", err)
	}
	next.Before = &known
	if err := o.Complete(next); err != nil {
		t.Errorf("by the catalogue before: %v", err)
	}
	fewer := known
	fewer.Checks = fewer.Checks[:1]
	next.Before = &fewer
	if err := o.Complete(next); err == nil || !strings.Contains(err.Error(), "not in the catalogue") {
		t.Errorf("by a catalogue before that has other checks: %v", err)
	}
	relabelled := known
	relabelled.Catalogue.Version = "0.1"
	next.Before = &relabelled
	if err := o.Complete(next); err == nil {
		t.Error("a version has one digest, and this one has another")
	}
}

// TestOtherToolsReadTheTestResult compares with the names and values of in-toto's predicate.
func TestOtherToolsReadTheTestResult(t *testing.T) {
	r := judged(func(r *reports.Report) { r.Checks[0].Outcome, r.Checks[1].Outcome = reports.Fail, reports.Warn })
	_, payload, err := Statement(r, []byte("report"), known)
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		PredicateType string
		Predicate     struct {
			Result                                string
			PassedTests, WarnedTests, FailedTests []string
			Configuration                         []struct{ Digest map[string]string }
		}
	}
	if err := json.Unmarshal(payload, &s); err != nil {
		t.Fatal(err)
	}
	p := s.Predicate
	if s.PredicateType != TestResultType || p.Result != "FAILED" || len(p.PassedTests) != 1 || len(p.WarnedTests) != 1 ||
		len(p.FailedTests) != 1 || len(p.Configuration) != 2 || len(p.Configuration[0].Digest["sha256"]) != 64 {
		t.Errorf("it is %s", payload)
	}
}

func TestWhatCannotBeAttested(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*reports.Report)
		want   string
	}{
		{"of proposals", func(r *reports.Report) { r.Profile = "next" }, "a run by it is never a certificate"},
		{"interrupted", func(r *reports.Report) { r.Ended = "interrupted" }, "an interrupted run is never a certificate"},
		{"of an old version", func(r *reports.Report) { r.Tool.Digest = "" }, "run again with this one"},
		{"another catalogue", func(r *reports.Report) { r.Catalogue.Digest = reports.Digest(nil) },
			"attest with the version that made it"},
		{"a check left out", func(r *reports.Report) { r.Checks = r.Checks[1:] },
			"1 checks of the catalogue were left out: RAS-A/one"},
		{"an unknown check", func(r *reports.Report) { r.Checks[2].ID = "RS-B/new" }, "were left out: RS-B/one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := Statement(judged(c.change), nil, known)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one that says %q", err, c.want)
			}
		})
	}
}

func TestForgeriesAreNamed(t *testing.T) {
	key := newKey(t)
	warned := judged(func(r *reports.Report) { r.Checks[1].Outcome = reports.Warn })
	for _, c := range []struct {
		name, old, new, want string
	}{
		{"a byte of the nonce", `"nonce":"nonce"`, `"nonce":"nonc3"`, "what was signed was changed"},
		{"a polished verdict", `"verdict":"conformant with warnings"`, `"verdict":"conformant"`, "its results amount to"},
		{"a check with two outcomes", `"warned":["RAS-A/two"]`, `"warned":["RAS-A/two","RAS-A/one"]`, "has two outcomes"},
		{"another target", `"resource":"https://mcp.acme`, `"resource":"https://mcp.other`, "its subject is not the target"},
		{"an outcome moved", `"passed":["RAS-A/one"`, `"passed":["RAS-Z/one"`, "what was signed was changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := Open(signed(t, key, warned, c.old, c.new))
			if err == nil {
				_, err = o.SignedBy(context.Background(), []Signer{{"Acme", key}})
			}
			if !errors.Is(err, ErrForged) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want a forgery that says %q", err, c.want)
			}
		})
	}
	o, err := Open(signed(t, key, warned))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.SignedBy(context.Background(), []Signer{{"other", newKey(t)}}); err == nil ||
		!strings.Contains(err.Error(), "unknown key") {
		t.Errorf("error for an unknown key is %v", err)
	}
}

func TestWhatIsNoStatement(t *testing.T) {
	key := newKey(t)
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "this is no statement"},
		{"a report", []byte(`{"schema_version":"2","checks":[]}`), "this is a report, no statement"},
		{"a newer kind", signed(t, key, judged(), "conformance/v1", "conformance/v2"), "use a newer emaconform"},
		{"another type", signed(t, key, judged(), PredicateType, "https://slsa.dev/provenance/v1"), "of another type"},
		{"another payload", bytes.Replace(signed(t, key, judged()), []byte(PayloadType), []byte("text/plain"), 1),
			"not an in-toto statement"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(c.data)
			if err == nil || errors.Is(err, ErrForged) || !strings.Contains(err.Error(), c.want) ||
				strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %v, want one that says %q", err, c.want)
			}
		})
	}
}

func TestPolicy(t *testing.T) {
	skipped := func(r *reports.Report) {
		r.Checks[0].Outcome, r.Checks[0].Message, r.Checks[0].Key = reports.Skip, "needs a client", "clients"
		r.Checks[1].Expected = "known"
	}
	o, err := Open(signed(t, newKey(t), judged(skipped)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		policy Policy
		now    time.Duration
		want   string
	}{
		{"level", Policy{Level: Full, AllowWaivers: true}, 0, "the statement is partial, full is demanded"},
		{"age", Policy{MaxAge: time.Hour, AllowWaivers: true}, 3 * time.Hour, "it is too old: 3 h"},
		{"future", Policy{AllowWaivers: true}, -time.Hour, "from the future"},
		{"role", Policy{Roles: []string{"client"}, AllowWaivers: true}, 0, "role client was not judged"},
		{"profile", Policy{Profile: "hardened", AllowWaivers: true}, 0, "judged by profile ema"},
		{"proof", Policy{Proof: true, AllowWaivers: true}, 0, "nothing proves"},
		{"skips", Policy{AllowedSkips: []string{"RS-*"}, AllowWaivers: true}, 0, "may not be: RAS-A/one"},
		{"waivers", Policy{}, 0, "1 results are waived"},
		{"nothing", Policy{AllowedSkips: []string{"RAS-A"}, AllowWaivers: true}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(c.policy.Violations(o, time.Now().Add(c.now)), "; ")
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("violations are %q, want %q", got, c.want)
			}
		})
	}
}

func TestPolicyFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	_, public, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	write("acme.pub", string(public))
	p, signers, err := LoadPolicy(write("p.yaml", "level: full\nmax_age: 720h\nsigners: [{name: Acme, key: acme.pub}]\n"))
	if err != nil || p.MaxAge != 720*time.Hour || len(signers) != 1 || signers[0].Name != "Acme" {
		t.Errorf("%+v, %+v, %v", p, signers, err)
	}
	for text, want := range map[string]string{
		"levels: full\n": "levels", "level: best\n": `level "best" is none of`,
		"signers: [{name: A, key: no.pub}]\n": "signers[0] (A)",
	} {
		if _, _, err := LoadPolicy(write("bad.yaml", text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v", text, err)
		}
	}
}

// A run that selected checks of one role has those of the other, not run; a role that is missing was left out.
func TestAStatementHasBothRolesOfAServer(t *testing.T) {
	rsNotRun := func(r *reports.Report) {
		r.Checks, r.NotRun = r.Checks[:2], []reports.NotRun{{ID: "RS-B/one", Role: "rs", Level: "SHOULD"}}
	}
	o, err := Open(signed(t, newKey(t), judged(rsNotRun)))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Complete(known); err != nil {
		t.Errorf("complete: %v", err)
	}
	o.Results.NotRun = nil
	if err := o.Complete(known); err == nil || !strings.Contains(err.Error(), "RS-B/one") {
		t.Errorf("without the role rs: %v", err)
	}
}
