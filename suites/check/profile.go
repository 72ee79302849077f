package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
)

// LevelIn is how much the check weighs in a profile: MUST, SHOULD, MAY or catalogue.None.
func (c *Check) LevelIn(profile string) string {
	if level, stated := c.levels[profile]; stated {
		return level
	}
	level := c.Requirement.Level
	if c.declared != "" {
		level = c.declared
	}
	if len(c.Sources) > 0 {
		return catalogue.LevelOf(profile, level, c.Sources)
	}
	within := c.Requirement.LevelIn(profile)
	switch {
	case within == catalogue.None || c.declared == "":
		return within
	case c.declared == "MUST":
		return catalogue.LevelOf(profile, level, c.Requirement.Sources)
	default:
		return level
	}
}

// Basis are the sources that the check stands on.
func (c *Check) Basis() []reports.Source {
	if len(c.Sources) > 0 {
		return c.Sources
	}
	return c.Requirement.Sources
}

// In is the check as a profile judges it.
func (c *Check) In(profile string) *Check {
	in := *c
	in.Level = c.LevelIn(profile)
	in.Beyond = catalogue.Beyond(profile, c.Basis())
	in.Labels = slices.Clone(c.Labels)
	for i, label := range in.Labels {
		if label == strings.ToLower(c.Level) {
			in.Labels[i] = strings.ToLower(in.Level)
		}
	}
	slices.Sort(in.Labels)
	if profile == catalogue.ProfileNext && c.Preview() {
		in.Title += " (proposed only: " + catalogue.Beyond(catalogue.ProfileHardened, c.Basis()) + ")"
	}
	return &in
}

// AllIn returns the checks of these roles as a profile judges them, in the order of All. What only the profile next
// judges is a preview, and no part of the others.
func AllIn(profile string, roles ...string) []*Check {
	var list []*Check
	for _, c := range All(roles...) {
		if profile == catalogue.ProfileNext || !c.Preview() {
			list = append(list, c.In(profile))
		}
	}
	return list
}

// Preview reports whether only open proposals ask for what the check judges.
func (c *Check) Preview() bool {
	return !slices.ContainsFunc(catalogue.Profiles, func(p string) bool {
		return p != catalogue.ProfileNext && c.LevelIn(p) != catalogue.None
	})
}

// Warning completes the message of a warning for what is only proposed, or asked for by documents beyond the profile.
func (c *Check) Warning(message string) string {
	if c.Beyond == "" {
		return message
	}
	return fmt.Sprintf("%s (asked for only by %s: a warning in this profile, a failure with --profile hardened)",
		message, c.Beyond)
}
