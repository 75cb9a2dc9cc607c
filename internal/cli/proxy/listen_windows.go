package proxy

import (
	"context"
	"errors"
	"net"
)

// listenUnix is refused: Windows has the sockets, and no mode that would keep others
// out of a directory that is not private.
func listenUnix(context.Context, string) (net.Listener, error) {
	return nil, errors.ErrUnsupported
}
