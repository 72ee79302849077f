package run

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/target"
	"github.com/emaconform/emaconform/suites/wire"
)

// workerVariable in the environment makes a process of this program a worker.
const workerVariable = "EMACONFORM_INTERNAL_WORKER"

// assignment is all that a worker needs; it comes on standard input, since it holds keys.
type assignment struct {
	Checks     []string           `json:"checks"`
	Profile    string             `json:"profile"`
	Intrusive  bool               `json:"intrusive"`
	Inbound    bool               `json:"inbound"`
	Config     *target.Config     `json:"config"`
	Target     *target.Discovered `json:"target"`
	Keys       *mockidp.KeySet    `json:"keys"`
	SecondKeys *mockidp.KeySet    `json:"second_keys,omitempty"`
	Attacker   *mockidp.KeySet    `json:"attacker"`
	Canary     string             `json:"canary,omitempty"`
	Control    string             `json:"control"`
	Secret     string             `json:"secret"`
	Roots      []byte             `json:"roots,omitempty"`   // PEM
	Swapped    bool               `json:"swapped,omitempty"` // the second IdP is in the first one's place
}

// message is one line of a worker's standard output.
type message struct {
	Started string         `json:"started,omitempty"` // id of the check that begins
	Result  *reports.Check `json:"result,omitempty"`
}

// WorkerMain turns this process into a worker when a run started it as one, and then does not return. Every program that
// calls Run must call it first thing in main (or TestMain): a run re-executes its own binary.
func WorkerMain() {
	if os.Getenv(workerVariable) == "" {
		return
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func work() error {
	var a assignment
	if err := json.NewDecoder(os.Stdin).Decode(&a); err != nil {
		return fmt.Errorf("worker: cannot read the assignment: %w", err)
	}
	w, err := a.world()
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	say := func(m message) {
		mu.Lock()
		defer mu.Unlock()
		_ = out.Encode(m) // a broken pipe means that the run is over
	}
	return check.Run(a.Checks, w, check.Listener{
		Started:  func(id string) { say(message{Started: id}) },
		Finished: func(c reports.Check) { say(message{Result: &c}) },
	})
}

func (a *assignment) world() (*check.World, error) {
	w := &check.World{
		Profile: a.Profile, Intrusive: a.Intrusive, Inbound: a.Inbound,
		Config: a.Config, Target: a.Target,
		Attacker: a.Attacker.Signing(), Canary: a.Canary,
		Control: mockidp.NewControl(a.Control, a.Secret),
	}
	w.IdPName = check.FirstIdP
	w.IdP = &mockidp.Issuer{URL: a.Config.IdP.Issuer, Keys: a.Keys}
	if a.SecondKeys != nil {
		w.SecondIdP = &mockidp.Issuer{URL: a.Config.SecondIdP.Issuer, Keys: a.SecondKeys}
	}
	var err error
	w.Wire, err = newWire(a.Config, a.Roots)
	if a.Swapped {
		w = w.Swapped()
	}
	return w, err
}

func newWire(c *target.Config, pem []byte) (*wire.Client, error) {
	var roots *x509.CertPool
	if len(pem) > 0 {
		var err error
		if roots, err = x509.SystemCertPool(); err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file %s holds no PEM certificate", c.CAFile)
		}
	}
	return wire.NewClient(wire.Bounds{Timeout: c.Timing.Request}, roots), nil
}
