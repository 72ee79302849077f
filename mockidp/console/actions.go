package console

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
)

// actions are what forms of a console in write mode do, by the last part of their address. Each says what it has done.
var actions = map[string]func(*mockidp.IdP, url.Values) (said string, err error){
	"status": setStatus, "end-sessions": endSessions, "join": join, "leave": leave, "connection": setConnection,
	"prepare-key": prepareKey, "rotate-keys": rotateKeys, "fault": addFault, "clear-faults": clearFaults,
	"edit": addEdit, "clear-edits": clearEdits, "advance": advance, "reset": reset,
}

// act does what a form asks for and leads back to the form's page.
func (c *console) act(w http.ResponseWriter, r *http.Request) {
	form, err := c.form(r)
	do, known := actions[mux.Vars(r)["action"]]
	switch {
	case err != nil:
	case !c.write:
		err = problem{http.StatusForbidden, "This console is read-only: start it with --console=write."}
	case !known:
		err = problem{http.StatusNotFound, "There is no such action."}
	}
	var said string
	if err == nil {
		said, err = do(c.idp, form)
		if c.connector != nil && mux.Vars(r)["action"] == "reset" {
			c.connector.Log.Clear()
		}
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.setCookie(w, saidCookie, base64.RawURLEncoding.EncodeToString([]byte(said)), 30)
	http.Redirect(w, r, c.back(form), http.StatusSeeOther)
}

func setStatus(idp *mockidp.IdP, form url.Values) (string, error) {
	login, status := form.Get("login"), directory.Status(form.Get("status"))
	return login + " is " + string(status) + ".", idp.SetStatus(login, status)
}

func endSessions(idp *mockidp.IdP, form url.Values) (string, error) {
	return "Sessions and tokens of " + form.Get("login") + " have ended.", idp.EndSessions(form.Get("login"))
}

func join(idp *mockidp.IdP, form url.Values) (string, error) {
	login, group := form.Get("login"), form.Get("group")
	return login + " is in " + group + ".", membership(idp, login, func(groups []string) []string {
		if group == "" || slices.Contains(groups, group) {
			return groups
		}
		return append(groups, group)
	})
}

func leave(idp *mockidp.IdP, form url.Values) (string, error) {
	login, group := form.Get("login"), form.Get("group")
	return login + " is no longer in " + group + ".", membership(idp, login, func(groups []string) []string {
		return slices.DeleteFunc(groups, func(g string) bool { return g == group })
	})
}

func membership(idp *mockidp.IdP, login string, change func([]string) []string) error {
	return idp.Update(func(d *directory.Directory) error {
		n := slices.IndexFunc(d.Users, func(u directory.User) bool { return strings.EqualFold(u.Login, login) })
		if n < 0 {
			return fmt.Errorf("there is no user %q", login)
		}
		d.Users[n].Groups = change(d.Users[n].Groups)
		return nil
	})
}

func setConnection(idp *mockidp.IdP, form url.Values) (string, error) {
	client, connector, status := form.Get("client"), form.Get("connector"), directory.Status(form.Get("status"))
	said := fmt.Sprintf("The connection of %s with %s is %s.", client, connector, status)
	return said, idp.Update(func(d *directory.Directory) error {
		for n := range d.Connections {
			if k := &d.Connections[n]; k.Client == client && k.Connector == connector {
				k.Status = status
				return nil
			}
		}
		return fmt.Errorf("there is no connection of %q with %q", client, connector)
	})
}

func prepareKey(idp *mockidp.IdP, _ url.Values) (string, error) {
	k, err := idp.PrepareKey()
	if err != nil {
		return "", err
	}
	return "Key " + k.KeyID + " is published. It signs after the next rotation.", nil
}

func rotateKeys(idp *mockidp.IdP, form url.Values) (string, error) {
	k, err := idp.RotateKeys(form.Has("withdraw"))
	if err != nil {
		return "", err
	}
	return "Key " + k.KeyID + " signs from now on.", nil
}

func addFault(idp *mockidp.IdP, form url.Values) (string, error) {
	n, err := numbers(form, "status", "count", "after")
	if err != nil {
		return "", err
	}
	f := mockidp.Fault{Endpoint: form.Get("endpoint"), Count: n["count"], After: n["after"], Late: form.Has("late")}
	raw, err := json.Marshal(map[string]any{"status": n["status"], "body": form.Get("body"), "drop": form.Has("drop"),
		"delay": strings.TrimSpace(form.Get("delay")), "header": contentType(form)})
	if err == nil {
		err = json.Unmarshal(raw, &f.Reply) // which checks it
	}
	if err == nil {
		err = idp.Fault(f)
	}
	return "The fault is in force at " + f.Endpoint + ".", err
}

func contentType(form url.Values) map[string]string {
	if t := strings.TrimSpace(form.Get("type")); t != "" {
		return map[string]string{"Content-Type": t}
	}
	return nil
}

func clearFaults(idp *mockidp.IdP, form url.Values) (string, error) {
	idp.ClearFaults(form.Get("endpoint"))
	return "No fault is in force" + strings.TrimSuffix(" at "+form.Get("endpoint"), " at ") + ".", nil
}

func addEdit(idp *mockidp.IdP, form url.Values) (string, error) {
	n, err := numbers(form, "count")
	if err != nil {
		return "", err
	}
	e := mockidp.Edit{Token: mockidp.TokenKind(form.Get("token")), Client: form.Get("client"), Count: n["count"],
		Delete: strings.Fields(form.Get("delete"))}
	if login := strings.TrimSpace(form.Get("user")); login != "" {
		u := idp.Directory().Login(login)
		if u == nil {
			return "", fmt.Errorf("there is no user %q", login)
		}
		e.User = u.ID
	}
	for name, into := range map[string]*map[string]any{"set": &e.Set, "header": &e.Header} {
		if text := strings.TrimSpace(form.Get(name)); text != "" && json.Unmarshal([]byte(text), into) != nil {
			return "", fmt.Errorf(`%s: expected a JSON object such as {"aud": "https://other.example"}`, name)
		}
	}
	if len(e.Set)+len(e.Delete)+len(e.Header) == 0 {
		return "", fmt.Errorf("nothing would be changed: say which claims to set or to leave out")
	}
	return "The change applies to tokens from now on.", idp.Edit(e)
}

func clearEdits(idp *mockidp.IdP, _ url.Values) (string, error) {
	idp.ClearEdits()
	return "Tokens are honest again.", nil
}

func advance(idp *mockidp.IdP, form url.Values) (string, error) {
	d, err := time.ParseDuration(strings.TrimSpace(form.Get("by")))
	const most = 10 * 365 * 24 * time.Hour
	if err != nil || d.Abs() > most {
		return "", fmt.Errorf("the clock: expected a duration such as 10m or -1h, ten years at most")
	}
	idp.Advance(d)
	return "The clock was moved by " + d.String() + ".", nil
}

func reset(idp *mockidp.IdP, _ url.Values) (string, error) {
	return "Everything is as at the start; the keys stayed.", idp.Reset()
}

// numbers reads fields that are numbers; an empty one is 0.
func numbers(form url.Values, names ...string) (map[string]int, error) {
	out := map[string]int{}
	for _, name := range names {
		text := strings.TrimSpace(form.Get(name))
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%s: expected a number, 0 or more", name)
		}
		out[name] = n
	}
	return out, nil
}
