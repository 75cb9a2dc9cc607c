// Package conformance tests any provider from outside: it starts the program as zen does,
// and calls it as docs/provider-protocol.md describes.
//
// [Run] assumes nothing about how the program was written. It has its own host, separate
// from the one in package host and from go-plugin's, so that a provider is tested against
// the protocol, and not against what one implementation of it tolerates.
//
// Without Options.Network, the provider's only way to the network is a proxy that forwards
// nothing: the suite's made-up data, such as credentials, reach no server.
package conformance
