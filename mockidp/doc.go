// Package mockidp is a mock enterprise identity provider for tests of MCP Enterprise-Managed Authorization: it signs
// people in over OpenID Connect and SAML 2.0, and exchanges what they get for Identity Assertion Authorization Grants
// (ID-JAGs), by policy, as Okta's org authorization server does on the wire. It signs whatever it is asked to sign: it
// is for tests alone.
//
// In a Go test, New starts one beside httptest and stops it when the test ends:
//
//	idp := mockidp.New(t)
//	tokens := idp.Login("alice@acme.example", "0oa1acmeagent0000000", "offline_access")
//	grant := idp.IDJAG("alice@acme.example", "0oa1acmeagent0000000", "notes")
//	grant.Claims["aud"] = "https://other.example"
//	assertion, err := grant.Sign()
//
// Serve starts one that listens, NewIdP makes one for a server of your own. All of them are an IdP: Update changes who
// and what it knows (package directory), Edit the tokens that it issues, Fault its answers, Advance its clock,
// RotateKeys its keys; Audit and Exchanges tell what it decided and what it was asked. From other languages the same is
// done over HTTP: see OpenAPI.
//
// The names here are what users of the library import. What they do is in packages of their own: mint (keys and
// tokens), directory (who and what is known, and what is decided), endpoint (what clients and browsers are answered),
// idp (the whole as a value that can be changed), control (the same over HTTP), host (listeners and certificates),
// fault, observe and audit. Each of them imports only those before it.
//
// An Issuer mints tokens and needs no server. Package hostile makes tokens that no library signs. Package flavour says
// how the tokens of identity providers differ.
package mockidp
