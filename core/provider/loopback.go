package provider

import (
	"net/netip"
	"strings"
)

// IsLoopback reports whether a host, with or without a port, is this machine: an
// address of the loopback, localhost, or a name under it (RFC 6761 section 6.3), as
// libsql-server names its databases by. Only there may a token travel in clear.
func IsLoopback(host string) bool {
	host = withoutPort(host)
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && ip.Zone() == "" {
		return ip.IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// withoutPort is the host of net.SplitHostPort, and the whole text where that has none.
// Package net takes longer to start than zen token may.
func withoutPort(text string) string {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return text
	}
	host, port := text[:i], text[i+1:]
	if inner, bracketed := strings.CutPrefix(host, "["); bracketed {
		if inner, bracketed = strings.CutSuffix(inner, "]"); !bracketed {
			return text
		}
		host = inner
	} else if strings.Contains(host, ":") {
		return text
	}
	if strings.ContainsAny(host+port, "[]") {
		return text
	}
	return host
}
