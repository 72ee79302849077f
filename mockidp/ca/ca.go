// Package ca is the certificate authority of test servers: it issues their certificates, bad ones on demand, and those
// of TLS clients. Users of the library know it as mockidp.CA.
package ca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"slices"
	"time"

	"github.com/emaconform/emaconform/mockidp/internal/private"
)

const (
	caLifetime   = 10 * 365 * 24 * time.Hour
	certLifetime = 90 * 24 * time.Hour
)

// CA is a certificate authority for test servers. Whoever trusts it trusts every server that holds its key file: it is
// for a test's own trust store, not for the system's.
type CA struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// BadCertificate is a way in which a server certificate deserves no trust from a client that trusts the CA.
type BadCertificate string

// Bad certificates for tests of TLS clients.
const (
	Expired    BadCertificate = "expired"     // by the CA, for the right hosts, no longer valid
	WrongName  BadCertificate = "wrong-name"  // by the CA, valid, for another host
	SelfSigned BadCertificate = "self-signed" // for the right hosts and valid, by nobody that the client knows
)

// NewCA makes a CA that lives as long as the value.
func NewCA() (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := certificate("emaconform test CA", caLifetime)
	template.NotBefore = template.NotBefore.Add(-7 * 24 * time.Hour) // so that an expired certificate was good once
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	cert, err := sign(template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &CA{cert, key}, nil
}

// LoadOrCreateCA reads a PEM file with a CA's certificate and private key, or makes a CA and writes that file, for its
// owner alone, when there is none. The error says what is wrong with the file.
func LoadOrCreateCA(path string) (*CA, error) {
	raw, err := os.ReadFile(path)
	if err == nil {
		ca, err := parseCA(raw)
		if err != nil {
			return nil, fmt.Errorf("CA file %s: %w; a CA is made where the file that is named does not exist yet", path, err)
		}
		return ca, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot read the CA file: %w", err)
	}
	ca, err := NewCA()
	if err != nil {
		return nil, err
	}
	if err := ca.save(path); err != nil {
		return nil, fmt.Errorf("cannot write the CA file: %w", err)
	}
	return ca, nil
}

func (c *CA) save(path string) error {
	key, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		return err
	}
	return private.Write(path, append(c.PEM(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...))
}

func parseCA(raw []byte) (*CA, error) {
	pair, err := tls.X509KeyPair(raw, raw)
	if err != nil && bytes.Contains(raw, []byte("-----BEGIN CERTIFICATE-----")) &&
		!bytes.Contains(raw, []byte("PRIVATE KEY-----")) {
		return nil, errors.New("it is a certificate without its private key, which nothing can be signed with: name the " +
			"file that has both")
	}
	if err != nil {
		return nil, fmt.Errorf("expected a PEM certificate and its private key: %w", err)
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	switch {
	case !ok || !pair.Leaf.IsCA:
		return nil, errors.New("its certificate is not that of a CA")
	case time.Now().After(pair.Leaf.NotAfter):
		return nil, fmt.Errorf("its certificate expired on %s", pair.Leaf.NotAfter.Format(time.DateOnly))
	}
	return &CA{pair.Leaf, key}, nil
}

// PEM is the CA's certificate, for a client to trust.
func (c *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw})
}

// TLSConfig is the configuration of a server with a certificate, good for 90 days, for these host names and IP
// addresses and always for localhost, 127.0.0.1 and ::1.
func (c *CA) TLSConfig(hosts ...string) (*tls.Config, error) {
	return serve(certificate("emaconform test server", certLifetime), local(hosts), c)
}

// BadTLSConfig is TLSConfig with a certificate that a client must refuse, for the one reason that kind names.
func (c *CA) BadTLSConfig(kind BadCertificate, hosts ...string) (*tls.Config, error) {
	template, hosts, issuer := certificate("emaconform bad test server", certLifetime), local(hosts), c
	switch kind {
	case Expired:
		template.NotBefore, template.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	case WrongName:
		hosts = []string{"wrong-name.invalid"}
	case SelfSigned:
		issuer = nil
	default:
		return nil, fmt.Errorf("unknown bad certificate %q: expected %s, %s or %s", kind, Expired, WrongName, SelfSigned)
	}
	return serve(template, hosts, issuer)
}

// serve makes a key and a certificate for it from template, self-signed when there is no issuer.
func serve(template *x509.Certificate, hosts []string, issuer *CA) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.BasicConstraintsValid = true
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	if issuer == nil {
		issuer = &CA{template, key}
	}
	cert, err := sign(template, issuer.cert, key.Public(), issuer.key)
	if err != nil {
		return nil, fmt.Errorf("cannot issue a certificate for %q: %w", hosts, err)
	}
	pair := tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

func local(hosts []string) []string {
	hosts = append([]string{"localhost", "127.0.0.1", "::1"}, hosts...)
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// certificate is a template that is valid from an hour ago, for clocks that differ.
func certificate(name string, lifetime time.Duration) *x509.Certificate {
	serial := new(big.Int).SetBytes([]byte(rand.Text())[:16])
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name, SerialNumber: serial.Text(36)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifetime),
	}
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
