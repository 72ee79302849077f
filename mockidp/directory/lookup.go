package directory

import (
	"encoding/json"
	"slices"
	"strings"
)

// User finds a user by id, nil when there is none.
func (d *Directory) User(id string) *User { return d.index.users[id] }

// Login finds a user by login, whatever its case.
func (d *Directory) Login(login string) *User { return d.index.logins[strings.ToLower(login)] }

// Client finds a client by id.
func (d *Directory) Client(id string) *Client { return d.index.clients[id] }

// Connector finds a connector by id.
func (d *Directory) Connector(id string) *Connector { return d.index.connectors[id] }

// Audience finds a connector by its audience or one of its aliases.
func (d *Directory) Audience(audience string) *Connector { return d.index.audiences[audience] }

// Connection finds what connects a client with a connector.
func (d *Directory) Connection(client, connector string) *Connection {
	return d.index.links[[2]string{client, connector}]
}

// AllGroups lists every group by name; Everyone is one of them.
func (d *Directory) AllGroups() []string {
	names := make([]string, 0, len(d.index.groups))
	for name := range d.index.groups {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Clone is a copy that can be changed and then compiled.
func (d *Directory) Clone() *Directory {
	raw, err := json.Marshal(d)
	if err != nil {
		panic(err) // every member has a JSON form
	}
	c := new(Directory)
	if err := json.Unmarshal(raw, c); err != nil {
		panic(err)
	}
	return c
}

// Has reports whether the assignment includes the user.
func (a Assignment) Has(u *User) bool {
	return a.Everyone || slices.Contains(a.Groups, "Everyone") || containsFold(a.Users, u.Login) || u.inAny(a.Groups)
}

func (u *User) inAny(groups []string) bool {
	return slices.ContainsFunc(u.Groups, func(g string) bool { return slices.Contains(groups, g) })
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, s) })
}

// Verified reports whether the user's e-mail address is.
func (u *User) Verified() bool { return u.Email != "" && (u.EmailVerified == nil || *u.EmailVerified) }
