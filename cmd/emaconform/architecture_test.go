package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the repository, from the folder of this package.
const root = "../.."

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// house is the folders that the picture of ARCHITECTURE.md names: those under suites, and the rooms behind a dot or a
// colon with their meaning in brackets.
func house(text string) []string {
	picture := strings.Split(text, "```")[1]
	entry := regexp.MustCompile(`^(?:   [├└]─ )?([a-z]+)(?:/emaconform)? {2,}`)
	room := regexp.MustCompile(`([a-z]+) \(`)
	top, at := "", ""
	var list []string
	for _, line := range strings.Split(picture, "\n") {
		if m := entry.FindStringSubmatch(line); m != nil {
			if at = m[1]; strings.HasPrefix(line, " ") {
				at = path.Join(top, at)
			} else {
				top = at
			}
			list = append(list, at)
		}
		if at == "fixtures" {
			continue // its words are beside the names
		}
		for _, m := range room.FindAllStringSubmatch(line, -1) {
			list = append(list, path.Join(at, m[1]))
		}
	}
	return list
}

// folders are those below dir with code that is no test.
func folders(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(filepath.Join(root, dir), func(file string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go") {
			in, _ := filepath.Rel(root, filepath.Dir(file))
			if in = filepath.ToSlash(in); !slices.Contains(list, in) {
				list = append(list, in)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestArchitectureIsTrue wants every folder and file that ARCHITECTURE.md names, and every room of the house named.
func TestArchitectureIsTrue(t *testing.T) {
	text := read(t, "ARCHITECTURE.md")
	named := house(text)
	if len(named) < 50 {
		t.Fatalf("the picture is not read: %v", named)
	}
	file := regexp.MustCompile("`((?:cmd|suites|reports|mockidp|fixtures)/[a-z/.]+)`")
	for _, m := range file.FindAllStringSubmatch(text, -1) {
		named = append(named, m[1])
	}
	for _, name := range named {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Errorf("ARCHITECTURE.md names %s, which is not there", name)
		}
	}
	for _, dir := range []string{"suites", "reports", "mockidp"} {
		for _, folder := range folders(t, dir) {
			inner := strings.Contains(folder, "internal") || folder == "mockidp/console/inspect"
			if !inner && !slices.Contains(named, folder) {
				t.Errorf("ARCHITECTURE.md does not name %s", folder)
			}
		}
	}
}

// allowed says what of this program code in a folder may import: the first line that its path begins with counts.
var allowed = []struct {
	from string
	to   []string // what the path may begin with
}{
	{"mockidp", []string{"mockidp"}},
	{"reports", []string{"reports", "mockidp/yamlfile"}},
	{"fixtures/interop", []string{"mockidp", "fixtures"}},
	{"fixtures", []string{"fixtures", "suites/grammar", "reports", "mockidp"}},
	{"suites/demo", []string{"suites", "reports", "mockidp", "fixtures"}},
	{"suites/matrix/roles", []string{"suites", "reports", "mockidp", "fixtures"}},
	{"suites", []string{"suites", "reports", "mockidp"}},
	{"docs", []string{"suites/catalogue", "reports"}},
}

// TestArrowsPointOneWay holds the imports of all code that is no test against the arrows of ARCHITECTURE.md.
func TestArrowsPointOneWay(t *testing.T) {
	const module = "github.com/emaconform/emaconform/"
	below := func(name, folder string) bool { return name == folder || strings.HasPrefix(name, folder+"/") }
	for _, dir := range []string{"mockidp", "reports", "fixtures", "suites", "docs"} {
		for _, folder := range folders(t, dir) {
			i := slices.IndexFunc(allowed, func(a struct {
				from string
				to   []string
			}) bool {
				return below(folder, a.from)
			})
			files, _ := filepath.Glob(filepath.Join(root, folder, "*.go"))
			for _, file := range files {
				if strings.HasSuffix(file, "_test.go") {
					continue
				}
				parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
				if err != nil {
					t.Fatal(err)
				}
				for _, spec := range parsed.Imports {
					name, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module)
					if ours && !slices.ContainsFunc(allowed[i].to, func(to string) bool { return below(name, to) }) {
						t.Errorf("%s imports %s: the arrow points the wrong way", filepath.ToSlash(file[len(root)+1:]), name)
					}
				}
			}
		}
	}
}

// TestContributingShowsACheckThatIsThere wants the check that newcomers are shown as it stands in the code.
func TestContributingShowsACheckThatIsThere(t *testing.T) {
	_, rest, _ := strings.Cut(read(t, "CONTRIBUTING.md"), "```go")
	shown, _, _ := strings.Cut(rest, "```")
	plain := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	if plain(shown) == "" || !strings.Contains(plain(read(t, "suites/ras/idjag/replay.go")), plain(shown)) {
		t.Error("CONTRIBUTING.md shows a check that is not in suites/ras/idjag/replay.go")
	}
}
