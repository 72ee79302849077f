package console

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/fault"
	"github.com/emaconform/emaconform/mockidp/observe"
)

// Connector is a server beside the identity provider whose side of the flow is shown as well.
type Connector struct {
	ID  string       // of the connector in the directory
	Log *observe.Log // what its authorization server and its MCP server were asked
}

// Endpoints of a connector, as its log names them.
const (
	ConnectorMetadata = "connector metadata"
	ConnectorToken    = "connector token"
	ConnectorMCP      = "connector MCP"
)

// Check is one that would judge a step of the flow.
type Check struct{ ID, Title string }

// Step is a kind of step, for Options.Judges. The grant is that of a token request, without its prefix.
type Step struct {
	Endpoint, Grant string
	Status          int
}

// lanes of the diagram: who asks whom. Each is a class of the style sheet.
const (
	clientIdP = "client-idp"
	serverIdP = "ras-idp"
	clientRAS = "client-ras"
	clientMCP = "client-mcp"
)

// moment is a step of the flow as the diagram shows it.
type moment struct {
	mockidp.Exchange
	Number                        int
	Lane, Says                    string
	RequestFields, ResponseFields []field
	Decision                      *audit.Entry
	Checks                        []Check
}

// shownMoments is how much of the flow is shown: the last of it.
const shownMoments = 60

// flow shows the exchanges with the identity provider and with the connector beside it as one sequence.
func flow(c *console, _ *http.Request) (view, error) {
	all := c.idp.Exchanges()
	if c.connector != nil {
		all = append(all, c.connector.Log.List()...)
	}
	slices.SortStableFunc(all, func(a, b mockidp.Exchange) int { return a.Time.Compare(b.Time) })
	decisions := map[string]*audit.Entry{}
	login := ""
	for _, e := range c.idp.Audit().Entries() {
		decisions[e.Request] = &e
		login = cmp.Or(e.Login, login)
	}
	first := max(0, len(all)-shownMoments)
	var moments []moment
	for n, e := range all[first:] {
		m := c.moment(e, first+n+1)
		m.Decision = decisions[e.ID]
		moments = append(moments, m)
	}
	return view{name: "flow", title: "Flow", live: true, data: struct {
		Moments    []moment
		Before     int
		Connector  *directory.Connector
		Connection *directory.Connection
		Login      string
		Leaver     bool
		Faults     int
		Edits      int
	}{moments, first, c.beside(), c.connected(), c.leaver(login), c.left(login), len(c.idp.Faults()), len(c.edits())}}, nil
}

// beside is the connector in the directory, nil when there is none.
func (c *console) beside() *directory.Connector {
	if c.connector == nil {
		return nil
	}
	for _, r := range c.idp.Directory().Connectors {
		if r.ID == c.connector.ID {
			return &r
		}
	}
	return nil
}

// connected is the first connection with the connector beside, else the first of all.
func (c *console) connected() *directory.Connection {
	list := c.idp.Directory().Connections
	for _, k := range list {
		if c.connector != nil && k.Connector == c.connector.ID {
			return &k
		}
	}
	if len(list) > 0 {
		return &list[0]
	}
	return nil
}

// leaver is who leaves the company: the one who was last seen, else the first.
func (c *console) leaver(seen string) string {
	if users := c.idp.Directory().Users; seen == "" && len(users) > 0 {
		return users[0].Login
	}
	return seen
}

func (c *console) left(seen string) bool {
	u := c.idp.Directory().Login(c.leaver(seen))
	return u != nil && !u.Status.OK()
}

func (c *console) moment(e mockidp.Exchange, number int) moment {
	m := moment{Exchange: e, Number: number, Lane: clientIdP}
	kind := grant(e)
	switch e.Endpoint {
	case fault.EndpointDiscovery:
		m.Says = "read the metadata"
	case fault.EndpointKeys:
		m.Lane, m.Says = serverIdP, "fetch the keys"
	case fault.EndpointAuthorize:
		m.Says = "ask for a sign-in"
	case fault.EndpointLogin:
		m.Says = "sign in"
	case fault.EndpointToken:
		m.Says = map[string]string{"authorization_code": "code for ID token", "token-exchange": "ID token for ID-JAG",
			"refresh_token": "refresh"}[kind]
	case ConnectorMetadata:
		m.Lane, m.Says = clientRAS, "read the metadata"
	case ConnectorToken:
		m.Lane, m.Says = clientRAS, "ID-JAG for access token"
	case ConnectorMCP:
		m.Lane, m.Says = clientMCP, strings.Join(e.Request["method"], " ")
		if name := strings.Join(e.Request["name"], " "); name != "" {
			m.Says += " " + name
		}
	}
	m.Says = cmp.Or(m.Says, e.Endpoint)
	m.RequestFields, m.ResponseFields = c.fields(e)
	if c.judges != nil {
		m.Checks = c.judges(Step{e.Endpoint, kind, e.Status})
	}
	return m
}

// fields are the parameters of a request and the members of its answer, by name, tokens decoded.
func (c *console) fields(e mockidp.Exchange) (request, response []field) {
	for name, values := range e.Request {
		for _, v := range values {
			request = append(request, c.field(name, v))
		}
	}
	for name, v := range e.Response {
		response = append(response, c.field(name, fmt.Sprint(v)))
	}
	for _, list := range [][]field{request, response} {
		slices.SortFunc(list, func(a, b field) int { return cmp.Compare(a.Name, b.Name) })
	}
	return request, response
}
