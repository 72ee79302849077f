package demo

import (
	"crypto/rand"
	"crypto/tls"
	"os"
	"path/filepath"
	"slices"

	"github.com/emaconform/emaconform/fixtures"
	"github.com/emaconform/emaconform/fixtures/rs"
	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/target"
)

// differ gives a target with these choices the clients, and the TLS, that belong to them, before it starts.
func (e *Target) differ(o *fixtures.Options, c *target.Config) error {
	chosen := func(id string) bool { return slices.Contains(e.Variants, id) }
	switch {
	case chosen("described-clients"), chosen("described-public"):
		o.Clients, o.CIMD.AllowHTTP = nil, false
		auth := target.PrivateKeyJWT
		if chosen("described-public") {
			auth = target.NoAuthentication
		}
		c.Clients = []target.Client{{CIMD: true, Auth: auth}, {CIMD: true, Auth: auth}}
	case chosen("public-clients"):
		o.Clients = slices.Clone(o.Clients[:2])
		for i := range o.Clients {
			o.Clients[i].AuthMethod, o.Clients[i].Secret = fixtures.PublicClient, ""
		}
	case chosen("secret-jwt"):
		o.Clients = slices.Clone(o.Clients)
		for i := range o.Clients {
			if o.Clients[i].Secret != "" {
				o.Clients[i].AuthMethod, o.Clients[i].Secret = fixtures.ClientSecretJWT, rand.Text()+rand.Text()
			}
		}
	case chosen("mutual-tls"):
		return e.mutual(o, c)
	case chosen("self-signed-tls"):
		return e.selfSigned(o, c)
	}
	return nil
}

// selfSigned is mutual with certificates that nobody has issued: each is registered for its client.
func (e *Target) selfSigned(o *fixtures.Options, c *target.Config) error {
	if err := e.mutual(o, c); err != nil {
		return err
	}
	e.clientCA, e.certificates, o.ClientCAs = "", map[string]string{}, nil
	for i := range o.Clients {
		k := &o.Clients[i]
		if k.AuthMethod != fixtures.TLSClientAuth {
			continue
		}
		file := filepath.Join(e.dir, k.ID+".pem")
		pem, err := mockidp.LoadOrCreateClientCertificate(file, k.ID)
		if err != nil {
			return err
		}
		pair, err := tls.X509KeyPair(pem, pem)
		if err != nil {
			return err
		}
		k.AuthMethod, k.Certificate, e.certificates[k.ID] = fixtures.SelfSignedTLS, pair.Certificate[0], file
	}
	return nil
}

// mutual has the target speak https and take clients' certificates.
func (e *Target) mutual(o *fixtures.Options, c *target.Config) error {
	o.Clients = slices.Clone(o.Clients)
	for i := range o.Clients {
		if o.Clients[i].Secret != "" {
			o.Clients[i].AuthMethod, o.Clients[i].Secret = fixtures.TLSClientAuth, ""
		}
	}
	servers, err := mockidp.NewCA()
	if err != nil {
		return err
	}
	if o.TLS, err = servers.TLSConfig(); err != nil {
		return err
	}
	o.TLS.ClientAuth = tls.RequestClientCert
	e.clientCA, c.CAFile = filepath.Join(e.dir, "client-ca.pem"), filepath.Join(e.dir, "target-ca.pem")
	clients, err := mockidp.LoadOrCreateCA(e.clientCA)
	if err != nil {
		return err
	}
	o.ClientCAs = clients.PEM()
	return os.WriteFile(c.CAFile, servers.PEM(), 0o600)
}

// told is what the owner of a target with these choices would write into the configuration.
func told(c *target.Config, ids []string) {
	if slices.Contains(ids, "read-implies-write") {
		c.ImpliedScopes = map[string][]string{fixtures.ScopeRead: {fixtures.ScopeWrite}}
	}
	if slices.Contains(ids, "origin-list") {
		c.AllowedOrigin = rs.AllowedOrigin
	}
	c.DPoP = slices.Contains(ids, "dpop-required")
}
