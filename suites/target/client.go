package target

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
)

// Client authentication methods (RFC 7591 section 2, RFC 8705 section 2). The first is the default.
const (
	ClientSecretBasic = "client_secret_basic"
	ClientSecretPost  = "client_secret_post"
	ClientSecretJWT   = "client_secret_jwt"
	PrivateKeyJWT     = "private_key_jwt"
	TLSClientAuth     = "tls_client_auth"
	SelfSignedTLS     = "self_signed_tls_client_auth"
	NoAuthentication  = "none"
)

var methods = []string{ClientSecretBasic, ClientSecretPost, ClientSecretJWT, PrivateKeyJWT, TLSClientAuth,
	SelfSignedTLS, NoAuthentication}

// Client is a client registered with the Resource Authorization Server, or known by its metadata document.
type Client struct {
	ID string `yaml:"id,omitempty" json:"id"`
	// Audience is what the client's assertions are for: issuer, token_endpoint, or a URI; "": found out, the issuer first.
	Audience   string           `yaml:"audience,omitempty" json:"audience,omitempty"`
	Auth       string           `yaml:"auth,omitempty" json:"auth,omitempty"` // one of methods
	Secret     string           `yaml:"secret,omitempty" json:"secret,omitempty"`
	SecretEnv  string           `yaml:"secret_env,omitempty" json:"-"`  // environment variable that holds the secret
	SecretFile string           `yaml:"secret_file,omitempty" json:"-"` // file that holds the secret
	KeyFile    string           `yaml:"key_file,omitempty" json:"-"`    // private JWK (JSON) for private_key_jwt
	Key        *jose.JSONWebKey `yaml:"-" json:"key,omitempty"`

	// CIMD is a client that nobody registers: we serve its Client ID Metadata Document, whose URL is its id.
	CIMD bool `yaml:"cimd,omitempty" json:"cimd,omitempty"`

	// CAFile is a PEM file with the CA (certificate and key, made when missing) that issues the certificate of a client
	// with tls_client_auth; its subject is CN=<id> (RFC 8705 section 2.1). CertificateFile holds the certificate and
	// its key instead; for self_signed_tls_client_auth it is made when missing.
	CAFile          string `yaml:"ca_file,omitempty" json:"-"`
	CertificateFile string `yaml:"certificate_file,omitempty" json:"-"`
	Certificate     []byte `yaml:"-" json:"certificate,omitempty"` // PEM, with its private key
}

// Confidential reports whether the client has to prove who it is.
func (c *Client) Confidential() bool { return c.Auth != NoAuthentication }

// Resolve reads the secret, the key or the certificate that the configuration points at.
func (c *Client) Resolve() error {
	if c.ID == "" {
		return errors.New("id is missing")
	}
	if c.SecretEnv != "" {
		if c.Secret = os.Getenv(c.SecretEnv); c.Secret == "" {
			return fmt.Errorf("secret_env: the environment variable %s is empty", c.SecretEnv)
		}
	}
	if c.SecretFile != "" {
		raw, err := os.ReadFile(c.SecretFile)
		if err != nil {
			return fmt.Errorf("secret_file: %w", err)
		}
		c.Secret = strings.TrimSpace(string(raw))
	}
	switch c.Auth {
	case ClientSecretBasic, ClientSecretPost, ClientSecretJWT:
		if c.Secret == "" {
			return fmt.Errorf("%s needs a secret: set secret_env, secret_file or secret", c.Auth)
		}
	case PrivateKeyJWT:
		return c.resolveKey()
	case TLSClientAuth, SelfSignedTLS:
		return c.resolveCertificate()
	case NoAuthentication:
	default:
		return fmt.Errorf("auth: %q is none of %s", c.Auth, strings.Join(methods, ", "))
	}
	return nil
}

// assertionKey makes sure that a client that we describe ourselves has what it authenticates with.
func (c *Client) assertionKey() error {
	if c.Auth != PrivateKeyJWT || c.Key != nil || c.KeyFile != "" {
		return nil
	}
	key, err := mockidp.NewKey(jose.ES256)
	if err != nil {
		return err
	}
	c.Key = &key.JSONWebKey
	return nil
}

// Describe gives a client that is known by its document the document's URL as id, and what it authenticates with. It
// returns the document (draft-ietf-oauth-client-id-metadata-document section 4).
func (c *Client) Describe(url, redirectURI, grantType string) (map[string]any, error) {
	if !slices.Contains([]string{PrivateKeyJWT, NoAuthentication}, c.Auth) {
		return nil, fmt.Errorf("a client that is known by its metadata document has no %s: auth is %s or %s", c.Auth,
			PrivateKeyJWT, NoAuthentication)
	}
	if err := c.assertionKey(); err != nil {
		return nil, err
	}
	c.ID = url
	document := map[string]any{
		"client_id": c.ID, "client_name": "emaconform", "redirect_uris": []string{redirectURI},
		"grant_types": []string{grantType}, "token_endpoint_auth_method": c.Auth,
	}
	if c.Key != nil {
		document["jwks"] = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{c.Key.Public()}}
	}
	return document, nil
}

func (c *Client) resolveKey() error {
	if c.Key != nil {
		return nil
	}
	if c.KeyFile == "" {
		return errors.New("private_key_jwt needs key_file: a private JWK as JSON")
	}
	raw, err := os.ReadFile(c.KeyFile)
	if err != nil {
		return fmt.Errorf("key_file: %w", err)
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(raw); err != nil {
		return fmt.Errorf("key_file %s is no JWK: expected one JSON object with kty, alg, kid and the private members",
			c.KeyFile)
	}
	switch key.Key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
	default:
		return fmt.Errorf("key_file %s holds no private key", c.KeyFile)
	}
	if key.Algorithm == "" {
		return fmt.Errorf("key_file %s: the JWK has no alg member", c.KeyFile)
	}
	c.Key = &key
	return nil
}

func (c *Client) resolveCertificate() (err error) {
	switch {
	case c.Certificate != nil:
	case c.CertificateFile == "" && c.CAFile == "":
		return fmt.Errorf("%s needs ca_file, a CA for the client's certificate (made when missing), or "+
			"certificate_file", c.Auth)
	case c.CertificateFile != "":
		c.Certificate, err = mockidp.LoadOrCreateClientCertificate(c.CertificateFile, c.ID)
		if err != nil {
			return fmt.Errorf("certificate_file: %w", err)
		}
	default:
		authority, err := mockidp.LoadOrCreateCA(c.CAFile)
		if err != nil {
			return fmt.Errorf("ca_file: %w", err)
		}
		if c.Certificate, err = authority.ClientCertificate(c.ID); err != nil {
			return err
		}
	}
	if _, err := tls.X509KeyPair(c.Certificate, c.Certificate); err != nil {
		return fmt.Errorf("certificate of client %s: expected a PEM certificate and its private key", c.ID)
	}
	return nil
}
