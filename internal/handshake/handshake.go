// Package handshake is what zen and a provider's process have to agree on before the
// first call: the cookie, the version, the certificates, names and sizes. Both
// internal/host and core/plugin rest on it, and neither on the other.
package handshake

import goplugin "github.com/hashicorp/go-plugin"

// The handshake of protocol version 1. A provider in another language compares the
// cookie, so that it can tell a person who starts it by hand what it is.
const (
	CookieKey   = "ZEN_PROVIDER_COOKIE"
	CookieValue = "0f2b6d7e5a1c4b83a9d2c6e1f47085d3"

	ProtocolVersion = 1
)

// DebugKey is the variable that makes a provider that is started by hand, as in a
// debugger, wait for zen; ReattachKey is the one that makes zen use it: an object of
// JSON with the path of a socket for each name.
const (
	DebugKey    = "ZEN_PROVIDER_DEBUG"
	ReattachKey = "ZEN_REATTACH_PROVIDERS"
)

// DebugHint is the hint of errors about a provider whose own words say more.
const DebugHint = "run it again with --debug to see what the provider writes"

// MaxMessage bounds a message in either direction, in bytes. go-plugin's own bound is
// 2 GiB.
const MaxMessage = 1 << 20

// MaxSocketDir leaves room in the 104 bytes that macOS has for the path of a
// socket (Linux has 108) for the name that go-plugin gives it.
const MaxSocketDir = 104 - len("/plugin1234567890") - 1

// Config is the handshake as go-plugin wants it.
var Config = goplugin.HandshakeConfig{
	ProtocolVersion: ProtocolVersion, MagicCookieKey: CookieKey, MagicCookieValue: CookieValue,
}
