package reports

import (
	"fmt"
	"strings"
)

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
