package wire_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/emaconform/emaconform/suites/wire"
)

// names is a resolver for a test: the addresses of each name, one for each time that it is asked, the last one for
// ever.
type names struct {
	mu    sync.Mutex
	known map[string][]string
}

func (n *names) address(name string) net.IP {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := n.known[strings.TrimSuffix(name, ".")]
	if len(list) == 0 {
		return nil
	}
	if len(list) > 1 {
		n.known[strings.TrimSuffix(name, ".")] = list[1:]
	}
	return net.ParseIP(list[0])
}

// moves gives a name another address.
func (n *names) moves(name, address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known[name] = []string{address}
}

// serve makes every name of this process be looked up here, until the test ends: no question leaves the machine.
func (n *names) serve(t *testing.T) {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", socket.LocalAddr().String())
	}}
	t.Cleanup(func() { net.DefaultResolver = before; _ = socket.Close() })
	go func() {
		packet := make([]byte, 1500)
		for {
			size, from, err := socket.ReadFrom(packet)
			if err != nil {
				return // closed
			}
			if answer := n.answer(packet[:size]); answer != nil {
				_, _ = socket.WriteTo(answer, from)
			}
		}
	}()
}

func (n *names) answer(packet []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(packet) != nil || len(m.Questions) != 1 {
		return nil
	}
	asked := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	if asked.Type == dnsmessage.TypeA {
		if ip := n.address(asked.Name.String()); ip != nil {
			m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: asked.Name, Class: asked.Class},
				Body: &dnsmessage.AResource{A: [4]byte(ip.To4())}}}
		}
	}
	packed, err := m.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// A name may lead to any address, and to another one each time: what counts is where a connection is about to go.
func TestNamesThatLeadIntoANetwork(t *testing.T) { // not parallel: it changes the resolver of the process
	g := NewWithT(t)
	var requests atomic.Int32
	port := strings.TrimPrefix(serve(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) }), "http://127.0.0.1")
	resolver := &names{known: map[string][]string{
		"mcp.example":     {"192.0.2.7"},
		"cloud.example":   {"169.254.169.254"},
		"private.example": {"10.0.0.1"},
		"home.example":    {"127.0.0.1"},
		// Public when the configuration is looked at, the machine's own when the connection is made.
		"rebound.example": {"192.0.2.8", "127.0.0.1"},
	}}
	resolver.serve(t)
	hosts := &wire.Hosts{Target: "http://mcp.example" + port + "/mcp", Named: []string{"http://rebound.example" + port}}
	hosts.Resolve(t.Context())
	g.Expect(hosts.Kinds).To(BeEmpty(), "all that is named is public")
	c := client(t, wire.Bounds{})
	c.Only(hosts)
	for name, kind := range map[string]string{"cloud": "link-local", "private": "private", "home": "loopback",
		"rebound": "loopback"} {
		a := get(t, c, "http://"+name+".example"+port+"/")
		g.Expect(a.Err).To(MatchError(wire.ErrHost), name)
		g.Expect(a.Err).To(MatchError(ContainSubstring("the "+kind+" address")), name)
	}
	g.Expect(requests.Load()).To(BeZero())

	// The twin: where the target itself is on this machine, its names lead there.
	resolver.moves("mcp.example", "127.0.0.1")
	hosts.Resolve(t.Context())
	g.Expect(get(t, c, "http://home.example"+port+"/").Err).NotTo(HaveOccurred())
	g.Expect(requests.Load()).To(BeEquivalentTo(1))
}
