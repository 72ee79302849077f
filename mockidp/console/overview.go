package console

import (
	"net/http"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/console/inspect"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/flavour"
)

// recent is how many decisions the overview shows.
const recent = 8

func overview(c *console, _ *http.Request) (view, error) {
	entries := c.idp.Audit().Entries()
	slices.Reverse(entries)
	refused := 0
	for _, e := range entries {
		if e.Outcome == audit.Failure {
			refused++
		}
	}
	return view{name: "overview", title: "Overview", live: true, data: struct {
		JWKS, Token string
		Keys        []jose.JSONWebKey
		Next        string // kid of the key that is published and not used yet
		Flavour     *flavour.Flavour
		Shift       time.Duration
		Directory   *directory.Directory
		Sizes       map[string]int
		Faults      []mockidp.Fault
		Edits       []mockidp.Edit
		Recent      []audit.Entry
		Entries     int
		Refused     int
		Exchanges   int
	}{
		c.idp.JWKSURI(), c.idp.TokenURL(), c.idp.Issuer().Keys.Public().Keys, c.idp.NextKeyID(), c.idp.Flavour(),
		c.shift(), c.idp.Directory(),
		c.idp.Sizes(), c.idp.Faults(), c.edits(), entries[:min(len(entries), recent)], len(entries), refused,
		len(c.idp.Exchanges()),
	}}, nil
}

// shift is how far the identity provider's clock is from this machine's.
func (c *console) shift() time.Duration { return time.Until(c.idp.Now()).Round(time.Second) }

// edits are those that are not used up.
func (c *console) edits() []mockidp.Edit {
	return slices.DeleteFunc(c.idp.Edits(), func(e mockidp.Edit) bool { return e.Count < 0 })
}

// pasted is what the inspector shows.
type pasted struct {
	Report          *inspect.Report
	Problems, Notes int
}

func inspectForm(*console, *http.Request) (view, error) {
	return view{name: "inspect", title: "Token inspector", data: pasted{}}, nil
}

// inspectToken explains the token that the form holds. The token is in no address, in no log, and not on the page.
func inspectToken(c *console, r *http.Request) (view, error) {
	v := view{name: "inspect", title: "Token inspector"}
	form, err := c.form(r)
	if err != nil {
		return v, err
	}
	report, err := inspect.Token(form.Get("token"), c.view())
	if err != nil {
		v.status, v.message, v.data = http.StatusUnprocessableEntity, sentence(err), pasted{}
		return v, nil
	}
	p := pasted{Report: report}
	for _, x := range report.Checks {
		switch x.Outcome {
		case inspect.Problem:
			p.Problems++
		case inspect.Depends:
			p.Notes++
		}
	}
	v.data = p
	return v, nil
}

func faults(c *console, _ *http.Request) (view, error) {
	return view{name: "faults", title: "Faults & claims", data: struct {
		Endpoints []string
		Faults    []mockidp.Fault
		Edits     []mockidp.Edit
		Kinds     []mockidp.TokenKind
		Directory *directory.Directory
		Shift     time.Duration
	}{mockidp.Endpoints(), c.idp.Faults(), c.edits(), tokenKinds, c.idp.Directory(), c.shift()}}, nil
}

// tokenKinds are those whose claims a form can change.
var tokenKinds = []mockidp.TokenKind{mockidp.TokenIDJAG, mockidp.TokenID, mockidp.TokenAccess}
