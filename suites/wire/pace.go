package wire

import (
	"context"
	"net/url"
	"sync"
	"time"
)

// The pace at which a host is asked follows the host. It starts low, grows while answers come about as fast as at the best of
// times, and shrinks when they take longer, fail, or say 429: as TCP Vegas does with packets. A server that hashes secrets
// slowly is asked few things at a time, one that is far away many.

const (
	firstPace = 4  // requests at a time, before anything is known of the host
	mostPace  = 64 // requests at a time, unless the caller says otherwise

	// Answers are looked at some at a time, since single ones are late for many reasons. Some that take longer, on average,
	// than slower × the fastest some of their kind, and slack more, say that the host is busy.
	some   = 8
	slower = 2
	slack  = 6 * time.Millisecond
	// The fastest average is forgotten slowly: a host that became slower is not taken for a busy one for ever.
	forget = 0.05
)

// paces has the pace of each host.
type paces struct {
	mu    sync.Mutex
	most  int
	hosts map[string]*pace
}

func (p *paces) of(rawURL string) (*pace, string) {
	host, path := rawURL, ""
	if u, err := url.Parse(rawURL); err == nil {
		host, path = u.Host, u.Path
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hosts == nil {
		p.hosts = map[string]*pace{}
	}
	if p.hosts[host] == nil {
		most := p.most
		if most <= 0 {
			most = mostPace
		}
		p.hosts[host] = &pace{limit: float64(min(firstPace, most)), most: float64(most), kinds: map[string]*kind{}, growing: true}
	}
	return p.hosts[host], path
}

// pace is how many requests one host gets at a time.
type pace struct {
	mu       sync.Mutex
	limit    float64
	most     float64
	inFlight int
	queue    []chan struct{}
	growing  bool             // nothing has slowed the host down yet: the limit may double
	kinds    map[string]*kind // by path
	shrunk   time.Time        // when the limit last fell: once in a round trip is enough
}

// kind is how long the answers of one endpoint take.
type kind struct {
	sum   time.Duration // of those that are being looked at
	count int
	best  time.Duration // the fastest average
}

// enter waits for a turn; the check's clock stands still meanwhile. leave must follow unless there is an error. One that
// rushes does not wait, since what it sends means something only at that instant, but is counted.
func (p *pace) enter(ctx context.Context, rush bool) error {
	p.mu.Lock()
	if rush || p.inFlight < int(p.limit) && len(p.queue) == 0 {
		p.inFlight++
		p.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	p.queue = append(p.queue, turn)
	p.mu.Unlock()
	resume := Pause(ctx)
	defer resume()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		p.giveUp(turn)
		return context.Cause(ctx)
	}
}

// giveUp takes a waiting request out of the queue, or hands on the turn that it got at the last moment.
func (p *pace) giveUp(turn chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, waiting := range p.queue {
		if waiting == turn {
			p.queue = append(p.queue[:i:i], p.queue[i+1:]...)
			return
		}
	}
	p.inFlight--
	p.admit()
}

// leave ends a turn with what came of it.
func (p *pace) leave(path string, a *Answer, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case a.Doubt() != "":
		p.shrink(0.5, took)
	case p.busy(path, took):
		p.shrink(0.9, took)
	case p.inFlight >= int(p.limit): // only a limit that is reached has proved itself
		if p.growing {
			p.limit = min(p.limit+1, p.most)
		} else {
			p.limit = min(p.limit+1/p.limit, p.most)
		}
	}
	p.inFlight--
	p.admit()
}

// busy reports whether the last answers of an endpoint took longer than the host needs, and remembers the fastest ones.
func (p *pace) busy(path string, took time.Duration) bool {
	k := p.kinds[path]
	if k == nil {
		if k = (&kind{}); len(p.kinds) < 1000 { // paths can be of the target's making
			p.kinds[path] = k
		}
	}
	k.sum, k.count = k.sum+took, k.count+1
	if k.count < some {
		return false
	}
	average := k.sum / time.Duration(k.count)
	k.sum, k.count = 0, 0
	if k.best == 0 || average < k.best {
		k.best = average
		return false
	}
	busy := average > slower*k.best+slack
	k.best += time.Duration(forget * float64(average-k.best))
	return busy
}

func (p *pace) shrink(by float64, took time.Duration) {
	p.growing = false
	if time.Since(p.shrunk) < took {
		return
	}
	p.shrunk = time.Now()
	p.limit = max(1, p.limit*by)
}

// admit gives turns to those who wait, as far as the limit allows.
func (p *pace) admit() {
	for len(p.queue) > 0 && p.inFlight < int(p.limit) {
		close(p.queue[0])
		p.queue = p.queue[1:]
		p.inFlight++
	}
}
