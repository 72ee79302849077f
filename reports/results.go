package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// ReadResults reads a report as Read does, but leaves its exchanges out: what statements and fleets need, at a fraction
// of the time and memory. A report that was changed is an error, as with Read.
func ReadResults(in io.Reader) (*Report, error) {
	room := rooms.Get().(*room)
	defer rooms.Put(room)
	data, err := room.read(in, maxReport)
	if err != nil {
		return nil, err
	}
	version, err := versionOf(data)
	if err != nil {
		return nil, err
	}
	hosts := room.split(data)
	if version == firstVersion || sealedCompact(room.compact) != nil {
		// small, or in need of somebody who says what was changed
		return parse(data)
	}
	r := &Report{}
	if err := errors.Join(json.Unmarshal(room.slim, r), unique(r), outcomes(r)); err != nil {
		return nil, fmt.Errorf("the report does not follow its schema: %w", err)
	}
	if err := fits(r, version, hosts); err != nil {
		return nil, fmt.Errorf("the report was changed: %w", err)
	}
	return r, nil
}

// room is where a report is while it is read: 9 MB, without white space, and without exchanges. A fleet has hundreds of
// them, one after the other. What is decoded holds no part of it.
type room struct {
	stored        bytes.Buffer
	compact, slim []byte
}

var rooms = sync.Pool{New: func() any { return &room{} }}

// outcomes checks what results amount to: that each has an outcome that there is.
func outcomes(r *Report) error {
	for _, c := range r.Checks {
		if !slices.Contains(Outcomes, c.Outcome) {
			return fmt.Errorf("check %.120q has the outcome %.20q", visible(c.ID), visible(string(c.Outcome)))
		}
	}
	return nil
}

var (
	exchangesKey = []byte(`,"exchanges":`)
	urlKey       = []byte(`"url":`)
)

// split goes once through a report's JSON: it fills in what it is without insignificant white space, and of that what
// is not an exchange, and says which hosts the exchanges went to. What is no JSON stays none. A quotation mark within a
// string is escaped, so that neither key is found in one.
func (r *room) split(data []byte) (hosts map[string]bool) {
	compact, slim := slices.Grow(r.compact[:0], len(data)), r.slim[:0]
	depth, within, kept := 0, 0, 0 // within: depth of the exchanges that this is in; kept: how much of compact is in slim
	hosts, seen := map[string]bool{}, map[string]bool{}
	for i := 0; i < len(data); {
		c := data[i]
		switch c {
		case '"':
			end := stringEnd(data, i)
			if within > 0 && bytes.HasSuffix(compact, urlKey) && !seen[string(data[i:end])] { // a handful, thousands of times
				seen[string(data[i:end])] = true
				var u string
				if json.Unmarshal(data[i:end], &u) == nil {
					hosts[hostOf(u)] = true
				}
			}
			compact = append(compact, data[i:end]...)
			i = end
			continue
		case ' ', '\n', '\t', '\r':
			i++
			continue
		case '[', '{':
			depth++
			if within == 0 && c == '[' && bytes.HasSuffix(compact, exchangesKey) {
				within, slim = depth, append(slim, compact[kept:len(compact)-len(exchangesKey)]...)
			}
		}
		compact = append(compact, c)
		if c == ']' || c == '}' {
			if within == depth {
				within, kept = 0, len(compact)
			}
			depth--
		}
		i++
	}
	slim = append(slim, compact[kept:]...)
	r.compact, r.slim = compact, slim
	return hosts
}

// stringEnd is the offset behind the JSON string that begins at this one.
func stringEnd(data []byte, at int) int {
	for at++; ; {
		n := bytes.IndexByte(data[at:], '"')
		if n < 0 {
			return len(data)
		}
		at += n + 1
		before := at - 2
		for data[before] == '\\' {
			before--
		}
		if (at-2-before)%2 == 0 { // as many backslashes as escape each other
			return at
		}
	}
}

// fits computes again what follows from the results of a stored report, and names the first thing that is not as the
// report says. hosts are those that its exchanges went to. Where all fits, the report is as Finish would leave it.
func fits(r *Report, version string, hosts map[string]bool) error {
	stored := *r
	stored.Roles = append([]RoleVerdict(nil), r.Roles...)
	outcomes := map[string]Outcome{}
	for _, q := range r.Requirements {
		outcomes[q.ID] = q.Outcome
	}
	causes := map[string]string{}
	for _, c := range r.Checks {
		causes[c.ID] = c.Cause
	}
	Finish(r)
	if r.Verdict != stored.Verdict {
		return fmt.Errorf("it says %q, but its checks amount to %q", stored.Verdict, r.Verdict)
	}
	if len(r.Roles) != len(stored.Roles) {
		return fmt.Errorf("it has verdicts of %d roles, but checks of %d", len(stored.Roles), len(r.Roles))
	}
	for i, v := range r.Roles {
		if s := stored.Roles[i]; v.Role != s.Role || v.Verdict != s.Verdict {
			return fmt.Errorf("it says %q of role %.20q, but the checks of role %s amount to %q", s.Verdict, s.Role, v.Role,
				v.Verdict)
		} else if !maps.Equal(v.Counts, s.Counts) {
			return fmt.Errorf("its counts of role %s are not those of its checks", v.Role)
		}
	}
	for _, q := range r.Requirements {
		if q.Outcome != outcomes[q.ID] {
			return fmt.Errorf("requirement %.120q is said to be %q, but its checks amount to %q", q.ID, outcomes[q.ID],
				q.Outcome)
		}
	}
	if version == firstVersion {
		return nil
	}
	for _, c := range r.Checks {
		if c.Cause != causes[c.ID] {
			return fmt.Errorf("check %.120q is said to follow from %q, but does from %q", c.ID, causes[c.ID], c.Cause)
		}
	}
	if !reflect.DeepEqual(r.Coverage, stored.Coverage) {
		return fmt.Errorf("it says %q, but its checks amount to %q", visible(stored.Coverage.String()), r.Coverage)
	}
	return sameTarget(r, hosts)
}

// hostsOf are the hosts that a report's exchanges went to.
func hostsOf(r *Report) map[string]bool {
	hosts := map[string]bool{}
	for _, s := range r.Preflight {
		for _, e := range s.Exchanges {
			hosts[hostOf(e.Request.URL)] = true
		}
	}
	for _, c := range r.Checks {
		for _, e := range c.Exchanges {
			hosts[hostOf(e.Request.URL)] = true
		}
	}
	return hosts
}

// sameTarget compares the target that a report names with the hosts that its exchanges went to: a run of the built-in
// target with another's name on it is found out.
func sameTarget(r *Report, hosts map[string]bool) error {
	if r.Target.URL == "" || len(r.Preflight) == 0 {
		return nil
	}
	host := hostOf(r.Target.URL)
	if len(hosts) > 0 && !hosts[host] {
		return fmt.Errorf("it says that it judged %s, but no exchange in it went there", visible(r.Target.URL))
	}
	name, _, _ := strings.Cut(host, ":")
	if ip, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil && ip.IsLoopback() &&
		r.Target.Address != "" && r.Target.Address != AddressLoopback {
		return errors.New("it calls an address of the loopback interface " + r.Target.Address)
	}
	return nil
}

func hostOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}
