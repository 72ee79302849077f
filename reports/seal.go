package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

// A seal is the digest of what a run wrote: of each result, and of the whole report. It is the last member of its object,
// and covers the object's JSON without insignificant white space up to itself, so that nothing has to be put into a
// canonical form. It notices what was changed by hand and names it; it keeps nobody out who computes it anew: for that,
// statements are signed.

var sealMember = regexp.MustCompile(`,"seal":"(sha256:[0-9a-f]{64})"\}$`)

// Digest is the form in which reports write the SHA-256 digest of data: "sha256:" and hexadecimal digits.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// seal puts a seal behind the last member of a compact JSON object.
func seal(object []byte) []byte {
	open := object[:len(object)-1]
	return fmt.Appendf(bytes.Clone(open), `,"seal":"%s"}`, Digest(open))
}

// sealed reports whether the seal of an object fits; an object without one is an error of its own.
func sealed(object []byte) error {
	var compact bytes.Buffer
	if err := json.Compact(&compact, object); err != nil {
		return err
	}
	at := sealMember.FindSubmatchIndex(compact.Bytes())
	switch {
	case at == nil:
		return errors.New("it has no seal")
	case Digest(compact.Bytes()[:at[0]]) != string(compact.Bytes()[at[2]:at[3]]):
		return errors.New("it was changed after the run wrote it")
	}
	return nil
}

// marshal is a report as JSON without white space, with fresh seals.
func marshal(r *Report) ([]byte, error) {
	copied := *r
	copied.Seal = ""
	sealedChecks := make([]json.RawMessage, len(r.Checks))
	for i, c := range r.Checks {
		c.Seal = ""
		raw, err := plain(c)
		if err != nil {
			return nil, err
		}
		sealedChecks[i] = seal(raw)
	}
	raw, err := plain(struct {
		*Report
		Checks []json.RawMessage `json:"checks"`
	}{&copied, sealedChecks})
	if err != nil {
		return nil, err
	}
	return seal(raw), nil
}

// plain is JSON without escapes for HTML and without white space.
func plain(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return nil, err
	}
	return escapes.ReplaceAllFunc(bytes.TrimSpace(b.Bytes()), func(escape []byte) []byte {
		if string(escape) == `\ufffd` { // what was no UTF-8: written once more, it would be the character itself
			return []byte("\ufffd")
		}
		return escape
	}), nil
}

var escapes = regexp.MustCompile(`\\(\\|ufffd)`)

// checkSeals names the first result that is not as the run wrote it, then whether anything else is not.
func checkSeals(data []byte) error {
	var parts struct {
		Checks []json.RawMessage `json:"checks"`
	}
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	for _, raw := range parts.Checks {
		if err := sealed(raw); err != nil {
			var c struct{ ID string }
			_ = json.Unmarshal(raw, &c) // the schema has seen it
			return fmt.Errorf("the report was changed: check %.120q: %w", visible(c.ID), err)
		}
	}
	if err := sealed(data); err != nil {
		return fmt.Errorf("the report was changed: its checks are as they were, but of the rest: %w", err)
	}
	return nil
}
