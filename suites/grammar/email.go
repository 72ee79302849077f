package grammar

import (
	"net/mail"
	"regexp"
	"strings"
)

func emailParts(s string) (name, domain string) {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return s, ""
	}
	return s[:at], s[at+1:]
}

// named changes the part before the @.
func named(change func(string) string) func(string) string {
	return func(s string) string {
		name, domain := emailParts(s)
		return change(name) + "@" + domain
	}
}

var comment = regexp.MustCompile(`\([^()]*\)`)

func plain(s string) string {
	return strings.ReplaceAll(comment.ReplaceAllString(s, ""), `"`, "")
}

func displayed(known, given string) bool {
	address, err := mail.ParseAddress(given)
	return err == nil && address.Address == known
}

// ofEmail are ways to take other e-mail addresses for the same one.
var ofEmail = []Way{
	{ID: "alias", For: Email, Title: "without what stands behind a plus in it",
		Why:      "who has an address with an alias has the address without it",
		Variants: []Variant{variant("", "with an alias behind a plus", named(after("+x")))},
		Same:     by(named(cutAt("+")))},
	{ID: "dots", For: Email, Title: "without dots before the @",
		Why:      "addresses that one provider takes for the same are the same at all of them",
		Variants: []Variant{variant("", "with a dot in its name", named(inside(".")))},
		Same:     by(named(func(s string) string { return strings.ReplaceAll(s, ".", "") }))},
	{ID: "final-dot", For: Email, Title: "without a dot at its end",
		Why:      "another domain's address is the same",
		Variants: []Variant{variant("", "with a dot at its end", after("."))},
		Same:     by(func(s string) string { return strings.TrimSuffix(s, ".") })},
	{ID: "comment", For: Email, Title: "without comments and quotes in it",
		Why: "an address that another provider reads in another way is the same",
		Variants: []Variant{variant("name", "with a comment behind its name", named(after("(x)"))),
			variant("domain", "with a comment behind its domain", after("(x)")),
			variant("quoted", "with its name in quotes", named(func(s string) string { return `"` + s + `"` }))},
		Same: by(plain)},
	{ID: "display", For: Email, Title: "as an address with a display name",
		Why: "a text that holds an address is that address",
		Variants: []Variant{variant("", "behind a display name, in angle brackets", func(s string) string {
			return "Evil <" + s + ">"
		})},
		Same: strs(displayed)},
	{ID: "scheme-mailto", For: Email, Title: "without mailto: before it",
		Why:      "a URL that holds an address is that address",
		Variants: []Variant{variant("", "behind mailto:", before("mailto:"))},
		Same:     readBy(func(s string) string { return strings.TrimPrefix(s, "mailto:") })},
	{ID: "first-at", For: Email, Title: "up to a second @",
		Why:      "an address of an attacker's domain is one of another domain",
		Variants: []Variant{variant("", "followed by another @ and domain", after("@"+Word+".example"))},
		Same: strs(func(known, given string) bool {
			parts := strings.SplitN(given, "@", 3)
			return len(parts) == 3 && parts[0]+"@"+parts[1] == known
		})},
	{ID: "subdomain", For: Email, Title: "with subdomains of its domain for the domain",
		Why: "who runs a part of a domain is everybody in it",
		Variants: []Variant{variant("", "in a subdomain", func(s string) string {
			name, domain := emailParts(s)
			return name + "@sub." + domain
		})},
		Same: strs(func(known, given string) bool {
			name, domain := emailParts(known)
			other, sub := emailParts(given)
			return name == other && strings.HasSuffix(sub, "."+domain)
		})},
}
