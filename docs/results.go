package docs

import (
	"bytes"
	"html/template"
	"time"

	"github.com/emaconform/emaconform/reports"
)

// Result is a vendor's statement as the page of results shows it.
type Result struct {
	Vendor, Connector, Version    string
	Roles                         []reports.RoleVerdict
	Profile, Level, Proof, Signer string
	Judged, Checks                int // of the catalogue
	Finished                      time.Time
	Age                           string
}

// Results is the page of results, for the folder of the site. made is the time that ages are counted from.
func Results(version string, made time.Time, list []Result) ([]byte, error) {
	page, err := template.ParseFS(files, "results.html")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = page.Execute(&out, map[string]any{"Version": version, "Made": made, "Results": list})
	return out.Bytes(), err
}
