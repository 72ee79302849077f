package wire

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// ask plays n answers of one endpoint, as many at a time as the pace allows, each taking what took says of so many at a
// time.
func ask(p *pace, n int, took func(inFlight int) time.Duration, a *Answer) {
	for range n / max(1, int(p.limit)) {
		batch := int(p.limit)
		for range batch {
			if p.enter(context.Background(), false) != nil {
				panic("never waits")
			}
		}
		began := p.now()
		p.now = func() time.Time { return began.Add(took(batch)) }
		for range batch {
			p.leave("/token", a, took(batch))
		}
	}
}

func fresh() *pace {
	var all paces
	p, _ := all.of("http://127.0.0.1/token")
	return p
}

func TestThePaceFollowsTheTarget(t *testing.T) {
	good := &Answer{Status: 200}
	t.Run("far away: many at a time", func(t *testing.T) {
		p := fresh()
		ask(p, 1000, func(int) time.Duration { return 100 * time.Millisecond }, good)
		NewWithT(t).Expect(int(p.limit)).To(Equal(mostPace))
	})
	t.Run("one processor that hashes slowly: few at a time", func(t *testing.T) {
		p := fresh()
		ask(p, 1000, func(n int) time.Duration { return time.Duration(n) * 300 * time.Millisecond }, good)
		NewWithT(t).Expect(int(p.limit)).To(BeNumerically("<=", 12))
	})
	t.Run("asks for patience: one at a time", func(t *testing.T) {
		p := fresh()
		for range 20 {
			p.inFlight++
			p.leave("/token", &Answer{Status: 429}, 0)
		}
		NewWithT(t).Expect(int(p.limit)).To(Equal(1))
	})
}

func TestWhoeverWaitsGetsATurn(t *testing.T) {
	g := NewWithT(t)
	p := fresh()
	p.limit = 1
	g.Expect(p.enter(t.Context(), false)).To(Succeed())
	got := make(chan error, 1)
	go func() { got <- p.enter(t.Context(), false) }()
	g.Consistently(got, "20ms").ShouldNot(Receive())
	p.leave("/token", &Answer{Status: 200}, time.Millisecond)
	g.Eventually(got).Should(Receive(BeNil()))

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	g.Expect(p.enter(gone, false)).NotTo(Succeed())
	g.Expect(p.inFlight).To(Equal(1), "who gives up holds no turn")
}
