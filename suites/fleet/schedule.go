package fleet

import (
	"hash/fnv"
	"net"
	"net/url"
	"slices"

	"github.com/emaconform/emaconform/suites/target"
)

// Shard lists the connectors of shard index of total, counted from 0. Those of one authorization server or host are in
// one shard, so that no two runs disturb each other; a new connector moves no other.
func (f *Fleet) Shard(index, total int) []Connector {
	var list []Connector
	for _, k := range f.Connectors {
		h := fnv.New32a()
		_, _ = h.Write([]byte(k.place())) // never fails
		if int(h.Sum32()%uint32(total)) == index {
			list = append(list, k)
		}
	}
	return list
}

// Groups sorts connectors into groups, of which several can be judged at a time. Those of one group share something
// that one run needs for itself (the target's place, or what we listen on or write to), and are judged one after the
// other.
func Groups(list []Connector) [][]Connector {
	var groups [][]Connector
	for _, k := range list {
		own := k.needs()
		joined := []Connector{k}
		groups = slices.DeleteFunc(groups, func(g []Connector) bool {
			shared := slices.ContainsFunc(g, func(o Connector) bool {
				return slices.ContainsFunc(o.needs(), func(n string) bool { return slices.Contains(own, n) })
			})
			if shared {
				joined = slices.Concat(g, joined)
			}
			return shared
		})
		groups = append(groups, joined)
	}
	return groups
}

// needs are what a run of the connector needs for itself.
func (k Connector) needs() []string {
	list := []string{"at " + k.place()}
	for _, idp := range []*target.IdP{&k.Config.IdP, k.Config.SecondIdP, k.Config.DisabledIdP} {
		if idp == nil {
			continue
		}
		if _, port, err := net.SplitHostPort(idp.Listen); err == nil && port != "0" {
			list = append(list, "port "+port)
		}
		for _, file := range []string{idp.Keys, idp.CA} {
			if file != "" {
				list = append(list, "file "+file)
			}
		}
	}
	return list
}

// place is what connectors share that must not be judged at the same time.
func (k Connector) place() string {
	at := k.Config.AuthorizationServer.Issuer
	if at == "" {
		at = k.Config.URL
	}
	if u, err := url.Parse(at); err == nil && u.Host != "" {
		return u.Host
	}
	return k.Name
}
