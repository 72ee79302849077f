// Package demo holds the reference parties as a run judges them: in this process, with every optional part of the
// configuration in place. They are what a run without a target judges, and what the matrices change.
package demo

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/emaconform/emaconform/fixtures"
	"github.com/emaconform/emaconform/fixtures/defects"
	"github.com/emaconform/emaconform/fixtures/disturb"
	"github.com/emaconform/emaconform/fixtures/reference"
	"github.com/emaconform/emaconform/fixtures/rs"
	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/run"
	"github.com/emaconform/emaconform/suites/target"
)

// Target is the reference target in this process: it is made to trust the mock IdP when a run asks for it.
type Target struct {
	Defects   []string
	Variants  []string
	RoundTrip time.Duration
	Disturbed string                  // id of a disturbance that the target is behind; may be ""
	Adjust    func(*fixtures.Options) // changes the target behind the run's back; may be nil
	Known     bool                    // the run is told what it would discover, so that broken discovery does not end it
	target    *reference.Target
	clientCA  string // file with the CA of clients' certificates
	// certificates are files with those of clients that nobody has issued, by client.
	certificates map[string]string
	dir          string   // for what is in files: the IdP's CA, the target's log
	log          *os.File // written by the target, searched by the run
}

// Close stops the target.
func (e *Target) Close() {
	if e.target != nil {
		_ = e.target.Close()
	}
	if e.log != nil {
		_ = e.log.Close()
	}
	if e.dir != "" {
		_ = os.RemoveAll(e.dir)
	}
}

// Configure lets a run judge this target, with every optional part of the configuration in place.
func (e *Target) Configure(o *run.Options) (err error) {
	o.Register = e.register
	if e.dir, err = os.MkdirTemp("", "emaconform-"); err != nil {
		return err
	}
	if e.log, err = os.Create(filepath.Join(e.dir, "target.log")); err != nil {
		return err
	}
	o.Config.IdP.CA = cmp.Or(o.Config.IdP.CA, filepath.Join(e.dir, "ca.pem"))
	o.Config.LogFile = e.log.Name()
	o.Config.Upstream = &target.Upstream{Tool: rs.ToolLookUp}
	o.Config.SecondIdP = &target.IdP{Tenant: fixtures.AliceTenant, CA: o.Config.IdP.CA}
	o.Config.DisabledIdP = &target.IdP{CA: o.Config.IdP.CA}
	o.Describe = func(t *reports.Target) {
		t.Name, t.Embedded, t.Defects = "reference target", true, e.Defects
	}
	return nil
}

func (e *Target) register(ctx context.Context, trust run.Trust, c *target.Config) error {
	for _, id := range e.Defects {
		if _, ok := defects.Find(id); !ok {
			return fmt.Errorf("there is no defect %q: `emaconform matrix --list` shows all", id)
		}
	}
	first := issuer(trust.IdP)
	first.EmailDomains = []string{fixtures.EmailDomain}
	second := issuer(*trust.Second)
	second.MultiTenant, second.SAMLIssuer = true, samlIssuer
	gone := issuer(*trust.Disabled)
	gone.Disabled = true
	options, err := fixtures.DefaultOptions(first, second, gone)
	if err != nil {
		return err
	}
	options.Variants = e.Variants
	options.Defects, options.RoundTrip, options.Log = e.Defects, e.RoundTrip, e.log
	if e.Disturbed != "" {
		d, ok := disturb.Find(e.Disturbed)
		if !ok {
			return fmt.Errorf("there is no disturbance %q: `emaconform matrix --list --disturbances` shows all", e.Disturbed)
		}
		options.Between, options.Now = d.Between, func() time.Time { return time.Now().Add(d.Skew) }
	}
	options.RootCAs, options.Upstream = []byte(trust.IdP.CA), trust.Upstream
	options.CIMD = &fixtures.CIMD{AllowLoopback: true, AllowHTTP: true, Scopes: []string{fixtures.ScopeRead,
		fixtures.ScopeWrite}}
	if err := e.differ(&options, c); err != nil {
		return err
	}
	known := options // what the run is told, also where the target is made to know otherwise
	if e.Adjust != nil {
		options.Clients, options.Users, options.Issuers = slices.Clone(known.Clients), slices.Clone(known.Users),
			slices.Clone(known.Issuers)
		e.Adjust(&options)
	}
	if e.target, err = reference.Start(context.WithoutCancel(ctx), options); err != nil {
		return err
	}
	e.describe(&known, c)
	return nil
}

func issuer(t run.TrustedIdP) fixtures.TrustedIssuer {
	return fixtures.TrustedIssuer{Issuer: t.Issuer, RootCAs: []byte(t.CA)} // whose metadata says where its keys are
}

// samlIssuer names the second IdP in SAML single sign-on.
const samlIssuer = "http://saml.second.example/exk1"

// subID is a SAML name as the sub_id claim has it (ID-JAG draft-04 section 3.2.2); nil when there is none.
func subID(n fixtures.SAMLName) map[string]string {
	if n == (fixtures.SAMLName{}) {
		return nil
	}
	return map[string]string{"format": "saml-nameid", "issuer": samlIssuer, "nameid": n.NameID, "nameid_format": n.Format,
		"sp_name_qualifier": n.SPNameQualifier}
}

// describe tells the run what it may know of the target.
func (e *Target) describe(o *fixtures.Options, c *target.Config) {
	c.URL, c.SecondServer = e.target.ResourceURL(0), e.target.ResourceURL(1)
	c.Claims = map[string]any{"aud_tenant": o.Tenant}
	if e.Known {
		c.Resource = c.URL
		c.AuthorizationServer = target.AuthorizationServer{Issuer: e.target.Issuer(), TokenEndpoint: e.target.TokenEndpoint()}
	}
	c.Scopes = []string{fixtures.ScopeRead, fixtures.ScopeWrite}
	c.ForbiddenScope = fixtures.ScopeAdmin
	c.ScopedTool = &target.Tool{Name: "write_note", Scope: fixtures.ScopeWrite}
	if o.Client(fixtures.ConnectorOpen) != nil {
		c.PublicClient = fixtures.ConnectorOpen
	}
	c.CIMD, c.JWE = true, true
	c.IdP.EmailDomains = []string{fixtures.EmailDomain}
	c.LinkableEmail, c.SharedEmail = o.User(fixtures.Carol).Email, o.User(fixtures.Dora).Email
	c.Timing.JWKSPatience = min(5*time.Second, c.Timing.Run)
	if len(e.Defects) > 0 { // it has one clock with us, and what never refuses is waited for
		c.Timing.Leeway = min(5*time.Second, c.Timing.Run)
	}
	c.Timing.Replay = min(1500*time.Millisecond, c.Timing.Run)
	for _, id := range []string{fixtures.ConnectorA, fixtures.ConnectorB, fixtures.ConnectorK, fixtures.ConnectorShort} {
		if k := o.Client(id); k != nil {
			c.Clients = append(c.Clients, *e.client(k))
		}
	}
	for _, id := range []string{fixtures.Alice, fixtures.Bob, fixtures.Erin} {
		user := o.User(id)
		for _, iss := range []*target.IdP{&c.IdP, c.SecondIdP} {
			login, ok := user.Login(iss.Issuer)
			if !ok {
				continue
			}
			known := target.User{Sub: login.Subject, Email: user.Email, SubID: subID(login.Name)}
			if iss == &c.IdP {
				c.Users = append(c.Users, known)
			} else {
				iss.Users = append(iss.Users, known)
			}
		}
	}
	if login, ok := o.User(fixtures.Alice).Login(c.DisabledIdP.Issuer); ok {
		c.DisabledIdP.Users = []target.User{{Sub: login.Subject, Email: o.User(fixtures.Alice).Email}}
	}
	if fay := o.User(fixtures.Fay); fay != nil {
		if login, ok := fay.Login(c.IdP.Issuer); ok {
			c.DisabledUser = &target.User{Sub: login.Subject, Email: fay.Email, SubID: subID(login.Name)}
		}
	}
	c.WhoamiTool = "whoami"
	if k := o.Client(fixtures.ConnectorGone); k != nil {
		c.RevokedClient = e.client(k)
	}
	if k := o.Client(fixtures.ConnectorBound); k != nil {
		c.DPoPClient = e.client(k)
	}
	told(c, e.Variants)
	c.RAR = &target.RAR{Granted: detail("read"), Wider: detail("read", "write")}
}

// client is a registered client as the configuration names it.
func (e *Target) client(k *fixtures.Client) *target.Client {
	return &target.Client{ID: k.ID, Auth: k.AuthMethod, Secret: k.Secret, Key: k.Key, CAFile: e.clientCA,
		CertificateFile: e.certificates[k.ID]}
}

// detail is an authorization_details entry that the reference target understands.
func detail(actions ...string) string {
	raw, err := json.Marshal(map[string]any{"type": fixtures.DetailType, "actions": actions})
	if err != nil {
		panic(err) // our own literal
	}
	return string(raw)
}
