// Package peer says which user's program is at the other end of a loopback connection.
package peer

import (
	"net"
	"net/http"
	"net/netip"
	"os"
)

// Foreign reports whether a request comes from a program of another user than this one.
// known is false if the system doesn't tell: elsewhere than on Linux, without /proc,
// and for a connection that comes from another network namespace.
func Foreign(r *http.Request) (foreign, known bool) {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false, false
	}
	here, err := netip.ParseAddrPort(local.String())
	if err != nil {
		return false, false
	}
	there, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false, false
	}
	uid, known := owner(there, here)
	return known && uid != os.Getuid(), known
}
