package wire

import (
	"crypto/x509"
	"fmt"
	"os"
)

// Roots are the certificate authorities of the system and those of a configuration's ca_file, whose content pem is;
// nil, the system's, when there is none. The error is a file without a certificate.
func Roots(file string, pem []byte) (*x509.CertPool, error) {
	if len(pem) == 0 {
		return nil, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file %s holds no PEM certificate", file)
	}
	return roots, nil
}

// ReadRoots reads a configuration's ca_file; "" is none.
func ReadRoots(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	return pem, nil
}
