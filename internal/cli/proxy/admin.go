package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/strangers"
)

const (
	// readinessTimeout bounds the wait for a token that has to be made. The first of a
	// provider may take its start, too.
	readinessTimeout = 20 * time.Second
	// readinessPause is the time for which a failure is remembered: a probe a second must not be
	// a sign-in a second.
	readinessPause = 5 * time.Second
)

// adminServer serves health and metrics.
type adminServer struct {
	listener net.Listener
	server   *http.Server
	ended    chan struct{}
}

// listenAdmin starts it, if it is asked for.
func (p *proxy) listenAdmin(ctx context.Context) (*adminServer, error) {
	addr := p.Admin
	if addr == "" {
		return nil, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, cannotListen("admin", addr, err)
	}
	a := &adminServer{listener: listener, ended: make(chan struct{})}
	a.server = &http.Server{Handler: p.health(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: time.Minute, IdleTimeout: time.Minute}
	strangers.Protect(a.server, 32)
	go func() {
		defer close(a.ended)
		_ = a.server.Serve(listener)
	}()
	return a, nil
}

func (a *adminServer) url() string {
	if a == nil {
		return ""
	}
	return "http://" + a.listener.Addr().String()
}

func (a *adminServer) close() {
	_ = a.server.Close()
	<-a.ended
}

// health answers probes. None of them asks the database: a probe every second would be
// its busiest client.
func (p *proxy) health() http.Handler {
	mux := http.NewServeMux()
	alive := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }
	mux.HandleFunc("GET /startup", alive) // it listens once there was a token
	mux.HandleFunc("GET /liveness", alive)
	mux.HandleFunc("GET /readiness", func(w http.ResponseWriter, r *http.Request) {
		if err := p.ready.check(r.Context()); err != nil {
			http.Error(w, app.OneLine(err.Error()), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_ = p.metrics.Write(w, p.ready.expires()) // the client may have gone
	})
	private := provider.IsLoopback(p.Admin)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A page whose name was rebound to the loopback has no business here.
		if private && !provider.IsLoopback(r.Host) {
			http.Error(w, "the Host header names another machine", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// readiness reports whether there is a good token.
type readiness struct {
	token func(context.Context) (provider.Token, error)

	mu     sync.Mutex // guards failed and err, and is held while a token is waited for
	failed time.Time
	err    error

	until atomic.Int64 // Unix time at which the last token ends; 0 if it has no end
}

func (r *readiness) check(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil && time.Since(r.failed) < readinessPause {
		return r.err
	}
	ctx, cancel := context.WithTimeout(ctx, readinessTimeout)
	defer cancel()
	token, err := r.token(ctx)
	if errors.Is(err, context.Canceled) {
		return err // the probe went away
	}
	r.err, r.failed = err, time.Now()
	if err == nil && !token.Expires.IsZero() {
		r.until.Store(token.Expires.Unix())
	}
	return err
}

// expires returns the end of the token that the last check saw; zero if it has no end.
func (r *readiness) expires() time.Time {
	if until := r.until.Load(); until != 0 {
		return time.Unix(until, 0)
	}
	return time.Time{}
}
