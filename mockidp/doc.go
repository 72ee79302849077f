// Package mockidp is an identity provider for tests of Enterprise-Managed Authorization: it mints ID tokens and Identity
// Assertion Authorization Grants (ID-JAGs), honest ones and, with package hostile, dishonest ones.
//
// An Issuer mints tokens and needs no server. A Server publishes an issuer's metadata and keys, and can be told to
// misbehave. It signs whatever it is asked to sign: it is for tests alone.
package mockidp
