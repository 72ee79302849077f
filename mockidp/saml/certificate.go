package saml

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"time"
)

const certificateLifetime = 10 * 365 * 24 * time.Hour

// NewCertificate makes an RSA key of 2048 bits and a signing certificate for it, self-signed and good for ten years: in
// SAML the metadata vouches for a certificate, not a CA.
func NewCertificate() (tls.Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "emaconform SAML signing"},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(certificateLifetime), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// LoadOrCreateCertificate reads a PEM file with certificate and private key, or makes them and writes that file, for
// its owner alone, when there is none: service providers that were given the certificate trust the next start too. The
// error says what is wrong with the file.
func LoadOrCreateCertificate(path string) (tls.Certificate, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return createCertificate(path)
	}
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cannot read the SAML certificate: %w", err)
	}
	pair, err := tls.X509KeyPair(raw, raw)
	if err == nil && time.Now().After(pair.Leaf.NotAfter) {
		err = fmt.Errorf("it expired on %s", pair.Leaf.NotAfter.Format(time.DateOnly))
	}
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("SAML certificate %s: expected a PEM certificate and its private key: %w; "+
			"delete the file to have a new one made", path, err)
	}
	return pair, nil
}

func createCertificate(path string) (tls.Certificate, error) {
	pair, err := NewCertificate()
	if err != nil {
		return pair, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		return pair, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return pair, fmt.Errorf("cannot write the SAML certificate: %w", err)
	}
	err = errors.Join(
		pem.Encode(f, &pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}),
		pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		f.Close(),
	)
	return pair, err
}
