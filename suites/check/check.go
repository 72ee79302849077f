// Package check is how a check is written down, for every role. A check is declared in one place, with its id, title
// and body; the role's package lends the body its vocabulary:
//
//	var _ = check.For("RAS-JTI-REPLAY", func() {
//		server.It("twice", "refuses an ID-JAG that it has already redeemed", func(t *server.T) {
//			grant := t.Grant()
//			t.Control(grant)
//			Expect(t.Attack(grant)).To(server.BeRefused(server.InvalidGrant))
//		})
//	})
//
// The declarations are values, so that they can be listed, explained and selected without running anything; package
// engine runs the selected ones.
package check

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/grammar"
)

// Check is one declared check.
type Check struct {
	ID          string // "<requirement>/<slug>"
	Requirement catalogue.Requirement
	// Level is MUST, SHOULD or MAY: of a check as it is declared the strictest of all profiles, of one that In returned
	// that of the profile.
	Level string
	// Sources are what the check stands on, when that is not what its requirement stands on.
	Sources []reports.Source
	// Beyond names who alone makes the demand, when the profile does not hold it: then the check warns and says so.
	Beyond    string
	Title     string // continues "the target …"
	Sends     string // what is sent, for explain and reports
	Expects   string // what is expected
	Serial    bool   // changes state that other checks see: runs alone, at the end
	Intrusive bool   // could hurt the target: off for one that is not on loopback unless asked for
	Slow      bool   // waits for caches or for many requests
	Late      bool   // repeats what others sent, so it runs after them
	Open      bool   // needs no token: it can be judged of any target whose address is known
	Season    int    // of those that are serial, the ones of an earlier season run first
	Course    string // of those that are serial, the ones of one course run in one lane, and share what they wait for
	AllLanes  bool   // of those that are serial: needs what every lane changes, so that nothing runs beside it
	Needs     []Need
	Labels    []string
	// Attack is what a generated check sends, nil for those that are written down one by one. Its identifier and its
	// way are labels, such as identifier:sub and way:case.
	Attack *grammar.Attack

	declared string            // Should or Must was declared: that level
	levels   map[string]string // by profile, where the declaration says it
	body     func(*T)
}

// Need is something that the configuration or the target must have for a check to make sense.
type Need struct {
	Key     string                 // the configuration key, or the metadata member, that would enable the check
	Missing func(world any) string // why the check cannot run in the role's world, or ""
}

var (
	declarations []declaration
	registry     = map[string]*Check{}
	current      *catalogue.Requirement
)

type declaration struct {
	requirement string
	body        func()
}

// For declares the checks of one requirement; the declarations stand in body. It returns true, so that it can be called
// at package level: var _ = check.For(…). The body runs when the checks are first asked for: commands that need none
// start without them.
func For(requirement string, body func()) bool {
	declarations = append(declarations, declaration{requirement, body})
	return true
}

// ForAttacks declares the checks of the grammar: one for each attack on each identifier that this role compares.
// senders says, by the identifier's id, how attacks on it are sent; each has one. declare declares the check of one
// attack. It returns true, as For does.
func ForAttacks[S any](role string, senders map[string]S, declare func(S, grammar.Attack)) bool {
	for _, i := range grammar.Of(role) {
		sender, ok := senders[i.ID]
		if !ok {
			panic(role + ": nobody sends attacks on " + i.ID)
		}
		For(i.Requirement, func() {
			for _, a := range i.Attacks() {
				declare(sender, a)
			}
		})
	}
	return true
}

var declare = sync.OnceFunc(func() {
	for _, d := range declarations {
		r, ok := catalogue.Find(d.requirement)
		if !ok {
			panic("check.For: the catalogue has no requirement " + d.requirement)
		}
		current = &r
		d.body()
	}
	current = nil
})

// Option changes a check's declaration.
type Option func(*Check)

// It declares a check; each role has an It of its own, with the body's T that of the role. The slug is the check's name
// within the requirement; the title continues the sentence "the target …".
func It(slug, title string, body func(*T), options ...Option) {
	if current == nil {
		panic("a check outside check.For: " + slug)
	}
	c := &Check{
		ID:          current.ID + "/" + slug,
		Requirement: *current,
		Level:       current.Level,
		Title:       title,
		Expects:     "The target " + title + ".",
		body:        body,
	}
	for _, o := range options {
		o(c)
	}
	c.Labels = append(c.Labels, current.Role, current.ID, strings.ToLower(c.Level))
	if c.Attack != nil {
		c.Labels = append(c.Labels, "identifier:"+c.Attack.Identifier.ID, "way:"+c.Attack.Way.ID)
	}
	for label, on := range map[string]bool{"serial": c.Serial, "intrusive": c.Intrusive, "slow": c.Slow} {
		if on {
			c.Labels = append(c.Labels, label)
		}
	}
	sort.Strings(c.Labels)
	if registry[c.ID] != nil {
		panic("a check declared twice: " + c.ID)
	}
	registry[c.ID] = c
}

// Of marks a check as one that sends this attack.
func Of(a grammar.Attack) Option {
	return func(c *Check) {
		c.Attack = &a
		if !a.Must() {
			Should()(c)
		}
	}
}

// Should weakens a check to SHOULD: what it sees is bad practice, or the documents disagree, but no MUST is broken.
func Should() Option { return func(c *Check) { c.Level, c.declared = "SHOULD", "SHOULD" } }

// Must strengthens a check to MUST: the requirement asks for a feature that a server may leave out, the check for what
// the feature has to be like.
func Must() Option { return func(c *Check) { c.Level, c.declared = "MUST", "MUST" } }

// Serial marks a check that changes what other checks see (keys, faults): it runs alone, at the end.
func Serial() Option { return func(c *Check) { c.Serial = true } }

// Intrusive marks a check that could hurt a target (races, oversized input).
func Intrusive() Option { return func(c *Check) { c.Intrusive = true } }

// InSeason is Serial with a place in the order.
func InSeason(n int) Option { return func(c *Check) { c.Serial, c.Season = true, n } }

// InAllLanes is Serial for a check that needs what every lane changes: nothing runs beside it.
func InAllLanes() Option { return func(c *Check) { c.Serial, c.AllLanes = true, true } }

// InCourse is Serial in the company of others: checks of one course run one after the other, by their seasons, where
// what one of them made the target do is there for the next.
func InCourse(name string) Option { return func(c *Check) { c.Serial, c.Course = true, name } }

// Slow marks a check that waits or sends much.
func Slow() Option { return func(c *Check) { c.Slow = true } }

// Late marks a check that repeats attacks of others, in another way, when these have run.
func Late() Option { return func(c *Check) { c.Late = true } }

// By says what a check stands on, where that is another sentence than its requirement's: citations as in the catalogue.
func By(citations ...string) Option {
	return func(c *Check) {
		for _, citation := range citations {
			s, err := catalogue.Cite(citation)
			if err != nil {
				panic(c.ID + ": " + err.Error())
			}
			c.Sources = append(c.Sources, s)
		}
	}
}

// Level says how much a check weighs in these profiles, where that does not follow from its sources: where documents
// disagree, and the reading of the requirement says so.
func Level(level string, profiles ...string) Option {
	return func(c *Check) {
		if c.levels == nil {
			c.levels = map[string]string{}
		}
		for _, p := range profiles {
			c.levels[p] = level
		}
	}
}

// Open marks a check that needs no token.
func Open() Option { return func(c *Check) { c.Open = true } }

// Sends says what is sent, as a sentence.
func Sends(what string) Option { return func(c *Check) { c.Sends = what } }

// Expects says what is expected, as a sentence; by default it is made from the title.
func Expects(what string) Option { return func(c *Check) { c.Expects = what } }

// With says what the check needs; without it the check is skipped, naming the key that would enable it.
func With(needs ...Need) Option { return func(c *Check) { c.Needs = append(c.Needs, needs...) } }

// All returns every declared check of these roles, of all roles when none is named, ordered by id within the
// catalogue's order of requirements.
func All(roles ...string) []*Check {
	order := map[string]int{}
	for i, r := range catalogue.All() {
		order[r.ID] = i
	}
	declare()
	list := make([]*Check, 0, len(registry))
	for _, c := range registry {
		if len(roles) == 0 || slices.Contains(roles, c.Requirement.Role) {
			list = append(list, c)
		}
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if a.Requirement.ID != b.Requirement.ID {
			return order[a.Requirement.ID] < order[b.Requirement.ID]
		}
		return a.ID < b.ID
	})
	return list
}

// Find returns the check of this id.
func Find(id string) (*Check, bool) {
	declare()
	c, ok := registry[id]
	return c, ok
}

// Conditions are those of a run that decide, beside the role's world, which checks run.
type Conditions struct {
	Profile   string // one of catalogue.Profiles
	Intrusive bool   // also checks that could hurt the target
	Look      bool   // a first look: only checks that are open run, for there is no token
}

// Skipped says why the check, as In returned it, does not run in this world, or "", and what would let it run: a key of
// the configuration, a flag, or a member of the target's metadata.
func (c *Check) Skipped(on Conditions, world any) (why, key string) {
	if c.Level == catalogue.None {
		return fmt.Sprintf("not judged by profile %s: only others ask for it (%s)", on.Profile, c.Beyond), "--profile"
	}
	if c.Intrusive && !on.Intrusive {
		return "could hurt the target, which is not on loopback: ask for it with --intrusive", "--intrusive"
	}
	for _, n := range c.Needs {
		if why := n.Missing(world); why != "" {
			return fmt.Sprintf("%s (%s)", why, n.Key), n.Key
		}
	}
	return "", ""
}
