// Package client judges an MCP client: it runs the client's command once for each scenario, in a world (package world)
// that is honest or has one thing wrong, watches every request, and judges what was sent to whom.
//
// The command gets the URL of the MCP server as its last argument, and in the environment MCP_CONFORMANCE_SCENARIO and
// MCP_CONFORMANCE_CONTEXT (JSON): the contract of the official MCP conformance runner, so that an SDK's conformance
// client runs unchanged. What goes beyond that contract is in world.Context.
//
// A file is a theme; within it each requirement of the catalogue has one declaration.
package client
