package run

import (
	"fmt"
	"net/http"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// unskewed is a difference between two clocks that nobody has to care about: Date has whole seconds, answers take time.
const unskewed = 3 * time.Second

// readClock measures how far the target's clock is ahead of ours, by the Date of its token endpoint's answer (RFC 9110
// 6.6.1), and has honest tokens dated by it. It returns what to tell the user, "" when the clocks agree.
func (p *preflight) readClock() string {
	a := p.send(&wire.Request{URL: p.found.TokenEndpoint, Form: []reports.Field{},
		Header: http.Header{"Accept": {"application/json"}}})
	date, err := http.ParseTime(a.Header.Get("Date"))
	if err != nil {
		return ""
	}
	there := date.Add(500 * time.Millisecond) // Date is cut to the second
	skew := there.Sub(time.Now().Add(-a.Took / 2)).Round(time.Second)
	if skew.Abs() <= unskewed+a.Took {
		return ""
	}
	p.t.Skew = skew
	return "; " + clockWords(skew)
}

// clockWords names a difference between the clocks.
func clockWords(skew time.Duration) string {
	which := "ahead of"
	if skew < 0 {
		which = "behind"
	}
	return fmt.Sprintf("the target's clock is %s %s ours: honest tokens are dated by it. Set both by NTP, for with "+
		"other identity providers this refuses honest users or takes expired grants", skew.Abs(), which)
}

// searchClock finds the target's clock by what it takes, where it publishes another Date than it judges by: an honest
// ID-JAG is dated earlier and later until it is granted.
func (p *preflight) searchClock() *wire.Answer {
	was := p.t.Skew
	for _, skew := range []time.Duration{0, -30, 30, -60, 60, -120, 120, -300, 300, -600, 600} {
		if p.t.Skew = skew * time.Second; p.t.Skew == was {
			continue
		}
		if a := p.t.Present(p.t.Grant(), reports.Setup, "dated by another clock"); server.Granted(a) {
			return a
		}
	}
	p.t.Skew = was
	return nil
}
