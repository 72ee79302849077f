package run

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// parties is everybody that we play during a run: they live in the parent process.
type parties struct {
	idp, second  *mockidp.Server // second may be nil; a static one has no listener
	keys         *mockidp.KeySet
	secondKeys   *mockidp.KeySet
	disabled     *mockidp.Server // nil, as second
	disabledKeys *mockidp.KeySet
	ca           map[*mockidp.Server][]byte // PEM, of those that serve https
	attacker     *mockidp.KeySet
	canary       *mockidp.Canary // nil when the target cannot reach us
	documents    string          // where the canary serves clients' metadata documents: over https where there is a CA
	upstream     *upstream       // nil where the target asks none of ours
	control      *http.Server
	controlURL   string
	secret       string
	closers      []func()
}

// Keyring keeps keys that were made in memory, so that many runs in one process (the kill matrix) make them once. The
// zero value is ready for use.
type Keyring struct {
	mu   sync.Mutex
	sets map[string]func() (*mockidp.KeySet, error)
}

// set returns the keys of this name, made when they are first asked for.
func (k *Keyring) set(name, alg string) (*mockidp.KeySet, error) {
	k.mu.Lock()
	if k.sets == nil {
		k.sets = map[string]func() (*mockidp.KeySet, error){}
	}
	made := k.sets[name+alg]
	if made == nil {
		made = sync.OnceValues(func() (*mockidp.KeySet, error) { return mockidp.NewKeySet(algorithms(alg)...) })
		k.sets[name+alg] = made
	}
	k.mu.Unlock()
	return made()
}

// warm begins to make the attacker's keys, since RSA keys take long to make.
func (k *Keyring) warm(alg string) { go func() { _, _ = k.set(attacker, alg) }() }

// attacker is the name of the keys that nobody trusts.
const attacker = "attacker"

// startParties starts the identity providers, the canary and the control API, and fills in the issuers that were left
// to be derived.
func startParties(ctx context.Context, c *target.Config, ring *Keyring) (_ *parties, err error) {
	p := &parties{secret: rand.Text(), ca: map[*mockidp.Server][]byte{}}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	ring.warm(c.IdP.Alg)
	if p.idp, p.keys, err = p.startIdP(ctx, &c.IdP, server.FirstIdP, ring); err != nil {
		return nil, fmt.Errorf("idp: %w", err)
	}
	if c.SecondIdP != nil {
		if p.second, p.secondKeys, err = p.startIdP(ctx, c.SecondIdP, server.SecondIdP, ring); err != nil {
			return nil, fmt.Errorf("second_idp: %w", err)
		}
	}
	if c.DisabledIdP != nil {
		if p.disabled, p.disabledKeys, err = p.startIdP(ctx, c.DisabledIdP, "disabled", ring); err != nil {
			return nil, fmt.Errorf("disabled_idp: %w", err)
		}
	}
	if p.attacker, err = ring.set(attacker, c.IdP.Alg); err != nil {
		return nil, err
	}
	if !c.IdP.Static() {
		listen := "127.0.0.1:0"
		if host, _, err := net.SplitHostPort(c.IdP.Listen); err == nil {
			listen = net.JoinHostPort(host, "0")
		}
		if p.canary, err = mockidp.StartCanary(ctx, listen, p.attacker.Signing()); err != nil {
			return nil, fmt.Errorf("canary: %w", err)
		}
		p.closers = append(p.closers, p.canary.Close)
		if p.documents, err = p.secured(ctx, listen, c.IdP.CA); err != nil {
			return nil, fmt.Errorf("canary: %w", err)
		}
	}
	if c.Upstream != nil {
		if p.upstream, err = startUpstream(ctx, c.Upstream.Listen); err != nil {
			return nil, err
		}
		p.closers = append(p.closers, func() { _ = p.upstream.http.Close() })
	}
	return p, p.startControl()
}

// secured has the canary serve over https, too, with a certificate of this CA, and returns the base URL there; without
// a CA it is that of plain http.
func (p *parties) secured(ctx context.Context, listen, caFile string) (string, error) {
	if caFile == "" {
		return p.canary.URL(), nil
	}
	authority, err := mockidp.LoadOrCreateCA(caFile)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(p.canary.URL())
	if err != nil {
		return "", err
	}
	config, err := authority.TLSConfig(u.Hostname())
	if err != nil {
		return "", err
	}
	return p.canary.AlsoTLS(ctx, listen, config)
}

// describe serves the metadata documents of the clients that nobody registers.
func (p *parties) describe(c *target.Config) error {
	for n := range c.Clients {
		k := &c.Clients[n]
		if !k.CIMD || k.ID != "" {
			continue
		}
		if p.canary == nil {
			return fmt.Errorf("clients[%d]: the target cannot fetch its metadata document with idp.listen: none", n)
		}
		id := rand.Text()
		base := p.documents + "/" + id
		document, err := k.Describe(base+"/client.json", base+"/callback", server.GrantJWTBearer)
		if err != nil {
			return fmt.Errorf("clients[%d]: %w", n, err)
		}
		body, err := json.Marshal(document)
		if err != nil {
			return err
		}
		p.canary.Keep(id, "client.json", mockidp.Reply{Body: string(body)})
	}
	return nil
}

func (p *parties) startIdP(ctx context.Context, i *target.IdP, name string,
	ring *Keyring) (*mockidp.Server, *mockidp.KeySet, error) {
	keys, err := keysOf(i, name, ring)
	if err != nil || i.Static() {
		return nil, keys, err
	}
	var ca *mockidp.CA
	if i.CA != "" {
		if ca, err = mockidp.LoadOrCreateCA(i.CA); err != nil {
			return nil, nil, err
		}
	}
	server, err := mockidp.Serve(ctx, mockidp.ServerOptions{Listen: i.Listen, URL: i.Issuer, Keys: keys, CA: ca,
		AllowedHosts: []string{"*"}}) // nobody can sign in to it, and proxies in front may name it as they like
	if err != nil {
		return nil, nil, err
	}
	p.closers = append(p.closers, func() { _ = server.Close() })
	if ca != nil {
		p.ca[server] = ca.PEM()
	}
	i.Issuer = server.Issuer().URL
	return server, keys, nil
}

// algorithms are those that an identity provider has a key for: the one that it signs with and ES256, whose signatures
// can be wrong in ways of their own, or RS256 beside that one.
func algorithms(signing string) []jose.SignatureAlgorithm {
	if alg := jose.SignatureAlgorithm(signing); alg != jose.ES256 {
		return []jose.SignatureAlgorithm{alg, jose.ES256}
	}
	return []jose.SignatureAlgorithm{jose.ES256, jose.RS256}
}

func keysOf(i *target.IdP, name string, ring *Keyring) (*mockidp.KeySet, error) {
	switch {
	case i.Keys == "":
		return ring.set(name, i.Alg)
	case i.Static():
		return mockidp.LoadKeySet(i.Keys)
	default:
		return mockidp.LoadOrCreateKeySet(i.Keys, algorithms(i.Alg)...)
	}
}

func (p *parties) startControl() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	idps := map[string]*mockidp.Server{}
	if p.idp != nil {
		idps[server.FirstIdP] = p.idp
	}
	if p.second != nil {
		idps[server.SecondIdP] = p.second
	}
	p.control = &http.Server{Handler: p.beside(mockidp.NewControlHandler(p.secret, idps, p.canary)),
		ReadHeaderTimeout: 10 * time.Second}
	p.controlURL = "http://" + listener.Addr().String()
	go func() {
		if err := p.control.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // a listener of ours broke: nothing can be trusted
		}
	}()
	p.closers = append(p.closers, func() { _ = p.control.Close() })
	return nil
}

// Close stops every server.
func (p *parties) Close() {
	for i := len(p.closers) - 1; i >= 0; i-- {
		p.closers[i]()
	}
	p.closers = nil
}
