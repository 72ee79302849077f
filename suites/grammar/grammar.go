// Package grammar is the product of two lists: ways of comparing two identifiers wrongly, and the identifiers that a
// protocol compares. A way is a value: what it does to an identifier, and the mistaken comparison that lets this
// through. An identifier is a value: where it stands, and what is gained when another one is taken for it. Their
// product is the attacks that a role's checks send, and the defects that make each of them a hole.
//
// The package sends nothing and knows no target. It is a leaf: the checks of every role and the fixtures' defects are
// made from it.
package grammar

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/emaconform/emaconform/reports"
)

// Kind says what an identifier is like, and so which ways make a difference for it. A way applies to the identifiers
// that have every bit of its own.
type Kind uint

// The kinds. Every identifier is a Text.
const (
	Text   Kind = 0
	Member Kind = 1 << iota // stands in JSON, where it can be of another type
	URL                     // an absolute URL
	Email                   // an e-mail address
	Digits                  // digits alone
	Dotted                  // holds dots
	Lookup                  // is looked up among known ones, where a plain object could be asked for a member of its own
	Date                    // a NumericDate (RFC 7519 section 2), in seconds
	JWS                     // a whole JWT in compact serialization (RFC 7515 section 7.1)
)

// family are the kinds that have ways of their own alone.
const family = Date | JWS

// Way is a way of comparing wrongly; of dates and whole JWTs, of reading them wrongly.
type Way struct {
	ID       string // short and stable: part of the ids of checks and defects, and a label
	Verb     string // what is done, "compared" by default
	Title    string // completes the verb: "without regard to case"
	Why      string // what goes wrong, a clause that completes "…, so that"
	For      Kind
	Variants []Variant
	// Same is the mistaken comparison. given is a value as encoding/json decodes it, known a string that the program
	// holds. What is identical is the same in every way, without asking.
	Same func(known string, given any) bool
	// Read, of a date, is the mistake without a known value: ok is false for what this way does not know.
	Read func(given any) (seconds float64, ok bool)
	// Lenient, of a JWS, is the mistake: what a lenient reader makes of it, step by step.
	Lenient Lenient
}

// Lenient are the steps of a reader of JWSs that a mistake adds; those that are nil change nothing.
type Lenient struct {
	Whole   func(given string) string   // before it is split at its dots
	Segment func(segment string) string // before a segment is decoded
	Text    func(raw []byte) []byte     // before header or payload is parsed
}

// Said is what happens to an identifier in this way: "compared without regard to case".
func (w Way) Said() string { return cmp.Or(w.Verb, "compared") + " " + w.Title }

// Variant is one of the things that a way makes of an identifier.
type Variant struct {
	Slug string // part of the check's id; "" when it is the only variant
	What string // completes "the right one …"
	// Of makes the variant out of the right value, and says no when this value has nothing to change.
	Of func(right string) (given any, ok bool)
	// Write makes the variant of a JWS, in place of Of, and says no when it cannot be made with what there is.
	Write func(f Forge) (written string, ok bool)
}

// Identifier is something that a party compares.
type Identifier struct {
	ID          string // short and stable, e.g. "sub": part of the ids of checks and defects, and a label
	Name        string // as people read it: "sub", "the secret of a client"
	Sends       string // what carries it, up to the verb: "an ID-JAG whose sub"
	Role        string // of the party that compares: as in the catalogue
	Requirement string // id of the requirement that a wrong comparison breaks
	Kind        Kind
	Gain        string // what an accepted attack gains, a sentence
	Severity    reports.Severity
	Right       string // what it is a variant of, "the right one" by default
	// Should lists ways (or attacks, "way-variant") that break no MUST, "*" for all: what is accepted then warns.
	Should []string
	// Only, where there are any, lists the ways (or attacks) that make a difference here.
	Only []string
	// Without lists ways (or attacks) that are left out, each with the reason.
	Without map[string]string
}

// Attack is a variant of an identifier.
type Attack struct {
	Identifier
	Way     Way
	Variant Variant
}

// Slug is the name of the attack's check within its requirement: "sub-trim-space-after".
func (a Attack) Slug() string { return a.Identifier.ID + "-" + a.name() }

func (a Attack) name() string {
	if a.Variant.Slug == "" {
		return a.Way.ID
	}
	return a.Way.ID + "-" + a.Variant.Slug
}

// Defect is the id of the mistake that makes this attack, and the other variants of its way, a hole.
func (a Attack) Defect() string { return Defect(a.Identifier.ID, a.Way.ID) }

// Defect is the id of the mistake of comparing this identifier in this way.
func Defect(identifier, way string) string { return identifier + "/" + way }

// Must reports whether a MUST is broken when the attack is accepted.
func (a Attack) Must() bool { return !a.listed(a.Should) }

func (a Attack) listed(names []string) bool {
	for _, name := range names {
		if name == a.Way.ID || name == a.name() || name == "*" {
			return true
		}
	}
	return false
}

// What is what is sent: "an ID-JAG whose sub is the right one in capitals".
func (a Attack) What() string {
	if a.Kind&JWS != 0 {
		return a.Sends + " " + a.Variant.What
	}
	return fmt.Sprintf("%s is %s %s", a.Sends, cmp.Or(a.Right, "the right one"), a.Variant.What)
}

// Mistake is what is wrong with a target that accepts the attack: "sub is compared without regard to case".
func (a Attack) Mistake() string { return a.Name + " is " + a.Way.Said() }

// Attacks is the identifier's part of the product: each variant of each way that applies and is not left out, in the
// order of Ways.
func (i Identifier) Attacks() []Attack {
	var list []Attack
	for _, w := range Ways() {
		if w.For&^i.Kind != 0 || w.For&family != i.Kind&family {
			continue
		}
		for _, v := range w.Variants {
			a := Attack{i, w, v}
			if i.Without[w.ID] == "" && i.Without[a.name()] == "" && (len(i.Only) == 0 || a.listed(i.Only)) {
				list = append(list, a)
			}
		}
	}
	return list
}

// Ways is every way, in the order in which reports show them.
func Ways() []Way { return ways }

var ways = join(ofLetters, ofSpelling, ofParts, ofPatterns, ofURLs, ofEmail, ofTypes, ofDates, ofWritings)

func join(lists ...[]Way) (all []Way) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// Find returns the known string that given is taken for when it is compared in this way; the identical one comes first.
func (w Way) Find(known []string, given any) (string, bool) {
	for _, k := range known {
		if given == k {
			return k, true
		}
	}
	for _, k := range known {
		if k != "" && w.Same(k, given) {
			return k, true
		}
	}
	return "", false
}

// identifiers are those of every party, by role.
var identifiers = map[string][]Identifier{"ras": slices.Concat(ofRAS, ofRASTokens), "rs": ofRS, "idp": ofIdP,
	"client": ofClient}

// Of is the identifiers that a party of this role compares.
func Of(role string) []Identifier { return identifiers[role] }
