package wire

import (
	"context"
	"net/url"
	"sync"
	"time"
)

// The pace at which a host is asked follows the host. It starts low, grows while answers come about as fast as at the
// best of times, and shrinks when they take longer, fail, or say 429: as TCP Vegas does with packets. A server that
// hashes secrets slowly is asked few things at a time, one that is far away many.

const (
	firstPace = 2  // requests at a time, before anything is known of the host
	mostPace  = 64 // requests at a time, unless the caller says otherwise

	// Answers are looked at some at a time, since single ones are late for many reasons. Some that take longer, on
	// average, than slower × the fastest some of their kind, and slack more, say that the host is busy.
	some   = 8
	slower = 2
	slack  = 6 * time.Millisecond
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
		p.hosts[host] = &pace{limit: float64(min(firstPace, most)), most: float64(most), kinds: map[string]*kind{},
			growing: true, now: time.Now}
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
	reached  bool             // the limit was, since it last changed
	growing  bool             // nothing has slowed the host down yet: the limit may double
	kinds    map[string]*kind // by path
	now      func() time.Time
	shrunk   time.Time // when the limit last fell: once in a round trip is enough
}

// kind is how long the answers of one endpoint take.
type kind struct {
	sum   time.Duration // of those that are being looked at
	count int
	best  time.Duration // the fastest average
}

// enter waits for a turn; the check's clock stands still meanwhile. leave must follow unless there is an error. One
// that rushes does not wait, since what it sends means something only at that instant, but is counted.
func (p *pace) enter(ctx context.Context, rush bool) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
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

// crowd is how long the host needs for what it has got, this request included, when it takes one after the other.
func (p *pace) crowd(path string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.kinds[path]
	if k == nil {
		return 0
	}
	return time.Duration(p.inFlight) * k.best
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
	default:
		p.reached = p.reached || p.inFlight >= int(p.limit)
		switch judged, busy := p.busy(path, took); {
		case !judged:
		case busy:
			p.shrink(0.8, took)
		case p.reached: // only a limit that is reached has proved itself
			p.grow()
		}
	}
	p.inFlight--
	p.admit()
}

func (p *pace) grow() {
	p.reached = false
	if p.growing {
		p.limit *= 2
	} else {
		p.limit++
	}
	p.limit = min(p.limit, p.most)
}

// busy reports whether the last answers of an endpoint took longer than the host needs, once there are enough to judge
// by, and remembers the fastest ones.
func (p *pace) busy(path string, took time.Duration) (judged, busy bool) {
	k := p.kinds[path]
	if k == nil {
		if k = (&kind{}); len(p.kinds) < 1000 { // paths can be of the target's making
			p.kinds[path] = k
		}
	}
	k.sum, k.count = k.sum+took, k.count+1
	if k.count < some {
		return false, false
	}
	average := k.sum / time.Duration(k.count)
	k.sum, k.count = 0, 0
	if k.best == 0 || average < k.best {
		k.best = average
		return true, false
	}
	if p.limit <= firstPace { // no crowd is to blame: the host has become slower
		k.best = average
		return true, false
	}
	return true, average > slower*k.best+slack
}

func (p *pace) shrink(by float64, took time.Duration) {
	p.growing = false
	now := p.now()
	if now.Sub(p.shrunk) < took {
		return
	}
	p.shrunk = now
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
