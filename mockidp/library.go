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

// What users of the library import, by the names that they know; each lives in the package that it is declared in,
// which describes its fields and methods.
type (
	// IdP is an identity provider as an http.Handler: its endpoints, its clock, keys, faults and edits. Its methods are
	// those of [idp.IdP].
	IdP = idp.IdP
	// Server is an IdP that listens: it has the methods of [idp.IdP], and those of [host.Server] besides.
	Server = host.Server
	// ServerOptions is everything an identity provider can be started with; its fields are those of [host.Options]. The
	// zero value serves an issuer with a new RS256 key on a free port of the loopback interface.
	ServerOptions = host.Options
	// Tokens is a token response (RFC 6749 section 5.1) to a sign-in; see [host.Tokens].
	Tokens = host.Tokens

	// Key is a private signing key, as a JWK (RFC 7517) that names its algorithm and key id; see [mint.Key].
	Key = mint.Key
	// KeySet is the signing keys of an issuer, the one in use first; see [mint.KeySet].
	KeySet = mint.KeySet
	// Issuer mints tokens in the name of one identity provider; it needs no server. See [mint.Issuer].
	Issuer = mint.Issuer
	// Grant says what an ID-JAG grants (ID-JAG draft-04 section 3.1); see [mint.Grant].
	Grant = mint.Grant
	// Token is a token before it is signed: its header and claims are maps that can be changed, and [mint.Token.Sign]
	// signs what stands there then.
	Token = mint.Token
	// TokenKind is a kind of token that the identity provider issues: TokenID, TokenIDJAG or TokenAccess.
	TokenKind = mint.TokenKind
	// Edit changes tokens that clients ask for before they are signed; its fields are those of [mint.Edit].
	Edit = mint.Edit
	// DecodedToken is the header and the claims of a JWT, its signature not looked at; see [mint.DecodedToken].
	DecodedToken = mint.DecodedToken

	// Reply is an answer to give in place of the honest one: another status or document, a delay, a closed connection. Its
	// fields are those of [fault.Reply].
	Reply = fault.Reply
	// Fault makes an endpoint answer with a Reply instead of what it should; its fields are those of [fault.Fault].
	Fault = fault.Fault

	// CA is a certificate authority for test servers; see [ca.CA].
	CA = ca.CA
	// BadCertificate is a way in which a server certificate deserves no trust: Expired, WrongName or SelfSigned. "" is a
	// good certificate.
	BadCertificate = ca.BadCertificate

	// Exchange is one request to an endpoint and its answer, without secrets; see [observe.Exchange].
	Exchange = observe.Exchange
	// Canary is a server on which nobody has any business: whoever is made to fetch from it has been tricked. See
	// [observe.Canary].
	Canary = observe.Canary
	// Hit is one request to a canary; see [observe.Hit].
	Hit = observe.Hit

	// Control drives identity providers and a canary from another process, over HTTP; see [control.Client].
	Control = control.Client
	// Loader reads a directory from a file, for IdP.Watch and IdP.Reload; [directory.Load] is one.
	Loader = idp.Loader
)

// TypeIDJAG is the header typ of an ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant-04 section 3.1).
const TypeIDJAG = mint.TypeIDJAG

// Lifetimes of an ID-JAG (5 min) and of an ID token (1 h), as Okta has them, and DefaultMaxAge (30 s): for how long the
// JWKS may be cached (Cache-Control: max-age).
const (
	IDJAGLifetime   = mint.IDJAGLifetime
	IDTokenLifetime = mint.IDTokenLifetime
	DefaultMaxAge   = mint.DefaultMaxAge
)

// Kinds of tokens, for an Edit.
const (
	TokenID     = mint.TokenID     // ID token (OpenID Connect Core 2)
	TokenIDJAG  = mint.TokenIDJAG  // ID-JAG draft-04 section 3.1
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
	Expired    = ca.Expired    // by the CA, for the right hosts, no longer valid
	WrongName  = ca.WrongName  // by the CA, valid, for another host
	SelfSigned = ca.SelfSigned // for the right hosts and valid, by nobody that the client knows
)

// NewJTI is a jti (RFC 7519 section 4.1.7) for an ID-JAG that was never used.
func NewJTI() string { return mint.NewJTI() }

// OwnJTI reports whether a jti has the form of those that NewJTI makes.
func OwnJTI(jti string) bool { return mint.OwnJTI(jti) }

// Serve starts an identity provider and returns when it listens; it stops when ctx ends or Close is called. Errors are
// a listener that cannot be opened, an issuer URL that is none, or keys that cannot sign.
func Serve(ctx context.Context, o ServerOptions) (*Server, error) { return host.Serve(ctx, o) }

// NewIdP makes an identity provider for a server of your own, which serves it at o.URL, the issuer identifier (RFC 8414
// section 2). o.URL is required; Listen and CA are not looked at. Errors are those of Serve but for the listener.
func NewIdP(o ServerOptions) (*IdP, error) { return host.NewIdP(o) }

// Endpoints lists the names that Fault.Endpoint can carry: the Endpoint constants.
func Endpoints() []string { return fault.Endpoints() }

// Algorithms are the signature algorithms (RFC 7518 section 3.1) that keys can be made for.
func Algorithms() []jose.SignatureAlgorithm { return mint.Algorithms() }

// NewKey makes a key; its key id is the thumbprint (RFC 7638). The error is an algorithm that is none of Algorithms.
func NewKey(alg jose.SignatureAlgorithm) (*Key, error) { return mint.NewKey(alg) }

// NewKeySet makes a set of one key for each of these algorithms. The first is the one to sign with. Errors are no
// algorithm at all, or one that is none of Algorithms.
func NewKeySet(algs ...jose.SignatureAlgorithm) (*KeySet, error) { return mint.NewKeySet(algs...) }

// LoadKeySet reads a file that KeySet.Save wrote. The error says what is wrong with the file.
func LoadKeySet(path string) (*KeySet, error) { return mint.LoadKeySet(path) }

// LoadOrCreateKeySet is LoadKeySet, or NewKeySet and Save when there is no such file.
func LoadOrCreateKeySet(path string, algs ...jose.SignatureAlgorithm) (*KeySet, error) {
	return mint.LoadOrCreateKeySet(path, algs...)
}

// NewToken makes a token of this type (the header's typ, RFC 7519 section 5.1; "" is a header without one) with these
// claims, to be signed with key. Nothing is added to the claims.
func NewToken(key *Key, typ string, claims map[string]any) *Token {
	return mint.NewToken(key, typ, claims)
}

// Decode reads a JWT in compact form (RFC 7519 section 3.1) without verifying it. ok is false when it is none.
func Decode(compact string) (token DecodedToken, ok bool) { return mint.Decode(compact) }

// Subject is how sub names a user in this style. audience is what pairwise subjects depend on (OpenID Connect Core 8):
// the client id of an ID token, the audience of an ID-JAG.
func Subject(style directory.SubjectStyle, u *directory.User, audience string) string {
	return directory.SubjectOf(style, u, audience)
}

// NewCA makes a CA that lives as long as the value; CA.PEM is the certificate to trust. The error is a system without
// random numbers.
func NewCA() (*CA, error) { return ca.NewCA() }

// LoadOrCreateCA reads a PEM file with a CA's certificate and private key, or makes a CA and writes that file, for its
// owner alone, when there is none. The error says what is wrong with the file.
func LoadOrCreateCA(path string) (*CA, error) { return ca.LoadOrCreateCA(path) }

// LoadOrCreateClientCertificate reads a PEM file with a client's certificate and private key (RFC 8705 section 2.2), or
// makes a self-signed one for this name and writes that file, for its owner alone, when there is none. It returns the
// content of the file.
func LoadOrCreateClientCertificate(path, name string) ([]byte, error) {
	return ca.LoadOrCreateClientCertificate(path, name)
}

// StartCanary starts a canary on listen, "127.0.0.1:0" for any free port, whose issuers publish key's public part. It
// serves until Close or the end of ctx. The error is an address on which it cannot listen.
func StartCanary(ctx context.Context, listen string, key *Key) (*Canary, error) {
	return observe.StartCanary(ctx, listen, key)
}

// StartTLSCanary is StartCanary over https. config is that of a CA: CA.TLSConfig or CA.BadTLSConfig.
func StartTLSCanary(ctx context.Context, listen string, key *Key, config *tls.Config) (*Canary, error) {
	return observe.StartTLSCanary(ctx, listen, key, config)
}

// NewControl makes a client for the control API at url, Server.ControlURL of the other process, with the secret that it
// was started with. It connects to nothing yet.
func NewControl(url, secret string) *Control { return control.NewClient(url, secret) }

// NewControlHandler serves the control API of identity providers, below /idps/<name>/, and of a canary (nil for none),
// below /canary/<id>/. Every request must carry the secret as a bearer token.
func NewControlHandler(secret string, idps map[string]*Server, canary *Canary) http.Handler {
	return host.ControlHandler(secret, idps, canary)
}

// OpenAPI is the description of the control API (OpenAPI 3.1). It is also served, at openapi.json.
func OpenAPI() []byte { return control.OpenAPI() }
