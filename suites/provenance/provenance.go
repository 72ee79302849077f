// Package provenance says by what, with what and against whom a run was made: what a report has to carry so that a
// statement can be made from it.
package provenance

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/catalogue"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/wire"
)

// Tool describes this program: its version, the commit that it was built from, and the digest of its binary.
var Tool = sync.OnceValue(func() reports.Tool {
	t := reports.Tool{
		Name: "emaconform", Version: engine.Version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Digest: ownDigest(),
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return t
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			t.Revision = s.Value + t.Revision
		case s.Key == "vcs.modified" && s.Value == "true":
			t.Revision += "+changes"
		}
	}
	return t
})

// ownDigest is the digest of the running binary, or "" where it cannot be read.
func ownDigest() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return ""
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// Catalogue names the catalogue of this program.
func Catalogue() reports.Catalogue {
	return reports.Catalogue{Version: catalogue.Version, Digest: catalogue.Digest()}
}

// Checks lists every check of these roles, as a report lists those that did not run.
func Checks(roles ...string) []reports.NotRun {
	var list []reports.NotRun
	for _, c := range check.All(roles...) {
		if c.Preview() {
			continue // no part of any claim
		}
		list = append(list, reports.NotRun{ID: c.ID, Role: c.Requirement.Role, Level: c.Level})
	}
	return list
}

// before is the catalogue before this one with its checks: what `emaconform list --snapshot` said then. The first
// release has none.
//
//go:embed before.json
var before []byte

// Listed is a catalogue with its checks, as before.json has it.
type Listed struct {
	Catalogue reports.Catalogue `json:"catalogue"`
	Checks    []reports.NotRun  `json:"checks"`
}

// Before names the catalogue before this one, and lists its checks; the zero values when there was none.
func Before() (reports.Catalogue, []reports.NotRun) {
	var l Listed
	if err := json.Unmarshal(before, &l); err != nil {
		panic("provenance: before.json: " + err.Error()) // embedded
	}
	return l.Catalogue, l.Checks
}

// Nonce is the nonce that was asked for, or a random one.
func Nonce(asked string) string { return cmp.Or(asked, rand.Text()) }

var revision = regexp.MustCompile(
	`"(?:protocolVersion|io\.modelcontextprotocol/protocolVersion)"\s*:\s*"(\d{4}-\d{2}-\d{2})"`)

// Revisions lists the revisions of MCP in which the target answered, by the exchanges of a report.
func Revisions(r *reports.Report) []string {
	var list []string
	add := func(exchanges []reports.Exchange) {
		for _, e := range exchanges {
			if e.Response == nil || e.Response.Status != 200 || e.Part == reports.Attack {
				continue
			}
			found := revision.FindStringSubmatch(e.Response.Body)
			if found == nil { // the stateless revision stands in the request alone
				found = revision.FindStringSubmatch(e.Request.Body)
			}
			if found != nil && !slices.Contains(list, found[1]) {
				list = append(list, found[1])
			}
		}
	}
	for _, s := range r.Preflight {
		add(s.Exchanges)
	}
	for _, c := range r.Checks {
		if c.Outcome == reports.Pass {
			add(c.Exchanges)
		}
	}
	slices.Sort(list)
	return list
}

var serverInfo = regexp.MustCompile(`"serverInfo"\s*:\s*(\{[^{}]*\})`)

// ServerVersion is how the target's MCP server calls itself in its answers: name and version. "" when it does not.
func ServerVersion(r *reports.Report) string {
	said := func(exchanges []reports.Exchange) string {
		for _, e := range exchanges {
			if e.Response == nil || e.Response.Status != 200 || e.Part == reports.Attack {
				continue
			}
			var info struct{ Name, Version string }
			found := serverInfo.FindStringSubmatch(e.Response.Body)
			if found != nil && json.Unmarshal([]byte(found[1]), &info) == nil && info.Name+info.Version != "" {
				return wire.Printable(strings.TrimSpace(info.Name+" "+info.Version), 100)
			}
		}
		return ""
	}
	for _, s := range r.Preflight {
		if v := said(s.Exchanges); v != "" {
			return v
		}
	}
	for _, c := range r.Checks {
		if v := said(c.Exchanges); v != "" {
			return v
		}
	}
	return ""
}
