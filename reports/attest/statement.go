// Package attest turns a report into a small statement that a vendor signs and hands to a customer, and judges such a
// statement: an in-toto statement in a DSSE envelope. It holds ids and digests, and no exchange: the evidence stays
// with the vendor.
package attest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	v1 "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/emaconform/emaconform/reports"
)

// The types of what is signed.
const (
	PayloadType = "application/vnd.in-toto+json"
	// PredicateType is our own predicate; its JSON Schema is PredicateSchema.
	PredicateType = predicateFamily + "v1"
	// TestResultType is the predicate that other tools read: in-toto's test-result.
	TestResultType = "https://in-toto.io/attestation/test-result/v0.1"

	predicateFamily = "https://emaconform.dev/attestation/conformance/"
)

// Predicate is what a statement says of its subject.
type Predicate struct {
	Verdict        reports.Verdict       `json:"verdict"`
	Roles          []reports.RoleVerdict `json:"roles"`
	Coverage       reports.Coverage      `json:"coverage"`
	Profile        string                `json:"profile"`
	MCPRevisions   []string              `json:"mcp_revisions,omitempty"`
	Tool           reports.Tool          `json:"tool"`
	Catalogue      reports.Catalogue     `json:"catalogue"`
	Configuration  reports.Configuration `json:"configuration,omitzero"`
	Target         reports.Target        `json:"target"`
	Proof          *reports.Proof        `json:"proof,omitempty"` // that the target is the one named; nil: none
	Started        time.Time             `json:"started"`
	Finished       time.Time             `json:"finished"`
	Nonce          string                `json:"nonce"`
	Seed           string                `json:"seed,omitempty"`
	Intrusive      bool                  `json:"intrusive,omitempty"`
	Selection      string                `json:"selection,omitempty"`
	Results        Results               `json:"results"`
	BaselineDigest string                `json:"baseline_digest,omitempty"`
	Limits         []string              `json:"limits,omitempty"` // what it says nothing of, a sentence each
	// by the vendor's baseline; the verdict does not count them as passed
	Waived []Waiver `json:"waived,omitempty"`
}

// limits are what no suite can exclude.
var limits = []string{
	"The target was seen as it behaved towards this suite at that time. A target can tell a suite from other " +
		"clients, by its address or because the mock identity provider is its issuer, and behave differently for it.",
	"The signer vouches that the result was not changed before it was signed.",
}

// Results holds every check of the catalogue's roles in exactly one list.
type Results struct {
	Passed       []string `json:"passed"`
	Warned       []string `json:"warned"`
	Failed       []string `json:"failed"`
	Inconclusive []string `json:"inconclusive"`
	Skipped      []Skip   `json:"skipped"`
	NotRun       []string `json:"not_run"`
}

// Skip is a check that was skipped.
type Skip struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
	Key    string `json:"key,omitempty"` // what would have let it run
}

// Waiver is a result that the vendor's baseline expects.
type Waiver struct {
	ID      string          `json:"id"`
	Outcome reports.Outcome `json:"outcome"`
	Reason  string          `json:"reason"`
}

// Artifact is something of the vendor's that the statement also speaks of, e.g. the image that was judged.
type Artifact struct {
	Name   string
	SHA256 string // 64 hexadecimal digits
}

// Subject is the canonical identity of the target: what a statement is about, whoever made it.
type subject struct {
	Resource      string `json:"resource"`
	Issuer        string `json:"issuer"`
	TokenEndpoint string `json:"token_endpoint"`
	Command       string `json:"command,omitempty"`
	Profile       string `json:"profile"`
}

// TargetDigest is the digest of a target's canonical identity, as 64 hexadecimal digits.
func TargetDigest(t reports.Target, profile string) string {
	raw, err := json.Marshal(subject{t.Resource, t.AuthorizationServer, t.TokenEndpoint, t.Command, profile})
	if err != nil {
		panic("attest: " + err.Error()) // five strings
	}
	return strings.TrimPrefix(reports.Digest(raw), "sha256:")
}

// Statement makes the payloads to sign from a report: the statement with our predicate, and one with in-toto's
// test-result about the same subjects. report is the file as it was read, whose digest is a subject. A report that
// cannot be a statement (the run ended early, or it lacks what a statement needs) is an error that says what to do.
func Statement(r *reports.Report, report []byte, known Known,
	artifacts ...Artifact) (ours, testResult []byte, err error) {
	if err := attestable(r, known); err != nil {
		return nil, nil, err
	}
	subjects := []*v1.ResourceDescriptor{
		{Name: name(r.Target), Digest: map[string]string{"sha256": TargetDigest(r.Target, r.Profile)}},
		{Name: "report.json", Digest: map[string]string{"sha256": strings.TrimPrefix(reports.Digest(report), "sha256:")}},
	}
	for _, a := range artifacts {
		subjects = append(subjects, &v1.ResourceDescriptor{Name: a.Name, Digest: map[string]string{"sha256": a.SHA256}})
	}
	p := predicate(r)
	if ours, err = payload(subjects, PredicateType, p); err != nil {
		return nil, nil, err
	}
	testResult, err = payload(subjects, TestResultType, p.testResult())
	return ours, testResult, err
}

// preview is the profile of what is only proposed.
const preview = "next"

// attestable says why a report cannot become a statement.
func attestable(r *reports.Report, known Known) error {
	switch {
	case r.Ended != "":
		return fmt.Errorf("the run ended early (%s): an interrupted run is never a certificate; run again to the end",
			r.Ended)
	case r.Profile == preview:
		return fmt.Errorf("the profile %s holds proposals that are still open: a run by it is never a certificate; run "+
			"again with --profile ema", preview)
	case r.Tool.Digest == "" || r.Catalogue.Digest == "" || r.Nonce == "":
		return errors.New("the report lacks what a statement needs (digests of the program and the catalogue, a nonce): " +
			"it is of an older version; run again with this one")
	case r.Catalogue.Digest != known.Catalogue.Digest:
		return fmt.Errorf("the report was made with catalogue %s (%.19s…), this program has %s (%.19s…): attest with the "+
			"version that made it", r.Catalogue.Version, r.Catalogue.Digest, known.Catalogue.Version, known.Catalogue.Digest)
	}
	return Complete(r, known)
}

func name(t reports.Target) string {
	for _, s := range []string{t.Resource, t.URL, t.Name, t.Command} {
		if s != "" {
			return s
		}
	}
	return "target"
}

func predicate(r *reports.Report) Predicate {
	p := Predicate{
		Verdict: r.Verdict, Roles: r.Roles, Coverage: r.Coverage, Profile: r.Profile, MCPRevisions: r.MCPRevisions,
		Tool:      r.Tool,
		Catalogue: r.Catalogue, Configuration: r.Configuration, Target: r.Target, Proof: r.Proof, Started: r.Started.UTC(),
		Finished: r.Finished.UTC(), Nonce: r.Nonce, Seed: r.Seed, Intrusive: r.Intrusive, Selection: r.Selection,
		Limits:  limits,
		Results: Results{[]string{}, []string{}, []string{}, []string{}, []Skip{}, []string{}},
	}
	for _, c := range r.Checks {
		switch c.Outcome {
		case reports.Pass:
			p.Results.Passed = append(p.Results.Passed, c.ID)
		case reports.Warn:
			p.Results.Warned = append(p.Results.Warned, c.ID)
		case reports.Fail:
			p.Results.Failed = append(p.Results.Failed, c.ID)
		case reports.Skip:
			p.Results.Skipped = append(p.Results.Skipped, Skip{c.ID, c.Message, c.Key})
		default:
			p.Results.Inconclusive = append(p.Results.Inconclusive, c.ID)
		}
		if c.Expected != "" {
			p.Waived = append(p.Waived, Waiver{c.ID, c.Outcome, c.Expected})
		}
	}
	if r.Baseline != nil {
		p.BaselineDigest = r.Baseline.Digest
	}
	for _, c := range r.NotRun {
		p.Results.NotRun = append(p.Results.NotRun, c.ID)
	}
	return p
}

// testResult is the predicate as in-toto's test-result has it.
func (p Predicate) testResult() map[string]any {
	result := "FAILED"
	switch p.Verdict {
	case reports.Conformant:
		result = "PASSED"
	case reports.ConformantWithWarnings:
		result = "WARNED"
	}
	made := map[string]any{
		"result": result, "passedTests": p.Results.Passed, "warnedTests": p.Results.Warned,
		"failedTests": slices.Concat(p.Results.Failed, p.Results.Inconclusive), // it has no word for these
		"configuration": []any{
			map[string]any{"name": "emaconform", "digest": sha(p.Tool.Digest)},
			map[string]any{"name": "catalogue " + p.Catalogue.Version, "digest": sha(p.Catalogue.Digest)},
		},
	}
	if u, err := url.Parse(p.Target.URL); err == nil && u.Host != "" {
		made["url"] = p.Target.URL
	}
	return made
}

func sha(digest string) map[string]any {
	return map[string]any{"sha256": strings.TrimPrefix(digest, "sha256:")}
}

// payload is an in-toto statement as JSON.
func payload(subjects []*v1.ResourceDescriptor, predicateType string, predicate any) ([]byte, error) {
	raw, err := json.Marshal(predicate)
	if err != nil {
		return nil, err
	}
	var content structpb.Struct
	if err := protojson.Unmarshal(raw, &content); err != nil {
		return nil, err
	}
	s := &v1.Statement{Type: v1.StatementTypeUri, Subject: subjects, PredicateType: predicateType, Predicate: &content}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	raw, err = protojson.Marshal(s)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer // protojson puts white space where it likes, so that nobody relies on it
	err = json.Compact(&compact, raw)
	return compact.Bytes(), err
}
