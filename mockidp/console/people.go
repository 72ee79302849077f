package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"github.com/emaconform/emaconform/mockidp/directory"
)

// reach is whether a user gets ID-JAGs for a connector through a client, and why.
type reach struct {
	Client    *directory.Client
	Connector *directory.Connector
	directory.Decision
}

// Outcome is granted, step-up or denied.
func (r reach) Outcome() string {
	switch {
	case r.Denied == nil:
		return "granted"
	case r.Denied.StepUp != nil:
		return "step-up"
	}
	return "denied"
}

// reachOf decides for every connection as if the user had just signed in with a password and asked for every scope.
func reachOf(c *console, d *directory.Directory, u *directory.User) []reach {
	lenient := *d
	lenient.Settings.ExcessScopes = directory.DropScopes // show what is left, not that too much was asked
	var out []reach
	for _, link := range d.Connections {
		k, r := d.Client(link.Client), d.Connector(link.Connector)
		out = append(out, reach{k, r, lenient.Decide(directory.Request{Client: k, User: u, Audience: r.Audience,
			Resources: r.Resources[:min(1, len(r.Resources))], Scopes: r.Scopes, Now: c.idp.Now(),
			Auth: directory.Authentication{Time: c.idp.Now(), AMR: []string{"pwd"}}})})
	}
	return out
}

// personRow is a line of the list of people.
type personRow struct {
	*directory.User
	Reach []string // names of connectors
}

func people(c *console, r *http.Request) (view, error) {
	d, q := c.idp.Directory(), strings.TrimSpace(r.URL.Query().Get("q"))
	var rows []personRow
	left := 0
	for n := range d.Users {
		u := &d.Users[n]
		if !contains(q, append([]string{u.Login, u.Name, u.ID, string(u.Status)}, u.Groups...)...) {
			continue
		}
		if len(rows) == maxRows {
			left++
			continue
		}
		row := personRow{User: u}
		for _, x := range reachOf(c, d, u) {
			if name := title(x.Connector.Name, x.Connector.ID); x.Outcome() != "denied" && !slices.Contains(row.Reach, name) {
				row.Reach = append(row.Reach, name)
			}
		}
		rows = append(rows, row)
	}
	return view{name: "people", title: "People", data: struct {
		Query string
		Rows  []personRow
		Left  int
	}{q, rows, left}}, nil
}

// maxRows bounds how many rows a page shows, and how many values a field offers.
const maxRows = 100

// first are the users that a field offers; others can be typed.
func first(users []directory.User) []directory.User { return users[:min(len(users), maxRows)] }

func person(c *console, r *http.Request) (view, error) {
	id, err := url.PathUnescape(mux.Vars(r)["id"])
	d := c.idp.Directory()
	u := d.User(id)
	if err != nil || u == nil {
		return view{}, problem{http.StatusNotFound, "There is no user with this id."}
	}
	joined := func(group string) bool { return group == "Everyone" || slices.Contains(u.Groups, group) }
	return view{name: "person", title: title(u.Name, u.Login), data: struct {
		*directory.User
		Reach    []reach
		Others   []string // groups to add the user to
		Statuses []directory.Status
	}{u, reachOf(c, d, u), slices.DeleteFunc(d.AllGroups(), joined), statuses}}, nil
}

// statuses are those that a form can give a user.
var statuses = []directory.Status{directory.Active, directory.Suspended, directory.Deprovisioned}

// groupRow is a group with its members and what it opens.
type groupRow struct {
	Name     string
	Members  []*directory.User
	Size     int
	Others   []*directory.User // who could be added
	Clients  []string
	Apps     []string
	Policies []string
}

func groups(c *console, _ *http.Request) (view, error) {
	d := c.idp.Directory()
	var rows []groupRow
	for _, name := range d.AllGroups() {
		g := groupRow{Name: name}
		opens := func(a directory.Assignment) bool {
			return a.Everyone && name == "Everyone" || slices.Contains(a.Groups, name)
		}
		for n := range d.Users {
			if u := &d.Users[n]; name == "Everyone" || slices.Contains(u.Groups, name) {
				g.Members, g.Size = append(g.Members, u), g.Size+1
			} else {
				g.Others = append(g.Others, u)
			}
		}
		g.Members, g.Others = g.Members[:min(g.Size, maxRows)], g.Others[:min(len(g.Others), maxRows)]
		for _, k := range d.Clients {
			if opens(k.Assigned) {
				g.Clients = append(g.Clients, title(k.Name, k.ID))
			}
		}
		for _, r := range d.Connectors {
			if opens(r.Assigned) {
				g.Apps = append(g.Apps, title(r.Name, r.ID))
			}
		}
		for _, p := range d.Policies {
			if slices.Contains(p.Groups, name) {
				g.Policies = append(g.Policies, p.Name)
			}
		}
		rows = append(rows, g)
	}
	return view{name: "groups", title: "Groups", data: rows}, nil
}

func title(name, id string) string {
	if name == "" {
		return id
	}
	return name
}
