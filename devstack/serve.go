package devstack

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// stopTimeout bounds how long Close waits for requests that are under way.
const stopTimeout = 3 * time.Second

// site is a handler that is being served.
type site struct {
	server *http.Server
	served chan error
}

func serve(listener net.Listener, handler http.Handler) *site {
	s := &site{&http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}, make(chan error, 1)}
	go func() { s.served <- s.server.Serve(listener) }()
	return s
}

// close stops listening and waits for requests under way.
func (s *site) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.server.Close()
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
