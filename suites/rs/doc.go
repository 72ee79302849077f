// Package rs holds the checks of an MCP server in its part as OAuth resource server: that it says how to be authorized,
// lets in whom its Resource Authorization Server (RAS) gave a token, and nobody else. A file is a theme; within it each
// requirement of the catalogue has one check.For.
//
// Both MCP revisions are spoken: sessions (2025-11-25) and stateless requests (2026-07-28). What does not depend on the
// revision is asked statelessly where the server knows that, so that no session is opened in vain.
package rs
