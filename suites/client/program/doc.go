// Package program runs the client under test: its command, once in each world, with little of this machine to see,
// bounds of time, memory and output, a stand-in for the browser, and an end that nothing outlives. An Attempt is what
// was seen of one run.
package program
