package attest

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	v1 "github.com/in-toto/attestation/go/v1"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/emaconform/emaconform/reports"
)

// PredicateSchema is the JSON Schema (2020-12) of our predicate.
//
//go:embed schema/conformance-v1.schema.json
var PredicateSchema []byte

var compiled = sync.OnceValue(func() *reports.Form { return reports.CompileSchema(PredicateSchema) })

// maxStatement bounds a file that Open takes, in bytes. A statement is some 20 KB.
const maxStatement = 8 << 20

// ErrForged is behind errors that say that a statement is not what its signer signed, or contradicts itself: as opposed
// to a file that is no statement.
var ErrForged = errors.New("the statement does not hold")

// Opened is a statement that was taken apart.
type Opened struct {
	Predicate
	Subjects []*v1.ResourceDescriptor
	Payload  []byte
	Digest   string // of the payload
	KeyIDs   []string
	Envelope *dsse.Envelope // nil for a bare statement
}

// Open takes a statement apart: a DSSE envelope, or a bare in-toto statement. It checks the form and that the statement
// fits together: each check in one list, the verdict and the coverage those of the results. Signatures are for
// SignedBy.
func Open(data []byte) (*Opened, error) {
	if len(data) > maxStatement {
		return nil, fmt.Errorf("this is no statement: it is larger than %d MiB", maxStatement>>20)
	}
	o := &Opened{Payload: data}
	var envelope dsse.Envelope
	if err := json.Unmarshal(data, &envelope); err != nil {
		return nil, errors.New("this is no statement: it is not JSON")
	}
	if envelope.PayloadType != "" || envelope.Payload != "" {
		if envelope.PayloadType != PayloadType {
			return nil, fmt.Errorf("the envelope holds %.80q, not an in-toto statement (%s)", envelope.PayloadType, PayloadType)
		}
		payload, err := envelope.DecodeB64Payload()
		if err != nil {
			return nil, errors.New("the envelope's payload is not base64")
		}
		o.Payload, o.Envelope = payload, &envelope
		for _, s := range envelope.Signatures {
			o.KeyIDs = append(o.KeyIDs, s.KeyID)
		}
	}
	o.Digest = reports.Digest(o.Payload)
	return o, o.read()
}

// read reads the payload.
func (o *Opened) read() error {
	var s v1.Statement
	if err := protojson.Unmarshal(o.Payload, &s); err != nil {
		var report struct{ Checks []any }
		if json.Unmarshal(o.Payload, &report) == nil && report.Checks != nil {
			return errors.New("this is a report, no statement: emaconform attest makes one of it")
		}
		return errors.New("this is no statement: what is signed is no in-toto statement")
	}
	switch {
	case strings.HasPrefix(s.PredicateType, predicateFamily) && s.PredicateType != PredicateType:
		return fmt.Errorf("the statement is of a newer kind (%.100s): this program reads v1; use a newer emaconform",
			s.PredicateType)
	case s.PredicateType != PredicateType:
		return fmt.Errorf("the statement is of another type (%.100s): expected %s", s.PredicateType, PredicateType)
	case len(s.Subject) == 0:
		return errors.New("the statement has no subject: it speaks of nothing")
	}
	if err := s.Validate(); err != nil {
		return fmt.Errorf("the statement is not well-formed: %.200w", err)
	}
	raw, err := protojson.Marshal(s.Predicate)
	if err != nil {
		return err
	}
	if err := compiled().Check(raw); err != nil {
		return fmt.Errorf("the statement does not follow its schema: %w", err)
	}
	if err := json.Unmarshal(raw, &o.Predicate); err != nil {
		return fmt.Errorf("the statement does not follow its schema: %w", err)
	}
	o.Subjects = s.Subject
	return o.fits()
}

// fits computes again what follows from the results.
func (o *Opened) fits() error {
	forged := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrForged, fmt.Sprintf(format, args...))
	}
	if got := o.Subjects[0].Digest["sha256"]; got != TargetDigest(o.Target, o.Profile) {
		return forged("its subject is not the target that it describes")
	}
	checks, err := o.checks()
	if err != nil {
		return forged("%v", err)
	}
	verdict, roles := reports.Judge(checks, true)
	if verdict != o.Verdict {
		return forged("it says %q, but its results amount to %q", o.Verdict, verdict)
	}
	if len(roles) != len(o.Roles) {
		return forged("it judges %d roles, but has results of %d", len(o.Roles), len(roles))
	}
	for i, v := range roles {
		if s := o.Roles[i]; s.Role != v.Role || s.Verdict != v.Verdict || !maps.Equal(s.Counts, v.Counts) {
			return forged("its verdict or its counts of role %s are not those of its results", v.Role)
		}
	}
	r := o.Results
	judged := len(r.Passed) + len(r.Warned) + len(r.Failed)
	if all := len(checks) + len(r.NotRun); o.Coverage.Checks != all || o.Coverage.Judged != judged {
		return forged("it says that %d of %d checks were judged, but has %d of %d", o.Coverage.Judged,
			o.Coverage.Checks, judged, all)
	}
	return nil
}

// checks are the results as a report has them.
func (o *Opened) checks() ([]reports.Check, error) {
	var list []reports.Check
	seen := map[string]bool{}
	var err error
	add := func(outcome reports.Outcome, ids ...string) {
		for _, id := range ids {
			if seen[id] {
				err = fmt.Errorf("check %.120s has two outcomes", id)
			}
			seen[id] = true
			if outcome != "" {
				list = append(list, reports.Check{ID: id, Role: roleOf(id), Outcome: outcome})
			}
		}
	}
	add(reports.Pass, o.Results.Passed...)
	add(reports.Warn, o.Results.Warned...)
	add(reports.Fail, o.Results.Failed...)
	add(reports.Inconclusive, o.Results.Inconclusive...)
	for _, s := range o.Results.Skipped {
		add(reports.Skip, s.ID)
	}
	add("", o.Results.NotRun...)
	for _, w := range o.Waived {
		if !seen[w.ID] {
			err = fmt.Errorf("it waives %.120s, which it has no result of", w.ID)
		}
	}
	return list, err
}

// roleOf is the role of a check, which its id begins with.
func roleOf(id string) string {
	prefix, _, _ := strings.Cut(id, "-")
	if prefix == "CL" {
		return "client"
	}
	return strings.ToLower(prefix)
}

// ids lists every check of the statement.
func (o *Opened) ids() []string {
	r := o.Results
	list := append(append(append(append(append([]string{}, r.Passed...), r.Warned...), r.Failed...), r.Inconclusive...),
		r.NotRun...)
	for _, s := range r.Skipped {
		list = append(list, s.ID)
	}
	return list
}

// Complete compares the statement's checks with its catalogue, which has to be this program's or the one before it: of
// others nobody can say whether checks were left out.
func (o *Opened) Complete(known Known) error {
	by := &known
	if by.Catalogue.Digest != o.Catalogue.Digest {
		by = known.Before
	}
	if by == nil || by.Catalogue != o.Catalogue {
		return fmt.Errorf("it was judged by catalogue %.20s (%.19s…): statements count by the catalogue of the verifying "+
			"program (%s, %.19s…) and by the one before it; verify with the emaconform that made it, or ask for a new one",
			o.Catalogue.Version, o.Catalogue.Digest,
			known.Catalogue.Version, known.Catalogue.Digest)
	}
	var roles []string
	for _, id := range o.ids() {
		if role := roleOf(id); !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	if slices.Contains(roles, "ras") || slices.Contains(roles, "rs") {
		// a server has both, so that neither can be left out
		roles = append(roles, "ras", "rs")
	}
	if err := by.complete(o.ids(), roles); err != nil {
		return fmt.Errorf("%w: %w", ErrForged, err)
	}
	return nil
}

// Signer is a key that statements are taken from, and whose it is.
type Signer struct {
	Name string
	Key  *Key
}

// SignedBy returns the first of these signers that signed the statement. The error says why there is none.
func (o *Opened) SignedBy(ctx context.Context, signers []Signer) (Signer, error) {
	if o.Envelope == nil {
		return Signer{}, fmt.Errorf("%w: it is not signed", ErrForged)
	}
	if len(signers) == 0 {
		return Signer{}, fmt.Errorf("nothing says whose signature to trust (it is of key %.64s): name the signer's "+
			"public key with --key, or in a policy", strings.Join(o.KeyIDs, ", "))
	}
	named := false
	for _, s := range signers {
		for _, id := range o.KeyIDs {
			named = named || id == s.Key.id
		}
		verifier, err := dsse.NewEnvelopeVerifier(s.Key)
		if err != nil {
			return Signer{}, err
		}
		if _, err := verifier.Verify(ctx, o.Envelope); err == nil {
			return s, nil
		}
	}
	if named {
		return Signer{}, fmt.Errorf("%w: the signature does not fit: what was signed was changed", ErrForged)
	}
	return Signer{}, fmt.Errorf("%w: it is signed by an unknown key (%.64s)", ErrForged, strings.Join(o.KeyIDs, ", "))
}

// Encoded is the payload as an envelope holds it: two envelopes over one payload are one statement.
func (o *Opened) Encoded() string { return base64.StdEncoding.EncodeToString(o.Payload) }
