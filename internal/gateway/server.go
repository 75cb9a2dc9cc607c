package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/zen-auth/zen/internal/strangers"
)

// drainTimeout limits how long Close waits for requests under way where its context
// allows longer.
const drainTimeout = 10 * time.Second

// maxStrangers limits the connections of clients that have not shown the bearer.
const maxStrangers = 64

// Server is a gateway that listens.
type Server struct {
	*Handler
	listener net.Listener
	server   *http.Server
	served   chan struct{}
	failed   error // of the listener; read it after served is closed
	close    sync.Once
	closeErr error
}

// Serve answers on the listener, which it owns from now on, until Close.
func Serve(listener net.Listener, h *Handler) *Server {
	s := &Server{
		Handler: h, listener: listener, served: make(chan struct{}),
		server: &http.Server{
			Handler:           h,
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    64 << 10,
			ErrorLog:          quiet,
			Protocols:         new(http.Protocols),
		},
	}
	strangers.Protect(s.server, maxStrangers)
	s.server.Protocols.SetHTTP1(true)
	s.server.Protocols.SetUnencryptedHTTP2(true) // for gRPC, which is told what to do instead
	go func() {
		defer close(s.served)
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed = err
		}
	}()
	return s
}

// Listen makes a gateway on a free port of 127.0.0.1.
func Listen(ctx context.Context, config Config) (*Server, error) {
	h, err := New(config)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return Serve(listener, h), nil
}

// URL returns the gateway's address, without a slash at the end.
func (s *Server) URL() string {
	if s.listener.Addr().Network() == "unix" {
		return "unix:" + s.listener.Addr().String()
	}
	return "http://" + s.listener.Addr().String()
}

// Done is closed when the gateway no longer serves: it was closed, or its listener
// failed, of which Close tells.
func (s *Server) Done() <-chan struct{} { return s.served }

// Close stops listening, waits for requests under way, also on sockets, at most ten seconds
// and until ctx ends, and cuts off those that are left. It may be called more than once.
func (s *Server) Close(ctx context.Context) error {
	s.close.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, drainTimeout)
		defer cancel()
		s.leave()
		err := s.server.Shutdown(ctx)
		if err != nil {
			err = s.server.Close()
		}
		<-s.served
		defer context.AfterFunc(ctx, s.cutOff)()
		s.sockets.Wait()
		s.closeErr = errors.Join(err, s.failed)
	})
	return s.closeErr
}
