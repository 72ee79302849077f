package wire

import (
	"context"
	"net/url"
	"sync"
	"time"
)

// The pace at which a host is asked follows the host. It starts low, grows while answers come about as fast as the fastest
// ones seen, and shrinks when they take longer, fail, or say 429: as TCP Vegas does with packets. A server that hashes
// secrets slowly is asked one thing at a time, one that is far away many.

const (
	firstPace = 4  // requests at a time, before anything is known of the host
	mostPace  = 64 // requests at a time, unless the caller says otherwise

	// An answer that takes longer than slower × the fastest one of its kind, and jitter more, says that the host is busy.
	slower = 2
	jitter = 6 * time.Millisecond
	// The fastest answer is forgotten slowly: a host that became slower is not taken for a busy one for ever.
	forget = 0.01
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
		p.hosts[host] = &pace{limit: float64(min(firstPace, most)), most: float64(most), best: map[string]time.Duration{}, growing: true}
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
	growing  bool                     // nothing has slowed the host down yet: the limit may double
	best     map[string]time.Duration // the fastest answer, by path
	shrunk   time.Time                // when the limit last fell: once in a round trip is enough
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

// busy reports whether an answer took longer than the host needs, and remembers the fastest.
func (p *pace) busy(path string, took time.Duration) bool {
	best, known := p.best[path]
	if !known || took < best {
		if len(p.best) < 1000 { // paths can be of the target's making
			p.best[path] = took
		}
		return false
	}
	p.best[path] = best + time.Duration(forget*float64(took-best))
	return took > slower*best+jitter
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
