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

// A seal is the digest of what a run wrote: of each result, and of the whole report. It is the last member of its
// object, and covers the object's JSON without insignificant white space up to itself, so that nothing has to be put
// into a canonical form. It notices what was changed by hand and names it; it keeps nobody out who computes it anew:
// for that, statements are signed.

var sealMember = regexp.MustCompile(`,"seal":"(sha256:[0-9a-f]{64})"\}$`)

const sealLength = len(`,"seal":"sha256:"}`) + 2*sha256.Size

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
	var r room
	r.split(object)
	return sealedCompact(r.compact)
}

// sealedCompact is sealed of an object without white space.
func sealedCompact(compact []byte) error {
	tail := max(0, len(compact)-sealLength)
	at := sealMember.FindSubmatchIndex(compact[tail:])
	switch {
	case at == nil:
		return errors.New("it has no seal")
	case Digest(compact[:tail+at[0]]) != string(compact[tail+at[2]:tail+at[3]]):
		return errors.New("it was changed after the run wrote it")
	}
	return nil
}

// marshal is a report as JSON without white space, with fresh seals.
func marshal(r *Report) ([]byte, error) {
	copied := *r
	copied.Seal = ""
	sealedChecks := make([]json.RawMessage, len(r.Checks))
	seen := written{}
	for i, c := range r.Checks {
		c.Seal = ""
		exchanges, err := seen.exchanges(c)
		if err != nil {
			return nil, err
		}
		raw, err := plain(struct {
			Check
			Exchanges []json.RawMessage `json:"exchanges,omitempty"`
		}{c, exchanges})
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

// written are the exchanges that a report holds already, by their JSON. One that stands in several checks, such as a
// control that they share, is written once.
type written map[string]Place

// Place is where an exchange stands in a report.
type Place struct {
	Check    string `json:"check"`    // id of the check
	Exchange int    `json:"exchange"` // its number there, from 0
}

// again is an exchange that stands elsewhere in the report, too.
type again struct {
	Part Part  `json:"part"`
	Same Place `json:"same"`
}

func (w written) exchanges(c Check) ([]json.RawMessage, error) {
	const reference = 200 // bytes below which there is nothing to gain
	list := make([]json.RawMessage, len(c.Exchanges))
	for i, e := range c.Exchanges {
		raw, err := plain(e)
		if err != nil {
			return nil, err
		}
		if at, twice := w[string(raw)]; !twice {
			w[string(raw)] = Place{c.ID, i}
		} else if len(raw) > reference {
			if raw, err = plain(again{e.Part, at}); err != nil {
				return nil, err
			}
		}
		list[i] = raw
	}
	return list, nil
}

// expand puts the exchanges that are written once where they belong.
func expand(r *Report, data []byte) error {
	var places struct {
		Checks []struct {
			Exchanges []struct{ Same *Place }
		}
	}
	if err := json.Unmarshal(data, &places); err != nil {
		return err
	}
	byID := map[string]int{}
	for i, c := range r.Checks {
		byID[c.ID] = i
	}
	for i, c := range places.Checks {
		for n, e := range c.Exchanges {
			if e.Same == nil {
				continue
			}
			from, ok := byID[e.Same.Check]
			if !ok || from > i || e.Same.Exchange < 0 || e.Same.Exchange >= len(r.Checks[from].Exchanges) ||
				from == i && e.Same.Exchange >= n {
				return fmt.Errorf("check %.120q refers to exchange %d of %.120q, which does not stand before it",
					visible(r.Checks[i].ID), e.Same.Exchange, visible(e.Same.Check))
			}
			r.Checks[i].Exchanges[n] = r.Checks[from].Exchanges[e.Same.Exchange]
		}
	}
	return nil
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

// checkSeals names the first result that is not as the run wrote it, then whether anything else is not. Where the seal
// of the whole fits, those of its results need not be looked at.
func checkSeals(data []byte) error {
	whole := sealed(data)
	if whole == nil {
		return nil
	}
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
	return fmt.Errorf("the report was changed: its checks are as they were, but of the rest: %w", whole)
}
