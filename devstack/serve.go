package devstack

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// stopTimeout is how long Close waits for requests in flight.
const stopTimeout = 3 * time.Second

// site is a handler on its own address.
type site struct {
	listener net.Listener
	server   *http.Server
	served   chan error // nil while it is not being served
}

func newSite(listener net.Listener) *site {
	return &site{listener: listener, server: &http.Server{ReadHeaderTimeout: 10 * time.Second}}
}

func (s *site) url() string { return "http://" + s.listener.Addr().String() }

func (s *site) serve() {
	s.served = make(chan error, 1)
	go func() { s.served <- s.server.Serve(s.listener) }()
}

// close stops listening and waits for requests in flight.
func (s *site) close() error {
	if s.served == nil {
		return s.listener.Close()
	}
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
