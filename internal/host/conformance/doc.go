// Package conformance tests any provider from outside: a program that is started as
// zen starts it, and spoken to as docs/provider-protocol.md says.
//
// [Run] knows nothing of how the program was written. It brings a host of its own,
// apart from the one in package plugin and from go-plugin's, so that a provider is
// held to the protocol and not to what one implementation of it lets pass.
//
// Without Options.Network the provider's way out is a proxy that answers nothing:
// what the suite makes up, credentials above all, reaches no server.
package conformance
