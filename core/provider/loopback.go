package provider

import (
	"net"
	"strings"
)

// IsLoopback reports whether a host, with or without a port, is this machine: an
// address of the loopback, localhost, or a name under it (RFC 6761 section 6.3), as
// libsql-server names its databases by. Only there may a token travel in clear.
func IsLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if ip := net.ParseIP(strings.Trim(host, "[]")); ip != nil {
		return ip.IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
