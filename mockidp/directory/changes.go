package directory

import (
	"encoding/json"
	"slices"
)

// Changes says what is different in next, a line for each object: "connection agent~notes: changed". Of a user's status
// it says nothing.
func Changes(before, next *Directory) []string {
	return slices.Concat(
		changes("user", before.Users, next.Users, func(u User) string { return u.Login }, func(u *User) { u.Status = "" }),
		changes("client", before.Clients, next.Clients, func(k Client) string { return k.ID }, nil),
		changes("connector", before.Connectors, next.Connectors, func(r Connector) string { return r.ID }, nil),
		changes("connection", before.Connections, next.Connections,
			func(k Connection) string { return k.Client + "~" + k.Connector }, nil),
		changes("policy", before.Policies, next.Policies, func(p Policy) string { return p.Name }, nil),
		reordered(before.Policies, next.Policies),
		changes("settings", []Settings{before.Settings}, []Settings{next.Settings}, func(Settings) string { return "" }, nil),
	)
}

// reordered: the order of policies decides.
func reordered(before, next []Policy) []string {
	var was, is []string
	for _, p := range before {
		if slices.ContainsFunc(next, func(n Policy) bool { return n.Name == p.Name }) {
			was = append(was, p.Name)
		}
	}
	for _, p := range next {
		if slices.Contains(was, p.Name) {
			is = append(is, p.Name)
		}
	}
	if slices.Equal(was, is) {
		return nil
	}
	return []string{"policies: in another order"}
}

// changes compares two lists by the key of their elements; but leaves out what does not count.
func changes[T any](kind string, before, next []T, key func(T) string, but func(*T)) []string {
	form := func(x T) string {
		if but != nil {
			but(&x)
		}
		raw, err := json.Marshal(x)
		if err != nil {
			panic(err) // every member has a JSON form
		}
		return string(raw)
	}
	was := map[string]string{}
	for _, x := range before {
		was[key(x)] = form(x)
	}
	var lines []string
	say := func(key, what string) {
		if key != "" {
			key = " " + key
		}
		lines = append(lines, kind+key+": "+what)
	}
	for _, x := range next {
		old, known := was[key(x)]
		switch {
		case !known:
			say(key(x), "added")
		case old != form(x):
			say(key(x), "changed")
		}
		delete(was, key(x))
	}
	for _, x := range before {
		if _, gone := was[key(x)]; gone {
			say(key(x), "removed")
		}
	}
	return lines
}
