package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/disturb"
	fixture "github.com/emaconform/emaconform/fixtures/idp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/demo"
	"github.com/emaconform/emaconform/suites/engine"
	idprun "github.com/emaconform/emaconform/suites/idp/judge"
	"github.com/emaconform/emaconform/suites/matrix"
	"github.com/emaconform/emaconform/suites/matrix/roles"
)

// judgeIdP judges a reference identity provider.
func judgeIdP(t *testing.T, e *demo.IdP, checks ...string) *reports.Report {
	t.Helper()
	defer e.Close()
	o := idprun.Options{Selection: engine.Selection{Checks: checks}}
	if err := e.Configure(t.Context(), &o); err != nil {
		t.Fatal(err)
	}
	report, err := idprun.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if report.Ended != "" {
		t.Fatalf("ended early: %s: %s", report.Ended, report.Problem)
	}
	return report
}

func amiss(r *reports.Report, outcomes ...reports.Outcome) (list []string) {
	for _, c := range r.Checks {
		for _, o := range outcomes {
			if c.Outcome == o {
				list = append(list, c.ID+": "+c.Message)
			}
		}
	}
	return list
}

// The reference identity provider passes every check, each try of the catalogue is one with its control, and nothing
// that was secret is in the report or in the files.
func TestTheReferenceIdentityProviderIsConformant(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	var out, errs bytes.Buffer
	code := execute(t.Context(), []string{"idp", "--out", dir}, &out, &errs)
	g.Expect(code).To(Equal(0), out.String()+errs.String())
	g.Expect(out.String()).To(ContainSubstring("Identity provider"))
	report := result{dir: dir}.report(t)
	g.Expect(report.Checks).To(HaveLen(len(check.AllIn("ema", "idp"))))
	g.Expect(amiss(report, reports.Fail, reports.Warn, reports.Inconclusive, reports.Skip)).To(BeEmpty())
	everyTryIsACheck(t, report)
	for _, name := range []string{"report.json", "report.html", "summary.md", "junit.xml"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(text)).NotTo(MatchRegexp(`eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+`), "%s has a token in it", name)
	}
}

// Identity providers that differ and are right as well: nothing fails, and nothing warns without a stated reason. Each
// choice is judged in one of the runs.
func TestHonestIdentityProviders(t *testing.T) {
	if testing.Short() {
		t.Skip("judges the reference identity provider many times")
	}
	l, err := roles.LawfulOf("idp")
	if err != nil {
		t.Fatal(err)
	}
	judged := slices.Concat(l.Runs...)
	for _, v := range l.All {
		if !slices.Contains(judged, v.ID) {
			t.Errorf("%s is in no run", v.ID)
		}
	}
	for _, run := range l.Runs {
		t.Run(run[0], func(t *testing.T) {
			t.Parallel()
			h, err := matrix.Honest(t.Context(), l.All, [][]string{run}, l.Judge, func([]string) {})
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range h.Problems {
				t.Error(problem)
			}
		})
	}
}

// What comes between suite and identity provider changes nothing of what is found: verdict and failing checks are those
// without it, and next to nothing is left undecided.
func TestDisturbedIdentityProvider(t *testing.T) {
	checks := []string{"IDP-META", "IDP-JWKS", "IDP-HAPPY", "IDP-PAIRING/[a-z]*-[a-f]*", "IDP-PAIRING/resource-unknown",
		"IDP-SUBJECT-VALIDATE",
		"IDP-CLIENT-AUTH/[a-e]*", "IDP-JAG-*", "IDP-REDIRECT/other-host", "IDP-POLICY/[fu]*", "IDP-ERR/bad-*"}
	defects := []string{"", "resource-copied", "client-from-subject"}
	calm := map[string]*reports.Report{}
	for _, defect := range defects {
		calm[defect] = judgeIdP(t, &demo.IdP{Defects: some(defect)}, checks...)
	}
	for _, d := range disturb.All() {
		short := d.ID == "reset" || d.ID == "503" || d.ID == "429"
		if d.ID == "pbkdf2" || testing.Short() && !short { // hashing is inside of a target
			continue
		}
		for _, defect := range defects {
			t.Run(d.ID+"/"+defect, func(t *testing.T) {
				t.Parallel()
				g := NewWithT(t)
				report := judgeIdP(t, &demo.IdP{Defects: some(defect), Around: d.Between, Skew: d.Skew}, checks...)
				g.Expect(of(report, reports.Fail)).To(Equal(of(calm[defect], reports.Fail)), "the failing checks")
				g.Expect(report.Verdict).To(Equal(calm[defect].Verdict))
				undecided := of(report, reports.Inconclusive)
				g.Expect(len(undecided)).To(BeNumerically("<=", len(report.Checks)/100), "%v", undecided)
			})
		}
	}
}

// An identity provider whose clock is off is judged by its own clock, whatever is dated.
func TestAnIdentityProviderWhoseClockIsOff(t *testing.T) {
	if testing.Short() {
		t.Skip("takes every check")
	}
	for _, d := range disturb.All() {
		if d.Skew == 0 {
			continue
		}
		t.Run(d.ID, func(t *testing.T) {
			t.Parallel()
			report := judgeIdP(t, &demo.IdP{Skew: d.Skew})
			NewWithT(t).Expect(amiss(report, reports.Fail, reports.Warn, reports.Inconclusive, reports.Skip)).To(BeEmpty())
		})
	}
}

// some is a list of one, or of none.
func some(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}

func TestWhatIdentityProvidersCannotBeJudgedBy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "idp.yaml")
	config := func(text string) string {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	const rest = `
clients: [{id: a, secret: s3cret-s3cret-s3cret, redirect_uri: "https://a.example/cb"}]
targets: [{audience: "https://as.example"}]
`
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"an argument":        {[]string{"https://acme.example"}, 2, `is it the --issuer?`},
		"an issuer alone":    {[]string{"--issuer", "https://acme.example"}, 2, "emaconform config --role idp"},
		"no such file":       {[]string{"--config", "/nowhere/idp.yaml"}, 2, "cannot read the configuration"},
		"an unknown defect":  {[]string{"--defect", "nothing"}, 2, `there is no defect "nothing"`},
		"a defect for yours": {[]string{"--issuer", "https://acme.example", "--defect", "bearer"}, 2, "not for one of yours"},
		"a password in a URL": {[]string{"--issuer", "https://me:s3cret@acme.example", "--config",
			config("users: [{login: a, sign_in: attended}]" + rest)}, 2, "write https://acme.example"},
		"an issuer with a query": {[]string{"--issuer", "https://acme.example?a=b", "--config",
			config("users: [{login: a, sign_in: attended}]" + rest)}, 2, "which no issuer has (RFC 8414 2)"},
		"an issuer that is none": {[]string{"--config",
			config("idp: {issuer: 'http://127.0.0.1:1'}\nusers: [{login: a, sign_in: {command: 'true'}}]" + rest)}, 3,
			"does not look like an identity provider"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			dir := t.TempDir()
			var out, errs bytes.Buffer
			code := execute(t.Context(), append([]string{"idp", "--out", filepath.Join(dir, "reports")}, c.args...), &out, &errs)
			text := unwrapped(out.String() + errs.String())
			g.Expect(code).To(Equal(c.code), text)
			g.Expect(text).To(ContainSubstring(c.want))
			g.Expect(text).NotTo(ContainSubstring("s3cret"))
			if c.code == 2 {
				g.Expect(filepath.Glob(filepath.Join(dir, "reports", "*"))).To(BeEmpty(), "something was written")
			}
		})
	}
}

// A sign-in command that fails ends the run with one message.
func TestASignInThatFailsEndsTheRun(t *testing.T) {
	g := NewWithT(t)
	e := &demo.IdP{}
	defer e.Close()
	var o idprun.Options
	g.Expect(e.Configure(t.Context(), &o)).To(Succeed())
	o.Config.Users[0].SignIn.Form, o.Config.Users[0].SignIn.Command = nil, "echo nobody is here >&2; exit 7"
	report, err := idprun.Run(context.WithoutCancel(t.Context()), o)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(report.Ended).To(Equal(engine.EndedPreflight))
	g.Expect(report.Problem).To(And(ContainSubstring("nobody is here"),
		ContainSubstring("Correct sign_in of "+fixture.Alice)))
	g.Expect(report.Checks).To(BeEmpty())
}

// An identity provider that need not be told the resource is asked without it once, and its answer is what counts.
func TestAResourceThatIsOptionalIsTriedWithout(t *testing.T) {
	g := NewWithT(t)
	e := &demo.IdP{}
	defer e.Close()
	o := idprun.Options{Selection: engine.Selection{Checks: []string{"IDP-PAIRING/resource-unknown"}}}
	g.Expect(e.Configure(t.Context(), &o)).To(Succeed())
	o.Config.Exchange.Resource = "optional"
	report, err := idprun.Run(t.Context(), o)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(report.Problem).To(BeEmpty())
	tried := 0
	for _, step := range report.Preflight {
		if strings.HasSuffix(step.Saw, "; without resource, too") {
			tried++
		}
	}
	g.Expect(tried).To(BeNumerically(">=", len(o.Config.Targets)))
	g.Expect(report.Verdict).To(Equal(reports.Conformant))
}
