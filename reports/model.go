// Package reports holds the result of a conformance run and writes it for people and machines.
//
// The model below is the contract: its JSON form is described by a published, versioned JSON Schema, and every other
// format (JUnit XML, Markdown, HTML) is derived from it and from nothing else, so that a stored report can be rendered
// again later.
package reports

import (
	"net/http"
	"strings"
	"time"
)

// SchemaVersion is the version of the JSON report. It changes when a reader of the previous version would misread the
// report.
const SchemaVersion = "2"

// Outcome is what one check found.
type Outcome string

// The outcomes of a check.
const (
	Pass         Outcome = "pass"         // the requirement is met
	Fail         Outcome = "fail"         // a MUST is broken
	Warn         Outcome = "warn"         // a SHOULD is broken, or the documents disagree about what was seen
	Skip         Outcome = "skip"         // not offered by the target, or not configured: the message says which
	Inconclusive Outcome = "inconclusive" // nothing was proved: control refused, target unreachable, or our own error
)

// Outcomes lists every outcome, worst first.
var Outcomes = []Outcome{Fail, Inconclusive, Warn, Skip, Pass}

// Verdict is the judgement over a role.
type Verdict string

// The verdicts of a role.
const (
	Conformant             Verdict = "conformant"
	ConformantWithWarnings Verdict = "conformant with warnings"
	NotConformant          Verdict = "not conformant"
	NoVerdict              Verdict = "inconclusive"
)

// Report is one run against one target.
type Report struct {
	Schema        string        `json:"$schema"`
	SchemaVersion string        `json:"schema_version"`
	Tool          Tool          `json:"tool"`
	Catalogue     Catalogue     `json:"catalogue,omitzero"`
	Started       time.Time     `json:"started"`
	Finished      time.Time     `json:"finished,omitzero"`
	Seconds       float64       `json:"seconds"`                 // wall time of the whole run
	Profile       string        `json:"profile"`                 // "ema", "hardened", "id-jag" or "next"
	MCPRevisions  []string      `json:"mcp_revisions,omitempty"` // of the MCP specification that the target spoke
	Intrusive     bool          `json:"intrusive,omitempty"`     // checks that could hurt the target ran, too
	Seed          string        `json:"seed,omitempty"`          // of the order of the checks, in decimal
	Nonce         string        `json:"nonce,omitempty"`         // named by who asked for the run, or random
	Configuration Configuration `json:"configuration,omitzero"`
	Target        Target        `json:"target"`
	// that the run was against the target that it names; nil: none was asked for
	Proof    *Proof        `json:"proof,omitempty"`
	Verdict  Verdict       `json:"verdict"` // the worst of Roles
	Coverage Coverage      `json:"coverage,omitzero"`
	Roles    []RoleVerdict `json:"roles"`
	// Ended tells why the run ended early ("interrupted", "time limit", "preflight", "first look"); empty when it ran
	// to the end.
	Ended   string `json:"ended,omitempty"`
	Problem string `json:"problem,omitempty"` // for an early end: the one thing to fix, in a sentence or two
	// Selection tells what picked the checks when not all of the role ran (e.g. "--check RAS-AUD-EXACT"): the verdict
	// speaks of these checks alone.
	Selection    string        `json:"selection,omitempty"`
	Preflight    []Step        `json:"preflight"`
	Requirements []Requirement `json:"requirements"`
	Checks       []Check       `json:"checks"`
	// NotRun lists the checks of the roles under test that are not in Checks: not selected, or the run ended before them.
	// Each id of the catalogue's roles stands in exactly one of the two.
	NotRun   []NotRun  `json:"not_run,omitempty"`
	Baseline *Baseline `json:"baseline,omitempty"`
	Load     Load      `json:"load"`
	// Dropped says what is missing of the evidence, which would be too large; empty when nothing is.
	Dropped string `json:"dropped,omitempty"`
	Seal    string `json:"seal,omitempty"` // of the whole report as it was written; see seal.go
}

// Tool names the program that made the report.
type Tool struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Go       string `json:"go"`
	Revision string `json:"revision,omitempty"` // commit that it was built from; "+changes" when the tree had others
	Digest   string `json:"digest,omitempty"`   // of the binary: "sha256:" and hexadecimal digits, as every digest here
	Platform string `json:"platform,omitempty"` // e.g. "linux/amd64"
}

// Catalogue says by which list of demands the run judged.
type Catalogue struct {
	Version string `json:"version"`
	Digest  string `json:"digest"` // of its files
}

// String names the catalogue as people tell two of them apart: two builds may have one version.
func (c Catalogue) String() string {
	return strings.TrimSpace(c.Version + " " + cut(c.Digest, 20))
}

// Configuration says what the run was configured with, without what is secret.
type Configuration struct {
	Digest  string   `json:"digest"`            // of the configuration without secrets
	Enabled []string `json:"enabled,omitempty"` // what it enabled, e.g. "clients (2)", "second_idp"
}

// Proof says how it was shown that the run was against the target that the report names.
type Proof struct {
	Kind   string `json:"kind"`   // "well-known": the target served what only somebody who controls its origin can
	URL    string `json:"url"`    // where
	Before bool   `json:"before"` // seen before the checks
	After  bool   `json:"after"`  // seen after the checks
}

// Coverage says how much of the catalogue was judged: what passed, warned or failed. Skipped and inconclusive checks,
// and those that did not run, are not judged.
type Coverage struct {
	Checks     int   `json:"checks"` // of the roles under test
	Judged     int   `json:"judged"`
	Must       int   `json:"must"` // of Checks, those of level MUST
	MustJudged int   `json:"must_judged"`
	Gaps       []Gap `json:"gaps,omitempty"` // of the MUST checks that were not judged, most first
}

// Gap is a reason for which MUST checks were not judged.
type Gap struct {
	Key    string `json:"key,omitempty"` // what would let them be judged: a key of the configuration or a flag
	Reason string `json:"reason"`
	Checks int    `json:"checks"`
}

// NotRun is a check that did not run.
type NotRun struct {
	ID    string `json:"id"`
	Role  string `json:"role"`
	Level string `json:"level"`
}

// Target is the system under test as it was found.
type Target struct {
	Name                string   `json:"name,omitempty"`
	URL                 string   `json:"url"`                // the MCP server; empty for a client
	Command             string   `json:"command,omitempty"`  // what was run, for a client
	Resource            string   `json:"resource,omitempty"` // its RFC 9728 resource identifier
	AuthorizationServer string   `json:"issuer,omitempty"`   // the RAS's issuer identifier
	TokenEndpoint       string   `json:"token_endpoint,omitempty"`
	Version             string   `json:"version,omitempty"`         // as the MCP server calls itself: name and version
	TrustedIssuers      []string `json:"trusted_issuers,omitempty"` // issuers of the mock IdP used in the run
	Embedded            bool     `json:"embedded,omitempty"`        // the reference target in this binary
	Defects             []string `json:"defects,omitempty"`         // defects switched on in the embedded target
	// a client that had a secret at the IdP in every scenario
	Confidential bool `json:"confidential,omitempty"`
	// Address is the kind of address that the target's name led to: AddressLoopback, AddressPrivate or AddressPublic.
	Address   string     `json:"address,omitempty"`
	TLS       []Peer     `json:"tls,omitempty"`       // who answered at its https origins
	Documents []Document `json:"documents,omitempty"` // its metadata, as found in the preflight
}

// The kinds of address.
const (
	AddressLoopback = "loopback"
	AddressPrivate  = "private" // or link-local, or of a shared range: not reachable from the internet
	AddressPublic   = "public"
)

// Peer is who answered at an https origin.
type Peer struct {
	Host      string `json:"host"`       // with port
	KeyDigest string `json:"key_digest"` // of the certificate's SubjectPublicKeyInfo
	Issuer    string `json:"issuer"`     // of the certificate
}

// Document is a metadata document that the target publishes.
type Document struct {
	URL    string `json:"url"`
	Digest string `json:"digest"` // of its JSON with sorted members and no white space
}

// RoleVerdict is the judgement over the checks of one role ("ras", "rs", "client", "idp").
type RoleVerdict struct {
	Role    string          `json:"role"`
	Verdict Verdict         `json:"verdict"`
	Counts  map[Outcome]int `json:"counts"`
}

// Step is one step of the preflight: the happy path, in order, until it works or stops.
type Step struct {
	Name      string     `json:"name"` // e.g. "find protected resource metadata"
	OK        bool       `json:"ok"`
	Saw       string     `json:"saw,omitempty"`
	Fix       string     `json:"fix,omitempty"` // when not OK: what to do next
	Exchanges []Exchange `json:"exchanges,omitempty"`
}

// Requirement is one entry of the catalogue as judged in this run.
type Requirement struct {
	ID   string `json:"id"`
	Role string `json:"role"`
	// MUST, SHOULD or MAY, in the profile of the run; "none" where that does not hold it
	Level   string   `json:"level"`
	Levels  []Level  `json:"levels,omitempty"` // in every profile
	Title   string   `json:"title,omitempty"`  // a few words
	Says    string   `json:"says"`
	Sources []Source `json:"sources"`
	Why     string   `json:"why,omitempty"`     // what goes wrong when it is broken
	Fix     string   `json:"fix,omitempty"`     // how to fix an implementation that fails
	Reading string   `json:"reading,omitempty"` // where documents disagree: the reading taken
	// Severity is what an attacker gains when it is broken: critical, high, medium or low; SeverityWhy says it.
	Severity    Severity `json:"severity,omitempty"`
	SeverityWhy string   `json:"severity_why,omitempty"`
	// Outcome is the worst outcome of its checks, skip only when all were skipped; empty when it has none in this run.
	Outcome Outcome `json:"outcome,omitempty"`
	// Untestable says why nothing can be seen from outside; such a requirement has no checks.
	Untestable string `json:"untestable,omitempty"`
}

// Level is how much a requirement weighs in one profile.
type Level struct {
	Profile string `json:"profile"`
	Level   string `json:"level"` // MUST, SHOULD, MAY, or "none" where the profile does not judge it
}

// Source is where a requirement is written down.
type Source struct {
	Document string `json:"document"` // e.g. "EMA", "ID-JAG draft-04", "RFC 7523"
	Section  string `json:"section,omitempty"`
	URL      string `json:"url,omitempty"`
	Revision string `json:"revision,omitempty"` // of the document: a commit, a number, an edition
	Date     string `json:"date,omitempty"`     // of that revision
}

// Check is the result of one check.
type Check struct {
	ID          string     `json:"id"`          // "<requirement>/<slug>", e.g. "RAS-AUD-EXACT/missing"
	Requirement string     `json:"requirement"` // id of the requirement that it judges
	Role        string     `json:"role"`
	Level       string     `json:"level"` // MUST, SHOULD or MAY; may be weaker than the requirement's
	Title       string     `json:"title"`
	Sends       string     `json:"sends"`
	Expects     string     `json:"expects"`
	Labels      []string   `json:"labels,omitempty"`
	Outcome     Outcome    `json:"outcome"`
	Message     string     `json:"message,omitempty"` // expected, seen, and what to do; empty on a plain pass
	Warnings    []string   `json:"warnings,omitempty"`
	Notes       []string   `json:"notes,omitempty"` // facts worth reporting that are not judged
	Seconds     float64    `json:"seconds"`
	Exchanges   []Exchange `json:"exchanges,omitempty"`
	Dropped     int        `json:"dropped,omitempty"` // exchanges that are not kept, since the report would be too large
	// Key is, for a skipped check, what would let it run: a key of the configuration, a flag, or what the target may
	// offer.
	Key string `json:"key,omitempty"`
	// Severity is what an accepted attack gains, where that is not the requirement's.
	Severity Severity `json:"severity,omitempty"`
	// Identifier and Way group generated attacks, e.g. "sub" and "compared without regard to case": reports show a line
	// for each pair, the variants behind it.
	Identifier string `json:"identifier,omitempty"`
	Way        string `json:"way,omitempty"`
	// Follows lists requirements and checks whose failure is enough to make this check fail, too.
	Follows []string `json:"follows,omitempty"`
	// Cause is the failed check that this failure follows from; empty when it stands for itself.
	Cause string `json:"cause,omitempty"`
	// Expected is set when the baseline lists this check, with the reason given there.
	Expected string `json:"expected,omitempty"`
	Seal     string `json:"seal,omitempty"` // of this result as it was written; see seal.go
}

// Severity says how bad it is when a requirement is broken.
type Severity string

// The severities: what an attacker gains.
const (
	Critical Severity = "critical" // becomes somebody else, or gets rights that nobody gave
	High     Severity = "high"     // the same with something stolen first, or keeps access that was taken back
	Medium   Severity = "medium"   // a step on the way, or an outage
	Low      Severity = "low"      // nothing directly
)

// Severities lists them, worst first.
var Severities = []Severity{Critical, High, Medium, Low}

// Part is the part that an exchange plays in a check.
type Part string

// The parts of exchanges.
const (
	Control Part = "control" // the honest twin of the attack: must be granted
	Attack  Part = "attack"  // the one thing under test
	Setup   Part = "setup"   // anything else
)

// Exchange is one HTTP request and its response. Everything in it is redacted already: tokens stand in Tokens with
// their signature cut, and the places where they stood hold a reference such as "‹id-jag 1›".
type Exchange struct {
	Part     Part      `json:"part"`
	Note     string    `json:"note,omitempty"`
	Request  Request   `json:"request"`
	Response *Response `json:"response,omitempty"` // nil when there was none: see Error
	Error    string    `json:"error,omitempty"`
	Seconds  float64   `json:"seconds"`
	Tokens   []Token   `json:"tokens,omitempty"`
	// only what was asked and the status are kept: the report would be too large
	Brief bool `json:"brief,omitempty"`
}

// Request is a redacted HTTP request.
type Request struct {
	Method string      `json:"method"`
	URL    string      `json:"url"`
	Header http.Header `json:"header,omitempty"`
	Form   []Field     `json:"form,omitempty"` // the body when it is a urlencoded form, in the order sent
	Body   string      `json:"body,omitempty"` // any other body, cut to a few KiB
}

// Field is one form field.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Response is a redacted HTTP response.
type Response struct {
	Status int         `json:"status"`
	Header http.Header `json:"header,omitempty"`
	Body   string      `json:"body,omitempty"` // cut to a few KiB; Cut tells
	Cut    bool        `json:"cut,omitempty"`
}

// Token is a token of an exchange, decoded and without its signature.
type Token struct {
	Ref    string `json:"ref"`              // the reference that stands in its place, e.g. "id-jag 1"
	Header string `json:"header,omitempty"` // JSON, indented; or what could be made of it
	Claims string `json:"claims,omitempty"` // JSON, indented; or what could be made of it
	Note   string `json:"note,omitempty"`   // e.g. "signature cut, 342 characters", "opaque, 43 characters"
}

// Baseline says how the run compares with the file of expected failures.
type Baseline struct {
	File   string `json:"file"`
	Digest string `json:"digest,omitempty"` // of the file
	// Matched lists failures (or warnings, or inconclusive checks) that were expected and so do not gate.
	Matched []string `json:"matched,omitempty"`
	// Unexpected lists gating results that the file does not list.
	Unexpected []string `json:"unexpected,omitempty"`
	// Stale lists entries whose check now passes: take them off the list.
	Stale []string `json:"stale,omitempty"`
	// Unknown lists entries that name no check of this version.
	Unknown []string `json:"unknown,omitempty"`
}

// Load says what the run cost.
type Load struct {
	Workers    int   `json:"workers"`
	Exchanges  int   `json:"exchanges"`
	PeakMemory int64 `json:"peak_memory_bytes"` // of the parent and its workers together
}
