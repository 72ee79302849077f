package grammar

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// of is a variant of another JSON type.
func of(slug, what string, make func(right string) any) Variant {
	return Variant{Slug: slug, What: what, Of: func(right string) (any, bool) { return make(right), true }}
}

// printed is a value as String(value) prints it in JavaScript, where objects print as their toString says.
func printed(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		list := make([]string, len(v))
		for i, one := range v {
			list[i] = printed(one)
		}
		return strings.Join(list, ",")
	case map[string]any:
		if s, ok := v["toString"].(string); ok {
			return s
		}
		return "[object Object]"
	case nil:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

// holds reports whether a value is known, or holds it at any depth.
func holds(known string, v any) bool {
	switch v := v.(type) {
	case string:
		return v == known
	case []any:
		return slices.ContainsFunc(v, func(one any) bool { return holds(known, one) })
	}
	return false
}

func structured(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

// inherited are members that every object of JavaScript has.
var inherited = []string{"constructor", "__proto__", "hasOwnProperty", "toString"}

func inheritedName(_ string, given any) bool {
	s, ok := given.(string)
	return ok && slices.Contains(inherited, s)
}

func inheritedVariants() (list []Variant) {
	for _, name := range inherited {
		slug := strings.ToLower(strings.Trim(name, "_"))
		list = append(list, variant(slug, "turned into "+name, func(string) string { return name }))
	}
	return list
}

// ofTypes are ways to take a value of another type for a string.
var ofTypes = []Way{
	{ID: "string", For: Member, Title: "after it is turned into a string",
		Why: "what a library next to it reads in another way is taken for the name",
		Variants: []Variant{
			of("array", "in an array", func(s string) any { return []any{s} }),
			of("nested", "in an array within an array", func(s string) any { return []any{[]any{s}} }),
			of("object", "as what an object prints (toString)", func(s string) any { return map[string]any{"toString": s} })},
		Same: func(known string, given any) bool { return structured(given) && printed(given) == known }},
	{ID: "first", For: Member, Title: "with the first member of an array",
		Why:      "a list that names somebody else, too, is taken for one name",
		Variants: []Variant{of("", "before another one in an array", func(s string) any { return []any{s, Word} })},
		Same: func(known string, given any) bool {
			list, ok := given.([]any)
			return ok && len(list) > 0 && list[0] == known
		}},
	{ID: "member", For: Member, Title: "with every member of an array",
		Why: "a list that names somebody else, too, is taken for one name",
		Variants: []Variant{of("last", "behind another one in an array", func(s string) any { return []any{Word, s} }),
			of("deep", "behind another one in an array within an array", func(s string) any { return []any{[]any{Word, s}} })},
		Same: func(known string, given any) bool { return structured(given) && holds(known, given) }},
	{ID: "strings", For: Member, Title: "after members of an array that are no strings are dropped",
		Why: "a list that another reader refuses is taken for one name",
		Variants: []Variant{of("number", "beside a number in an array", func(s string) any { return []any{1, s} }),
			of("null", "beside null in an array", func(s string) any { return []any{s, nil} })},
		Same: func(known string, given any) bool {
			list, ok := given.([]any)
			if !ok {
				return false
			}
			kept := slices.DeleteFunc(slices.Clone(list), func(v any) bool { _, is := v.(string); return !is })
			return len(kept) == 1 && kept[0] == known
		}},
	{ID: "object", For: Member, Title: "with a member of an object",
		Why: "what another reader refuses is taken for the name",
		Variants: []Variant{
			of("value", "as value in an object", func(s string) any { return map[string]any{"value": s} }),
			of("id", "as id in an object", func(s string) any { return map[string]any{"id": s} }),
			of("key", "as a member's name in an object", func(s string) any { return map[string]any{s: true} })},
		Same: func(known string, given any) bool {
			object, ok := given.(map[string]any)
			return ok && (object["value"] == known || object["id"] == known || object[known] == true)
		}},
	{ID: "number", For: Member | Digits, Title: "after a number is turned into a string",
		Why:      "what another reader refuses is taken for the name",
		Variants: []Variant{of("", "as a number", func(s string) any { return json.Number(s) })},
		Same: func(known string, given any) bool {
			n, ok := given.(json.Number)
			return ok && n.String() == known
		}},
	{ID: "prototype", For: Lookup, Title: "with the members of a plain object, which has some of its own",
		Why:      "a name that every object has is known, or breaks the request",
		Variants: inheritedVariants(),
		Same:     inheritedName},
}
