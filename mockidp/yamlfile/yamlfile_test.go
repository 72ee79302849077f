package yamlfile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/emaconform/emaconform/mockidp/mutate"
	"github.com/emaconform/emaconform/mockidp/yamlfile"
)

type sample struct {
	Users []struct {
		Login  string   `yaml:"login"`
		Groups []string `yaml:"groups"`
	} `yaml:"users"`
	Any any `yaml:"any"`
}

// bomb is a document of a few hundred bytes that aliases make billions of values.
func bomb() string {
	var b strings.Builder
	b.WriteString("any:\n- &a0 [x, x]\n")
	for n := range 40 {
		fmt.Fprintf(&b, "- &a%d [*a%d, *a%d]\n", n+1, n, n)
	}
	return b.String()
}

func staircase(steps int) string {
	var b strings.Builder
	for n := range steps {
		fmt.Fprintf(&b, "%sany:\n", strings.Repeat(" ", n))
	}
	return b.String()
}

func TestNothingInAFileEndsTheProgram(t *testing.T) {
	const many = 300_000
	for name, text := range map[string]string{
		"tag in a list": "users: [!x]", "lone tag": "users: !x", "lone tag and a line": "users: !x\n",
		"lone anchor": "users: &", "lone alias": "users: *", "alias of nothing": "users: *gone", "itself": "users: &a [*a]",
		"merge of itself": "any: &a {<<: *a}", "brackets": "any: " + strings.Repeat("[", many), "braces": "any: " +
			strings.Repeat("{a: ", many),
		"dashes": "any:\n" + strings.Repeat("- ", many), "questions": strings.Repeat("? ", many), "tags": "any:\n  " +
			strings.Repeat("!x ", many),
		"anchors": "any:\n  " + strings.Repeat("&a ", many) + "x", "indentation": "any:\n" + strings.Repeat(" ", many) +
			"x: y",
		"bomb": bomb(), "bytes": "any: \xff\xfe", "two documents": "any: 1\n---\nany: 2\n", "unknown": "nobody: 1",
		"deep": staircase(5000),
	} {
		if err := yamlfile.Decode([]byte(text), new(sample)); err == nil {
			t.Errorf("%s: taken", name)
		} else if strings.Contains(err.Error(), "runtime error") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsGoodIsTaken(t *testing.T) {
	for _, text := range []string{
		"\ufeffusers: [{login: alice}]", `{"users": [{"login": "alice", "groups": ["a"]}]}`,
		"users:\n- &a {login: alice}\n- *a\n", "any: '[[[['\nusers:\n- login: alice\n",
		"any: !!str 1\nusers: [{login: alice}]",
	} {
		var s sample
		if err := yamlfile.Decode([]byte(text), &s); err != nil || len(s.Users) == 0 || s.Users[0].Login != "alice" {
			t.Errorf("%q: %v, %+v", text, err, s)
		}
	}
	for _, text := range []string{"", "\n", "# nothing\n"} {
		if err := yamlfile.Decode([]byte(text), new(sample)); !errors.Is(err, yamlfile.ErrEmpty) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzDecode looks for text that the decoder cannot bear.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{"users: !x", "users: [{login: a}]", "a: &a [*a]", bomb(), "? - - !x &y\n: *y",
		"any: {<<: *a}", "\ufeff-", "users: >\n  x"} {
		mutate.Add(f, []byte(text))
	}
	f.Fuzz(func(_ *testing.T, raw []byte) {
		_ = yamlfile.Decode(raw, new(sample))
	})
}
