//go:build !windows

package proxy

import (
	"context"
	"net"
	"syscall"
)

// listenUnix makes the socket with mode 0600. The mask is the process's, and zen makes
// no other file meanwhile.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	old := syscall.Umask(0o177)
	defer syscall.Umask(old)
	return new(net.ListenConfig).Listen(ctx, "unix", path)
}
