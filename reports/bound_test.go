package reports

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

const promised = 10_000_000 // bytes of a report

// padded is a report of a target that writes as much as an exchange can hold, in characters that take most room,
// everywhere.
func padded(outcome Outcome) *Report {
	r := sample()
	r.Checks, r.NotRun = nil, nil
	hostile := strings.Repeat("\"<\x01\u202e", 4<<10/6)
	for i := range 1800 {
		c := Check{ID: fmt.Sprintf("RAS-AUD-EXACT/%d", i), Requirement: "RAS-AUD-EXACT", Role: "ras", Level: "MUST",
			Title: "refuses it",
			Sends: "it", Expects: "an error", Outcome: outcome, Message: strings.Repeat(hostile, 10)}
		if outcome == Fail && i%2 == 0 {
			c.Outcome = Pass
		}
		for n, part := range []Part{Control, Attack, Attack} {
			e := Exchange{Part: part, Seconds: float64(i*3 + n), Request: Request{Method: "POST", URL: r.Target.URL,
				Form: []Field{{"assertion", "‹id-jag 1›"}}},
				Response: &Response{Status: 400, Header: http.Header{"X-Padding": {hostile, hostile}}, Body: hostile},
				Tokens:   []Token{{Ref: "id-jag 1", Header: "{}", Claims: hostile}}}
			c.Exchanges = append(c.Exchanges, e)
		}
		c.Warnings = strings.Split(strings.Repeat("w\n", 500), "\n")
		r.Checks = append(r.Checks, c)
	}
	return r
}

func TestReportsStayBelow10MB(t *testing.T) {
	for _, outcome := range []Outcome{Pass, Fail} {
		t.Run(string(outcome), func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			r := padded(outcome)
			Bound(r)
			Finish(r)
			for _, f := range formats {
				var b bytes.Buffer
				g.Expect(f.write(&b, r)).To(Succeed())
				g.Expect(b.Len()).To(BeNumerically("<", promised), f.name)
				if f.name == "html" {
					g.Expect(b.String()).To(ContainSubstring(r.Dropped))
				}
				if f.name == "json" {
					g.Expect(b.Len()).To(BeNumerically(">", promised/3), "there was room for more")
					_, err := Read(&b)
					g.Expect(err).NotTo(HaveOccurred())
				}
			}
			g.Expect(r.Dropped).To(ContainSubstring("below 10 MB"))
		})
	}
}

func TestFailuresKeepTheirEvidenceLongest(t *testing.T) {
	g := NewWithT(t)
	r := padded(Fail)
	Bound(r)
	whole := map[Outcome]int{}
	for _, c := range r.Checks {
		g.Expect(c.Exchanges).To(HaveLen(3), "what was asked stays")
		for _, e := range c.Exchanges {
			whole[c.Outcome] += one(!e.Brief)
		}
	}
	g.Expect(whole[Pass]).To(BeZero())
	g.Expect(whole[Fail]).To(BeNumerically(">", 10))

	small := sample()
	Bound(small)
	g.Expect(small).To(Equal(sample()), "nothing is dropped without need")
}

func TestSharedExchangesAreWrittenOnce(t *testing.T) {
	g := NewWithT(t)
	r := sample()
	shared := redeem(Control, 7, strings.Repeat(`"a": "b",`, 100)+`"sub": "a"`)
	shared.Response.Body = "once-and-no-more"
	for i := range r.Checks {
		r.Checks[i].Exchanges = append(r.Checks[i].Exchanges, shared)
	}
	written := jsonOf(t, r)
	g.Expect(bytes.Count(written, []byte("once-and-no-more"))).To(Equal(1))
	read, err := Read(bytes.NewReader(written))
	g.Expect(err).NotTo(HaveOccurred())
	for _, c := range read.Checks {
		g.Expect(c.Exchanges[len(c.Exchanges)-1]).To(Equal(shared), c.ID)
	}
	for from, to := range map[string]string{`"exchange": 2`: `"exchange": 99`, `"same": {`: `"Same": {`} {
		_, err := Read(bytes.NewReader(bytes.Replace(written, []byte(from), []byte(to), 1)))
		if bytes.Contains(written, []byte(from)) {
			g.Expect(err).To(HaveOccurred(), from)
		}
	}
}
