// Package client judges an MCP client: it runs the client's command once for each scenario, in a world (package world)
// that is honest or has one thing wrong, watches every request, and judges what was sent to whom.
//
// The command gets the URL of the MCP server as its last argument, and in the environment MCP_CONFORMANCE_SCENARIO and
// MCP_CONFORMANCE_CONTEXT (JSON): the contract of the official MCP conformance runner, so that an SDK's conformance
// client runs unchanged. What goes beyond that contract is in world.Context.
//
// A scenario is declared in the words of package scenario. The rooms hold the scenarios, a room for a part of the flow,
// a file for a theme; within it each requirement of the catalogue has one declaration. Whoever imports this package has
// them all.
package client

import (
	_ "github.com/emaconform/emaconform/suites/client/discovery"    // metadata of the MCP server and the RAS
	_ "github.com/emaconform/emaconform/suites/client/grants"       // what is asked of the IdP and the RAS
	_ "github.com/emaconform/emaconform/suites/client/hostile"      // parties that are broken
	_ "github.com/emaconform/emaconform/suites/client/registration" // what the client says of itself, and keeps
	_ "github.com/emaconform/emaconform/suites/client/renewal"      // tokens that end, scopes and logins that do not do
	_ "github.com/emaconform/emaconform/suites/client/signin"       // logins, ID tokens, SAML assertions
	_ "github.com/emaconform/emaconform/suites/client/use"          // what becomes of a token
)
