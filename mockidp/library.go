package mockidp

import (
	"context"
	"crypto/tls"
	"net/http"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/ca"
	"github.com/emaconform/emaconform/mockidp/control"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/fault"
	"github.com/emaconform/emaconform/mockidp/host"
	"github.com/emaconform/emaconform/mockidp/idp"
	"github.com/emaconform/emaconform/mockidp/mint"
	"github.com/emaconform/emaconform/mockidp/observe"
)

// What users of the library import, by the names that they know; each lives in the package that it is declared in.
type (
	// IdP is an identity provider as an http.Handler.
	IdP = idp.IdP
	// Server is an IdP that listens.
	Server = host.Server
	// ServerOptions is everything an identity provider can be started with.
	ServerOptions = host.Options
	// Tokens is a token response, of SignIn.
	Tokens = host.Tokens

	// Key is a private signing key, as a JWK that names its algorithm and key id.
	Key = mint.Key
	// KeySet is the signing keys of an issuer, the one in use first.
	KeySet = mint.KeySet
	// Issuer mints tokens in the name of one identity provider; it needs no server.
	Issuer = mint.Issuer
	// Grant says what an ID-JAG grants.
	Grant = mint.Grant
	// Token is a token before it is signed.
	Token = mint.Token
	// TokenKind is a kind of token that the identity provider issues.
	TokenKind = mint.TokenKind
	// Edit changes tokens before they are signed.
	Edit = mint.Edit
	// DecodedToken is the header and the claims of a JWT, its signature not looked at.
	DecodedToken = mint.DecodedToken

	// Reply is an answer to give in place of the honest one.
	Reply = fault.Reply
	// Fault makes an endpoint answer with a Reply instead of what it should.
	Fault = fault.Fault

	// CA is a certificate authority for test servers.
	CA = ca.CA
	// BadCertificate is a way in which a server certificate deserves no trust.
	BadCertificate = ca.BadCertificate

	// Exchange is one request to an endpoint and its answer, without secrets.
	Exchange = observe.Exchange
	// Canary is a server on which nobody has any business.
	Canary = observe.Canary
	// Hit is one request to a canary.
	Hit = observe.Hit

	// Control drives identity providers and a canary from another process.
	Control = control.Client
	// Loader reads a directory from a file, for IdP.Watch and IdP.Reload.
	Loader = idp.Loader
)

// TypeIDJAG is the header typ of an ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant-04 section 3.1).
const TypeIDJAG = mint.TypeIDJAG

// Lifetimes, as Okta has them, and DefaultMaxAge: for how long the JWKS may be cached.
const (
	IDJAGLifetime   = mint.IDJAGLifetime
	IDTokenLifetime = mint.IDTokenLifetime
	DefaultMaxAge   = mint.DefaultMaxAge
)

// Kinds of tokens.
const (
	TokenID     = mint.TokenID
	TokenIDJAG  = mint.TokenIDJAG
	TokenAccess = mint.TokenAccess // of custom authorization servers
)

// Names of the endpoints, for faults and counts.
const (
	EndpointDiscovery  = fault.EndpointDiscovery
	EndpointKeys       = fault.EndpointKeys
	EndpointAuthorize  = fault.EndpointAuthorize
	EndpointLogin      = fault.EndpointLogin
	EndpointToken      = fault.EndpointToken
	EndpointUserinfo   = fault.EndpointUserinfo
	EndpointIntrospect = fault.EndpointIntrospect
	EndpointRevoke     = fault.EndpointRevoke
	EndpointLogout     = fault.EndpointLogout
	EndpointSAML       = fault.EndpointSAML
)

// Authentication context classes that a sign-in can satisfy
// (https://developer.okta.com/docs/guides/step-up-authentication/main/).
const (
	ACROneFactor         = directory.ACROneFactor
	ACRPassword          = directory.ACRPassword
	ACRTwoFactors        = directory.ACRTwoFactors
	ACRPhishingResistant = directory.ACRPhishingResistant
	ACRHardware          = directory.ACRHardware
)

// Bad certificates, for tests of TLS clients.
const (
	Expired    = ca.Expired
	WrongName  = ca.WrongName
	SelfSigned = ca.SelfSigned
)

// NewJTI is a jti for an ID-JAG that was never used.
func NewJTI() string { return mint.NewJTI() }

// OwnJTI reports whether a jti has the form of those that NewJTI makes.
func OwnJTI(jti string) bool { return mint.OwnJTI(jti) }

// Serve starts an identity provider; it stops when ctx ends or Close is called. Errors are a listener that cannot be
// opened, an issuer URL that is none, or keys that cannot sign.
func Serve(ctx context.Context, o ServerOptions) (*Server, error) { return host.Serve(ctx, o) }

// NewIdP makes an identity provider for a server of your own. o.URL is required; Listen and CA are not looked at.
func NewIdP(o ServerOptions) (*IdP, error) { return host.NewIdP(o) }

// Endpoints lists the names that a Fault can carry.
func Endpoints() []string { return fault.Endpoints() }

// Algorithms are the signature algorithms that keys can be made for.
func Algorithms() []jose.SignatureAlgorithm { return mint.Algorithms() }

// NewKey makes a key for one of Algorithms; its key id is the RFC 7638 thumbprint.
func NewKey(alg jose.SignatureAlgorithm) (*Key, error) { return mint.NewKey(alg) }

// NewKeySet makes a set of one key for each of these algorithms. The first is the one to sign with.
func NewKeySet(algs ...jose.SignatureAlgorithm) (*KeySet, error) { return mint.NewKeySet(algs...) }

// LoadKeySet reads a file that KeySet.Save wrote. The error says what is wrong with the file.
func LoadKeySet(path string) (*KeySet, error) { return mint.LoadKeySet(path) }

// LoadOrCreateKeySet is LoadKeySet, or NewKeySet and Save when there is no such file.
func LoadOrCreateKeySet(path string, algs ...jose.SignatureAlgorithm) (*KeySet, error) {
	return mint.LoadOrCreateKeySet(path, algs...)
}

// NewToken makes a token of this type ("" is a header without typ) to be signed with key.
func NewToken(key *Key, typ string, claims map[string]any) *Token {
	return mint.NewToken(key, typ, claims)
}

// Decode reads a JWT in compact form without verifying it.
func Decode(compact string) (DecodedToken, bool) { return mint.Decode(compact) }

// Subject is how sub names a user in this style. audience is what pairwise subjects depend on.
func Subject(style directory.SubjectStyle, u *directory.User, audience string) string {
	return directory.SubjectOf(style, u, audience)
}

// NewCA makes a CA that lives as long as the value.
func NewCA() (*CA, error) { return ca.NewCA() }

// LoadOrCreateCA reads a PEM file with a CA's certificate and private key, or makes a CA and writes that file.
func LoadOrCreateCA(path string) (*CA, error) { return ca.LoadOrCreateCA(path) }

// LoadOrCreateClientCertificate reads a PEM file with a client's certificate and private key, or makes a self-signed
// one for this name and writes that file.
func LoadOrCreateClientCertificate(path, name string) ([]byte, error) {
	return ca.LoadOrCreateClientCertificate(path, name)
}

// StartCanary starts a canary on listen, "127.0.0.1:0" for any free port, whose issuers publish key's public part. It
// serves until Close or the end of ctx.
func StartCanary(ctx context.Context, listen string, key *Key) (*Canary, error) {
	return observe.StartCanary(ctx, listen, key)
}

// StartTLSCanary is StartCanary over https. config is that of a CA: CA.TLSConfig or CA.BadTLSConfig.
func StartTLSCanary(ctx context.Context, listen string, key *Key, config *tls.Config) (*Canary, error) {
	return observe.StartTLSCanary(ctx, listen, key, config)
}

// NewControl makes a client for the control API at url.
func NewControl(url, secret string) *Control { return control.NewClient(url, secret) }

// NewControlHandler serves the control API of identity providers, below /idps/<name>/, and of a canary (nil for none),
// below /canary/<id>/. Every request must carry the secret as a bearer token.
func NewControlHandler(secret string, idps map[string]*Server, canary *Canary) http.Handler {
	return host.ControlHandler(secret, idps, canary)
}

// OpenAPI is the description of the control API (OpenAPI 3.1). It is also served, at openapi.json.
func OpenAPI() []byte { return control.OpenAPI() }
