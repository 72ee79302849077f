package catalogue

import (
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/emaconform/emaconform/reports"
)

var prefixes = map[string]string{"ras": "RAS-", "rs": "RS-", "client": "CL-", "idp": "IDP-"}

var idForm = regexp.MustCompile(`\b(?:RAS|RS|CL|IDP)(?:-[A-Z0-9]+)+\b`)

// TestLoads guards the one panic of the package: it happens only when the embedded files are broken.
func TestLoads(t *testing.T) {
	all, err := read(files)
	if err != nil {
		t.Fatal(err)
	}
	if got := All(); len(got) != len(all) || len(got) == 0 {
		t.Errorf("All returns %d requirements, the files hold %d", len(got), len(all))
	}
}

func TestEntriesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range All() {
		t.Run(r.ID, func(t *testing.T) {
			if !strings.HasPrefix(r.ID, prefixes[r.Role]) || idForm.FindString(r.ID) != r.ID {
				t.Errorf("the id must be %s followed by upper-case words", prefixes[r.Role])
			}
			if seen[r.ID] {
				t.Error("the id occurs twice")
			}
			seen[r.ID] = true
			if !slices.Contains([]string{"MUST", "SHOULD", "MAY"}, r.Level) {
				t.Errorf("level %q", r.Level)
			}
			if !slices.Contains([]string{"observe", "config", "attended", "no"}, r.Test) {
				t.Errorf("test %q", r.Test)
			}
			if (r.Test == "no") != (r.Untestable != "") {
				t.Errorf("test is %q and untestable is %q: where nothing can be tested, and only there, stands the reason",
					r.Test, r.Untestable)
			}
			if r.Test == "no" && len(r.Try) > 0 {
				t.Error("nothing can be tried where nothing can be tested")
			}
			if n := len(strings.Fields(r.Title)); n < 3 || n > 6 || strings.HasSuffix(r.Title, ".") {
				t.Errorf("title %q: three to six words without a full stop", r.Title)
			}
			if !slices.Contains(reports.Severities, r.Severity) {
				t.Errorf("severity %q", r.Severity)
			}
			sentences(t, "severity_why", r.SeverityWhy, 20)
			sentences(t, "says", r.Says, 20)
			sentences(t, "why", r.Why, 60)
			sentences(t, "fix", r.Fix, 40)
			optional := map[string]string{"untestable": r.Untestable, "reading": r.Reading}
			for name, text := range optional {
				if text != "" {
					sentences(t, name, text, 20)
				}
			}
			distinct(t, "try", r.Try)
		})
	}
}

// sentences checks that a text is one: long enough to say something, on one line, with a full stop at the end.
func sentences(t *testing.T, name, text string, least int) {
	t.Helper()
	oneLine := !strings.ContainsAny(text, "\n\t") && !strings.Contains(text, "  ")
	if len(text) < least || !oneLine || !strings.HasSuffix(text, ".") {
		t.Errorf("%s %q: want sentences of %d characters or more, on one line", name, text, least)
	}
}

func distinct(t *testing.T, name string, list []string) {
	t.Helper()
	sorted := slices.Sorted(slices.Values(list))
	if n := len(slices.Compact(sorted)); n != len(list) || slices.Contains(list, "") {
		t.Errorf("%s has an empty or repeated item: %q", name, list)
	}
}

func TestSources(t *testing.T) {
	docs, err := readDocuments(files)
	if err != nil {
		t.Fatal(err)
	}
	cited := map[string]bool{}
	for _, r := range All() {
		if len(r.Sources) == 0 {
			t.Errorf("%s has no source", r.ID)
		}
		var places []string
		for _, s := range r.Sources {
			if _, ok := docs[s.Document]; !ok || s.Section == "" {
				t.Errorf("%s cites %q, section %q", r.ID, s.Document, s.Section)
			}
			u, err := url.Parse(s.URL)
			if err != nil || u.Scheme != "https" || u.Host == "" || strings.Contains(s.URL, "{}") {
				t.Errorf("%s: the URL of %s %s is %q", r.ID, s.Document, s.Section, s.URL)
			}
			places = append(places, s.Document+" §"+s.Section)
			cited[s.Document] = true
			cited[s.Document+" §"+s.Section] = true
		}
		distinct(t, r.ID+" src", places)
	}
	for name, d := range docs {
		if !cited[name] {
			t.Errorf("documents.yaml has %s, which nobody cites", name)
		}
		for section := range d.Sections {
			if !cited[name+" §"+section] {
				t.Errorf("documents.yaml has %s §%s, which nobody cites", name, section)
			}
		}
	}
}

// TestAnchors checks that the fragment of every link stands in the list of those that its document has.
func TestAnchors(t *testing.T) {
	data, err := os.ReadFile("testdata/anchors.txt")
	if err != nil {
		t.Fatal(err)
	}
	has, listed := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			has[line] = true
			page, _, _ := strings.Cut(line, "#")
			listed[page] = true
		}
	}
	for _, r := range All() {
		for _, s := range r.Sources {
			page, fragment, _ := strings.Cut(s.URL, "#")
			if fragment == "" {
				continue
			}
			if !listed[page] {
				t.Errorf("testdata/anchors.txt lists no anchor of %s", page)
			} else if !has[s.URL] {
				t.Errorf("%s cites %s §%s: %s has no anchor #%s", r.ID, s.Document, s.Section, page, fragment)
			}
		}
	}
}

func TestDocumentsArePinned(t *testing.T) {
	for name, d := range loadDocuments() {
		if d.Title == "" || d.Revision == "" || d.Date == "" {
			t.Errorf("%s: title %q, revision %q, date %q: all are needed", name, d.Title, d.Revision, d.Date)
		}
		for _, p := range d.Profiles {
			if !slices.Contains(Profiles, p) {
				t.Errorf("%s is for profile %q, which does not exist", name, p)
			}
		}
		if strings.Contains(d.URL, "/blob/") && !strings.Contains(d.URL, "/blob/"+d.Revision+"/") {
			t.Errorf("%s: %s does not lead to revision %s", name, d.URL, d.Revision)
		}
	}
}

// TestLevels checks that no profile demands more than a document of it does, and that proposals bind only who chose
// them.
func TestLevels(t *testing.T) {
	for _, r := range All() {
		strictest := None
		for _, p := range Profiles {
			level := r.LevelIn(p)
			if !slices.Contains(strictness, level) {
				t.Errorf("%s has level %q in profile %s", r.ID, level, p)
			}
			if Weaker(level, strictest) == strictest {
				strictest = level
			}
			if beyond := Beyond(p, r.Sources); beyond != "" && level == "MUST" {
				t.Errorf("%s is a MUST in profile %s, but only %s asks for it", r.ID, p, beyond)
			}
		}
		if strictest != r.Level {
			t.Errorf("%s has level %s, but no profile is stricter than %s", r.ID, r.Level, strictest)
		}
		for p := range r.Levels {
			if !slices.Contains(Profiles, p) {
				t.Errorf("%s has a level in profile %q, which does not exist", r.ID, p)
			}
			if r.Reading == "" {
				t.Errorf("%s has levels of its own, and no reading that says why", r.ID)
			}
		}
	}
	for id, want := range map[string][]string{ // one of each kind
		"RAS-AUD-EXACT":     {"MUST", "MUST", "MUST", "MUST"},
		"RAS-JTI-REPLAY":    {"SHOULD", "MUST", "none", "MUST"},
		"RAS-RESP-RESOURCE": {"SHOULD", "MUST", "MUST", "MUST"},
		"RS-ORIGIN":         {"MUST", "MUST", "none", "MUST"},
	} {
		r, _ := Find(id)
		for i, p := range Profiles {
			if got := r.LevelIn(p); got != want[i] {
				t.Errorf("%s has level %s in profile %s, expected %s", id, got, p, want[i])
			}
		}
	}
}

func TestOrderAndLookup(t *testing.T) {
	var joined []Requirement
	for _, role := range Roles {
		list := ForRole(role)
		if len(list) == 0 {
			t.Errorf("no requirement for %s", role)
		}
		joined = append(joined, list...)
	}
	for i, r := range All() {
		if joined[i].ID != r.ID {
			t.Fatalf("entry %d is %s, want %s: roles come in the order %v", i, r.ID, joined[i].ID, Roles)
		}
		if got, ok := Find(r.ID); !ok || got.Says != r.Says {
			t.Errorf("Find(%s) does not find it", r.ID)
		}
	}
	if _, ok := Find("RAS-NONSENSE"); ok {
		t.Error("Find finds what is not there")
	}
	if len(ForRole("nobody")) != 0 {
		t.Error("ForRole has requirements for a role that does not exist")
	}
}

// TestIDsAreStable fails when an id that reports, baselines and checks may cite is gone. New ids are added to the list.
func TestIDsAreStable(t *testing.T) {
	data, err := os.ReadFile("testdata/ids.txt")
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.Fields(string(data))
	for _, id := range listed {
		if _, ok := Find(id); !ok {
			t.Errorf("%s is gone: people cite it", id)
		}
	}
	for _, r := range All() {
		if !slices.Contains(listed, r.ID) {
			t.Errorf("%s is new: add it to testdata/ids.txt", r.ID)
		}
	}
}

func TestMentionedIDsExist(t *testing.T) {
	for _, r := range All() {
		text := strings.Join([]string{r.Says, r.Why, r.Fix, r.Reading, r.Untestable}, " ")
		for _, id := range idForm.FindAllString(text, -1) {
			if _, ok := Find(id); !ok {
				t.Errorf("%s mentions %s, which does not exist", r.ID, id)
			}
		}
	}
}

func TestBrokenFilesAreErrors(t *testing.T) {
	const documents = "- {name: EMA, url: 'https://ema.example/', sections: {'5': '#5-token'}}\n"
	tests := map[string]struct{ ras, want string }{
		"unknown key": {"- {id: RAS-A, lewel: MUST, src: [EMA §5]}",
			"ras.yaml: [1:15] unknown field \"lewel\""},
		"not a list":       {"id: RAS-A", "ras.yaml: "},
		"unknown document": {"- {id: RAS-A, src: [EMMA §5]}", `ras.yaml: RAS-A: "EMMA §5" is no citation`},
		"no section":       {"- {id: RAS-A, src: [EMA 5]}", `ras.yaml: RAS-A: "EMA 5" is no citation`},
		"unknown section":  {"- {id: RAS-A, src: [EMA §9]}", `ras.yaml: RAS-A: EMA has no section "9"`},
		"missing file":     {"- {id: RAS-A, src: [EMA §5]}", "open rs.yaml: file does not exist"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := read(fstest.MapFS{"documents.yaml": {Data: []byte(documents)}, "ras.yaml": {Data: []byte(tt.ras)}})
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got error %v, want it to begin with %q", err, tt.want)
			}
		})
	}
}
