package ca

import (
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
	"os"

	"github.com/emaconform/emaconform/mockidp/internal/private"
)

// ClientCertificate issues a certificate for a TLS client, good for 90 days, whose subject is CN=<name>: PEM, with its
// private key (RFC 8705 section 2.1).
func (c *CA) ClientCertificate(name string) ([]byte, error) { return clientCertificate(name, c) }

// LoadOrCreateClientCertificate reads a PEM file with a client's certificate and private key, or makes a self-signed
// one for this name and writes that file, for its owner alone, when there is none (RFC 8705 section 2.2).
func LoadOrCreateClientCertificate(path, name string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err == nil {
		if _, err := tls.X509KeyPair(raw, raw); err != nil {
			return nil, fmt.Errorf("%s: expected a PEM certificate and its private key: %w", path, err)
		}
		return raw, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if raw, err = clientCertificate(name, nil); err != nil {
		return nil, err
	}
	return raw, private.Write(path, raw)
}

// clientCertificate is self-signed when there is no issuer.
func clientCertificate(name string, issuer *CA) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := certificate(name, certLifetime)
	template.Subject = pkix.Name{CommonName: name}
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	template.BasicConstraintsValid = true
	if issuer == nil {
		issuer = &CA{template, key}
	}
	cert, err := sign(template, issuer.cert, key.Public(), issuer.key)
	if err != nil {
		return nil, fmt.Errorf("cannot issue a certificate for %q: %w", name, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...), nil
}
