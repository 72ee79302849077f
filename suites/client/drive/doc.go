// Package drive brings clients that have a command line of their own under the contract of the official MCP conformance
// runner: the process that the contract starts configures the client, adds the server, logs in, and uses it, each by a
// command of the client. What the client gets is a home directory of its own and little else: nothing of its user's
// configuration or credentials is read or changed.
package drive
