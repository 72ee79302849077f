package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/reports/attest"
	"github.com/emaconform/emaconform/reports/prove"
	"github.com/emaconform/emaconform/reports/terminal"
	"github.com/emaconform/emaconform/suites/engine"
	"github.com/emaconform/emaconform/suites/provenance"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/wire"
)

const verifyLong = `Judges a statement that emaconform attest made: who signed it, whether it fits together, what it
says of which target, and what it does not prove. Offline, unless --target or --rerun is given.

Exit codes: 0 it holds and satisfies the policy; 1 it does not; 2 the file is no statement, or the command is wrong.`

// verifyFlags are the flags of `emaconform verify`.
type verifyFlags struct {
	keys            []string
	policy          string
	nonce           string
	maxAge          time.Duration
	target, caFile  string
	rerun           int
	config          string
	signedElsewhere bool
}

func newVerify() *cobra.Command {
	f := &verifyFlags{}
	c := &cobra.Command{
		Use:   "verify STATEMENT.json",
		Short: "Judge a statement: who signed it, what it says, and what it does not prove",
		Long:  verifyLong,
		Example: `  emaconform verify statement.json --key vendor.key.pub
  emaconform verify statement.json --policy policy.yaml --nonce 7Q2M --max-age 720h
  emaconform verify statement.json --key vendor.key.pub --target https://mcp.example/mcp
  emaconform verify statement.json --key vendor.key.pub --rerun 20 --config ema.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args[0]) },
	}
	c.Flags().StringSliceVar(&f.keys, "key", nil, "PEM file of a public key whose signature is trusted")
	c.Flags().StringVar(&f.policy, "policy", "", "YAML file with what is demanded")
	c.Flags().StringVar(&f.nonce, "nonce", "", "the nonce that was asked for")
	c.Flags().DurationVar(&f.maxAge, "max-age", 0, "how old the run may be, e.g. 720h")
	c.Flags().StringVar(&f.target, "target", "", "URL of the MCP server: is it still the target that was judged?")
	c.Flags().StringVar(&f.caFile, "ca-file", "", "PEM file of certificate authorities to trust for the target")
	c.Flags().IntVar(&f.rerun, "rerun", 0, "run so many of the passed checks again, drawn by the statement's digest")
	c.Flags().StringVarP(&f.config, "config", "c", "", "for --rerun: configuration file")
	c.Flags().BoolVar(&f.signedElsewhere, "signed-elsewhere", false,
		"the signature was verified by another tool (cosign verify-blob-attestation), which gave out this statement")
	return c
}

// verification collects what was found.
type verification struct {
	*attest.Opened
	signer   attest.Signer
	problems []string
	online   []string // what was found out about the target as it is now
}

func (v *verification) problem(format string, args ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

func (f *verifyFlags) run(c *cobra.Command, path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return terminal.Readable(path, err)
	}
	policy, signers, err := f.demands()
	if err != nil {
		return err
	}
	v := &verification{}
	if v.Opened, err = attest.Open(raw); errors.Is(err, attest.ErrForged) {
		fmt.Fprintf(c.OutOrStdout(), "NOT VERIFIED\n  %v\n", err)
		return exitCode(exitNotConformant)
	} else if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if f.signedElsewhere {
		v.signer.Name = "not checked here: another tool did"
	} else if v.signer, err = v.SignedBy(c.Context(), signers); err != nil {
		v.problem("%v", err)
	}
	if err := v.Complete(known()); err != nil {
		v.problem("%v", err)
	}
	v.problems = append(v.problems, policy.Violations(v.Opened, time.Now())...)
	if f.nonce != "" && v.Nonce != f.nonce {
		v.problem("its nonce is %.40q, not the one that was asked for", v.Nonce)
	}
	if f.target != "" {
		if err := f.sameTarget(c.Context(), v); err != nil {
			return err
		}
	}
	if f.rerun > 0 && len(v.problems) == 0 {
		if err := f.again(c, v); err != nil {
			return err
		}
	}
	v.print(c.OutOrStdout())
	if len(v.problems) > 0 {
		return exitCode(exitNotConformant)
	}
	return nil
}

// demands are those of the policy and of the flags, and whose signatures are trusted.
func (f *verifyFlags) demands() (*attest.Policy, []attest.Signer, error) {
	policy, signers := &attest.Policy{AllowWaivers: true}, []attest.Signer{}
	if f.policy != "" {
		var err error
		if policy, signers, err = attest.LoadPolicy(f.policy); err != nil {
			return nil, nil, err
		}
	}
	if f.maxAge != 0 {
		policy.MaxAge = f.maxAge
	}
	for _, file := range f.keys {
		key, err := attest.LoadKey(file)
		if err != nil {
			return nil, nil, err
		}
		signers = append(signers, attest.Signer{Name: "the owner of " + file, Key: key})
	}
	if f.rerun < 0 {
		return nil, nil, fmt.Errorf("--rerun %d: expected how many checks to run again, such as 20", f.rerun)
	}
	if f.rerun > 0 && f.config == "" {
		return nil, nil, errors.New("--rerun needs --config: how the target is reached, as for emaconform server")
	}
	return policy, signers, nil
}

// sameTarget compares the target as it is now with what the statement says of it.
func (f *verifyFlags) sameTarget(ctx context.Context, v *verification) error {
	client, err := prove.NewClient(f.caFile)
	if err != nil {
		return err
	}
	if f.target != v.Target.URL {
		v.problem("the statement is about %.200s, not about %s", v.Target.URL, f.target)
		return nil
	}
	for _, d := range v.Target.Documents {
		var content map[string]any
		body, err := prove.Get(ctx, client, d.URL, 1<<20)
		if err == nil {
			err = json.Unmarshal(body, &content)
		}
		switch {
		case err != nil:
			v.problem("the target's metadata cannot be fetched: %v", err)
		case provenance.DocumentDigest(content) != d.Digest:
			v.problem("the target's metadata at %.200s is not what was judged", d.URL)
		default:
			v.online = append(v.online, "metadata at "+d.URL+" is what was judged")
		}
	}
	now := v.Target
	provenance.Target(ctx, &now, nil)
	for _, p := range v.Target.TLS {
		if slices.ContainsFunc(now.TLS, func(n reports.Peer) bool { return n.Host == p.Host && n.KeyDigest == p.KeyDigest }) {
			v.online = append(v.online, p.Host+" has the TLS key that it had")
		} else { // certificates are renewed: a fact, no failure
			v.online = append(v.online, p.Host+" has another TLS key now")
		}
	}
	if at, err := prove.WellKnown(f.target, "statement.json"); err == nil {
		if body, err := prove.Get(ctx, client, at, 1<<20); err == nil {
			if published, err := attest.Open(body); err == nil && published.Digest == v.Digest {
				v.online = append(v.online, "the statement is published under the target's origin: its owner stands by it")
			}
		}
	}
	return nil
}

// again runs a sample of what passed: which one follows from the statement's digest, so that nobody chooses it.
func (f *verifyFlags) again(c *cobra.Command, v *verification) error {
	passed := slices.Sorted(slices.Values(v.Results.Passed))
	seed := [32]byte{}
	copy(seed[:], strings.TrimPrefix(v.Digest, "sha256:"))
	rand.New(rand.NewChaCha8(seed)).Shuffle(len(passed), func(i, j int) { passed[i], passed[j] = passed[j], passed[i] })
	sample := passed[:min(f.rerun, len(passed))]
	if len(sample) == 0 || strings.HasPrefix(sample[0], "CL-") {
		return errors.New("--rerun is for statements about servers of which checks passed")
	}
	config, err := (&settings{}).load(f.config, c.Flags())
	if err != nil {
		return err
	}
	report, err := run.Run(c.Context(), run.Options{
		Config: config, Profile: v.Profile, Selection: engine.Selection{Checks: sample}, Intrusive: v.Intrusive,
	})
	if err != nil {
		return err
	}
	if attest.TargetDigest(report.Target, v.Profile) != v.Subjects[0].Digest["sha256"] {
		v.problem("--rerun: %s reaches another target (%.200s) than the statement is about", f.config, report.Target.Resource)
		return nil
	}
	for _, k := range report.Checks {
		if k.Outcome != reports.Pass && k.Outcome != reports.Warn {
			v.problem("%s passed in the statement, and is %s now: %.200s", k.ID, k.Outcome, k.Message)
		}
	}
	v.online = append(v.online, fmt.Sprintf("%d of the passed checks ran again", len(report.Checks)))
	return nil
}

// print says in some ten lines what the statement is worth.
func (v *verification) print(w io.Writer) {
	head := "VERIFIED"
	if len(v.problems) > 0 {
		head = "NOT VERIFIED"
	}
	fmt.Fprintf(w, "%s: %s (%s)\n", head, v.Verdict, v.Level())
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-11s %s\n", name, terminal.Wrap(wire.Printable(fmt.Sprintf(format, args...), 1000),
			min(100, terminal.Width(w)), 14))
	}
	for _, p := range v.problems {
		line("problem", "%s", p)
	}
	signer := v.signer.Name
	if signer == "" {
		signer = "nobody whose key is trusted here"
	}
	line("signed by", "%s", signer)
	line("target", "%s (%s), %s address; %s", v.Subjects[0].Name, cmp.Or(v.Target.Version, "it names no version"),
		orUnknown(v.Target.Address), v.proof())
	line("judged by", "emaconform %s (%.19s…), catalogue %s, profile %s, MCP %s", v.Tool.Version, v.Tool.Digest,
		v.Catalogue.Version, v.Profile,
		orUnknown(strings.Join(v.MCPRevisions, ", ")))
	r := v.Results
	line("verdict", "recomputed: %d passed, %d warned, %d failed, %d inconclusive, %d skipped, %d not run",
		len(r.Passed), len(r.Warned),
		len(r.Failed), len(r.Inconclusive), len(r.Skipped), len(r.NotRun))
	line("coverage", "%s", v.Coverage)
	if len(v.Waived) > 0 {
		line("waived", "%s by the vendor's baseline (%.19s…)", plural(len(v.Waived), "result"), orUnknown(v.BaselineDigest))
	}
	line("age", "%s (%s), nonce %s", attest.Age(time.Since(v.Finished)), v.Finished.Format("2006-01-02 15:04 MST"),
		v.Nonce)
	for _, s := range v.online {
		line("now", "%s", s)
	}
	line("not proved", "%s", v.notProved())
}

func (v *verification) proof() string {
	switch p := v.Proof; {
	case p == nil:
		return "nothing proves that the run was against it"
	case p.Before && p.After:
		return "proved: it served the run's nonce before and after"
	default:
		return "proof incomplete: the run's nonce was not served before and after"
	}
}

// notProved says what a reader must not take from the statement.
func (v *verification) notProved() string {
	said := []string{"that the target behaves so today, or towards others than this suite"}
	if !v.signedByCI() {
		said = append(said, "that the signer did not change the result before signing: it is the signer's claim "+
			"(--rerun checks a sample)")
	}
	if v.Target.Address != reports.AddressPublic {
		said = append(said, "anything about a public deployment")
	}
	if v.Target.Embedded {
		said = append(said, "anything about a product: this is the reference target of emaconform")
	}
	return strings.Join(said, "; ")
}

// signedByCI reports whether another tool verified who ran the suite; a key alone does not say.
func (v *verification) signedByCI() bool { return v.signer.Key == nil && v.signer.Name != "" }

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
