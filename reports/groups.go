package reports

import (
	"fmt"
	"strings"
)

// group is a role with its requirements.
type group struct {
	Role, Title  string
	Requirements []requirementView
	Untestable   []requirementView
}

// requirementView is a requirement with its checks, made ready for the page.
type requirementView struct {
	Requirement
	Counts []outcomeCount // without those that are 0
	Open   bool
	Advise bool // it is broken: say why that matters and how to fix it
	Links  []sourceView
	// Weights says how much it weighs in each profile, "" where that is the same.
	Weights string
	Checks  []checkView
}

type sourceView struct{ Name, URL string }

// checkView is a check made ready for the page.
type checkView struct {
	Check
	Slug   string
	Weaker bool // judged at another level than its requirement
	Millis string
	Search string // what the text filter looks at
	Now    bool   // in the document from the start
	Shown  bool   // with its evidence
}

// Diagram is the flow with the step at fault marked; nil where nothing failed.
func (v checkView) Diagram() *diagram { return faultOf(v.Check) }

// Rows is the check's evidence; it is made when the page comes to it, which keeps large reports out of memory.
func (v checkView) Rows() []pair { return pairs(v.Exchanges) }

// Failed checks that are in the document from the start, and those of them with their evidence: readable without a
// script.
const (
	atOnce         = 200
	evidenceAtOnce = 40
)

// groups sorts requirements and their checks by role, in the order of the catalogue. A check whose requirement the
// report does not describe is shown under the bare id.
func groups(r *Report) []group {
	checks := map[string][]Check{}
	requirements := append([]Requirement(nil), r.Requirements...)
	known := map[string]bool{}
	for _, q := range requirements {
		known[q.ID] = true
	}
	for _, c := range r.Checks {
		checks[c.Requirement] = append(checks[c.Requirement], c)
		if !known[c.Requirement] {
			known[c.Requirement] = true
			requirements = append(requirements, Requirement{ID: c.Requirement, Role: c.Role, Level: c.Level})
		}
	}
	var list []group
	at := map[string]int{}
	shown := 0
	for _, q := range requirements {
		i, ok := at[q.Role]
		if !ok {
			i = len(list)
			at[q.Role] = i
			list = append(list, group{Role: line(q.Role), Title: line(roleTitle(q.Role))})
		}
		v := viewRequirement(q, checks[q.ID])
		for j := range v.Checks {
			k := &v.Checks[j]
			k.Now = k.Outcome == Fail && shown < atOnce
			k.Shown = k.Now && shown < evidenceAtOnce
			shown += one(k.Now)
		}
		if q.Untestable != "" && len(v.Checks) == 0 {
			list[i].Untestable = append(list[i].Untestable, v)
		} else {
			list[i].Requirements = append(list[i].Requirements, v)
		}
	}
	return list
}

func viewRequirement(q Requirement, checks []Check) requirementView {
	v := requirementView{Requirement: q}
	for _, s := range []*string{&v.ID, &v.Role, &v.Level, &v.Title, &v.Says, &v.Why, &v.Fix, &v.Reading, &v.Untestable} {
		*s = line(*s)
	}
	if v.Title == "" {
		v.Title = cut(v.Says, 90)
	}
	n := noCounts()
	var found []Outcome
	for _, c := range checks {
		n[c.Outcome]++
		found = append(found, c.Outcome)
		v.Checks = append(v.Checks, viewCheck(c, q.Level))
	}
	v.Outcome = worst(found)
	v.Advise = n[Fail]+n[Warn] > 0
	v.Open = v.Advise || n[Inconclusive] > 0
	for _, c := range bar(n) {
		if c.N > 0 {
			v.Counts = append(v.Counts, c)
		}
	}
	for _, s := range q.Sources {
		v.Links = append(v.Links, sourceView{line(s.where()), httpLink(s.URL)})
	}
	v.Weights = weights(q.Levels)
	return v
}

// weights says how much a requirement weighs in each profile, "" where it weighs the same in all.
func weights(levels []Level) string {
	var parts []string
	differs := false
	for _, l := range levels {
		parts = append(parts, l.Profile+": "+l.Level)
		differs = differs || l.Level != levels[0].Level
	}
	if !differs {
		return ""
	}
	return line("Level by profile: " + strings.Join(parts, ", "))
}

func viewCheck(c Check, level string) checkView {
	v := checkView{Check: c, Weaker: c.Level != level, Slug: line(c.slug()), Millis: millis(c.Seconds)}
	for _, s := range []*string{&v.ID, &v.Level, &v.Role, &v.Title, &v.Sends, &v.Expects, &v.Expected} {
		*s = line(*s)
	}
	v.Message, v.Warnings, v.Notes, v.Labels = visible(c.Message), nil, nil, nil
	for _, n := range c.Notes {
		v.Notes = append(v.Notes, visible(n))
	}
	for _, l := range c.Labels {
		if l != c.Requirement && l != c.Role && !strings.EqualFold(l, c.Level) { // those are on the page already
			v.Labels = append(v.Labels, line(l))
		}
	}
	for _, w := range c.Warnings {
		if w != c.Message { // a check that only warns has its first warning as message
			v.Warnings = append(v.Warnings, visible(w))
		}
	}
	words := append([]string{v.ID, v.Title, v.Sends, v.Expects, v.Message}, v.Labels...)
	v.Search = strings.ToLower(strings.Join(words, " "))
	return v
}

// diagram is a sequence diagram of the flow, made ready for the page.
type diagram struct {
	Width, Height int
	Says          string // for who does not see it
	Lanes         []diagramLane
	Steps         []diagramStep
}

type diagramLane struct {
	X, To int
	Name  string
}

type diagramStep struct {
	From, To, Y  int
	Tip          string // path of the arrow's head
	TextX, TextY int
	Label        string
	Class        string // fault, later or ""
}

// The parties of the flow, in the order of their lanes.
const (
	person = iota
	client
	idp
	ras
	rs
)

var parties = []string{"Person", "Client", "Identity provider", "Authorization server", "MCP server"}

// flowStep is a step of the honest flow.
type flowStep struct {
	from, to int
	what     string
}

// The steps of the honest flow (EMA sections 3 to 5), by the names that faults are put at.
const (
	stepSignIn = iota
	stepIDToken
	stepExchange
	stepGrant
	stepMetadata
	stepRedeem
	stepKeys
	stepToken
	stepCall
	stepResult
)

var flow = []flowStep{
	stepSignIn:   {person, idp, "signs in"},
	stepIDToken:  {idp, client, "ID token"},
	stepExchange: {client, idp, "token exchange"},
	stepGrant:    {idp, client, "ID-JAG"},
	stepMetadata: {client, ras, "metadata"},
	stepRedeem:   {client, ras, "redeems the ID-JAG"},
	stepKeys:     {ras, idp, "fetches keys"},
	stepToken:    {ras, client, "access token"},
	stepCall:     {client, rs, "calls with the token"},
	stepResult:   {rs, client, "answer"},
}

const (
	laneWidth  = 168
	stepHeight = 30
)

// happyFlow is the honest flow.
func happyFlow() *diagram { return draw(-1, "") }

// faultOf is the flow as a failed check met it, with the step at fault marked; nil for others.
func faultOf(c Check) *diagram {
	if c.Outcome != Fail {
		return nil
	}
	for _, part := range []Part{Attack, Control, Setup} {
		for i := len(c.Exchanges) - 1; i >= 0; i-- {
			if e := c.Exchanges[i]; e.Part == part {
				sent, answered := place(c.Role, e)
				return draw(sent, fmt.Sprintf("%s: %s", flow[answered].what, e.summary())).mark(answered, c.Title)
			}
		}
	}
	return nil
}

// place says which steps of the flow an exchange is: the request and the answer to it.
func place(role string, e Exchange) (sent, answered int) {
	at := strings.ToLower(e.Request.URL + " " + e.Note)
	switch grant := e.Request.field("grant_type"); {
	case strings.Contains(at, ".well-known") && !strings.Contains(at, "jwks"):
		return stepMetadata, stepMetadata
	case strings.Contains(at, "jwks") || strings.Contains(at, "/keys"):
		return stepKeys, stepKeys
	case strings.HasSuffix(grant, "token-exchange"):
		return stepExchange, stepGrant
	case grant != "" && grant != "authorization_code":
		return stepRedeem, stepToken
	case strings.HasPrefix(at, "idp") || strings.Contains(at, " idp:") || grant == "authorization_code":
		return stepSignIn, stepIDToken
	case role == "ras" && !strings.Contains(e.Request.Body, "jsonrpc"):
		return stepRedeem, stepToken
	default:
		return stepCall, stepResult
	}
}

// mark names what went wrong for who does not see the picture.
func (d *diagram) mark(at int, title string) *diagram {
	d.Says = line(fmt.Sprintf("Sequence diagram of the flow. At fault is step %d, %s: the check %s.", at+1,
		flow[at].what, title))
	return d
}

// draw draws the flow. With a step at fault, that one and its answer are marked, with what came back, and those after
// it are faint. sent is -1 for the honest flow.
func draw(sent int, came string) *diagram {
	height := 40 + len(flow)*stepHeight
	d := &diagram{Width: len(parties) * laneWidth, Height: height + 10, Says: "Sequence diagram of the honest flow: "}
	x := func(lane int) int { return lane*laneWidth + laneWidth/2 }
	for i, name := range parties {
		d.Lanes = append(d.Lanes, diagramLane{x(i), height, name})
	}
	answered := sent + 1
	switch sent {
	case stepRedeem:
		answered = stepToken
	case stepMetadata, stepKeys:
		answered = sent
	}
	var said []string
	for i, s := range flow {
		y := 40 + (i+1)*stepHeight - 8
		step := diagramStep{From: x(s.from), To: x(s.to), Y: y, TextX: (x(s.from) + x(s.to)) / 2, TextY: y - 5,
			Label: fmt.Sprintf("%d %s", i+1, s.what)}
		toward := 7
		if s.to < s.from {
			toward = -7
		}
		step.Tip = fmt.Sprintf("M%d %dl%d -4v8z", step.To, y, -toward)
		switch {
		case sent >= 0 && i == answered:
			step.Class, step.Label = "fault", cut(fmt.Sprintf("%d %s", i+1, line(came)), 52)
		case sent >= 0 && i > answered:
			step.Class = "later"
		}
		d.Steps = append(d.Steps, step)
		said = append(said, fmt.Sprintf("%d, %s to %s: %s", i+1, parties[s.from], parties[s.to], s.what))
	}
	d.Says += strings.Join(said, "; ") + "."
	return d
}
