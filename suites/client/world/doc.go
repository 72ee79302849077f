// Package world plays everybody that an MCP client meets in Enterprise-Managed Authorization: the identity provider
// (IdP), the Resource Authorization Servers (RAS), the MCP servers, the consent page that must stay untouched, and an
// attacker's host. Each listens on a port of its own, so that whatever a client sends, it is plain whom it sent it to.
//
// A world is honest when it is made. Before it is served it can be made hostile: documents can be edited, and every
// endpoint can be told to answer otherwise. It remembers every request whole, for the search of leaks; what leaves the
// package for a report is redacted.
//
// The parties are lenient: they grant what an honest client gets even when the request lacks something, so that a check
// of the one thing that is missing sees it, and not a flow that ended early.
package world
