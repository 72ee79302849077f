package reports

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
)

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
			return fmt.Errorf("it says %q of role %.20q, but the checks of role %s amount to %q", s.Verdict, s.Role, v.Role, v.Verdict)
		} else if !maps.Equal(v.Counts, s.Counts) {
			return fmt.Errorf("its counts of role %s are not those of its checks", v.Role)
		}
	}
	for _, q := range r.Requirements {
		if q.Outcome != outcomes[q.ID] {
			return fmt.Errorf("requirement %.120q is said to be %q, but its checks amount to %q", q.ID, outcomes[q.ID], q.Outcome)
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

// sameTarget compares the target that a report names with the hosts that its exchanges went to: a run of the built-in target
// with another's name on it is found out.
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
