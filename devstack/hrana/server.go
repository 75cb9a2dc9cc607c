package hrana

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/zen-auth/zen/devstack/engine"
)

// Backend authorizes requests for databases.
type Backend interface {
	// Authorize returns the database called name, and what the request may do in
	// it. An error that is a *[StatusError] is answered as it says; any other is a
	// 500. It is called concurrently, once a request.
	Authorize(r *http.Request, name string) (*engine.DB, *engine.Rights, error)
}

// Options are the limits of a Server. The zero value is what libsql-server does.
type Options struct {
	// StreamTTL is the life of a stream between two requests. Zero means 10 s.
	StreamTTL time.Duration
	// MaxBody bounds a request body, in bytes. Zero means 256 MiB; libsql-server has no
	// limit.
	MaxBody int64
	// MaxResponse bounds the rows of a response, in bytes. Zero means 10 MB.
	MaxResponse int
	// MaxStreams bounds the streams that are open at once. Zero means 10,000.
	MaxStreams int
	// Resume is asked before a stream goes on. Its error ends the request. Nil lets every
	// stream continue.
	Resume func() error
	// AutocommitIn2 reports whether version 2 over HTTP has the condition is_autocommit, too:
	// Turso's clients for Sync send it there. Nil means never, as in libsql-server.
	AutocommitIn2 func() bool
	// LeavesRowsOut reports whether a statement's rows aren't sent where want_rows is false.
	// Nil means never: libsql-server sends them all the same.
	LeavesRowsOut func() bool
	// Reauthorize reports whether the token of a socket's last hello is checked again with
	// each request. Nil means never, as in libsql-server.
	Reauthorize func() bool
}

// Server answers for any number of databases. It is safe for concurrent use.
type Server struct {
	backend Backend
	opts    Options
	key     [32]byte // authenticates batons
	streams streams
	running sync.WaitGroup // requests, which Close waits for
	sockets sync.Map       // of *socket
}

// New returns a Server. The caller closes it.
func New(backend Backend, o Options) *Server {
	o.StreamTTL = cmp.Or(o.StreamTTL, 10*time.Second)
	o.MaxBody = cmp.Or(o.MaxBody, 256<<20)
	o.MaxResponse = cmp.Or(o.MaxResponse, 10_000_000)
	o.MaxStreams = cmp.Or(o.MaxStreams, 10_000)
	s := &Server{backend: backend, opts: o}
	rand.Read(s.key[:])
	s.streams.init(o.StreamTTL)
	return s
}

// Close ends all sockets and streams, and rolls back their open transactions. Requests
// must have ended, and none may follow: see [http.Server.Shutdown].
func (s *Server) Close() {
	s.endSockets(func(string) bool { return true })
	s.running.Wait()
	s.streams.closeIf(func(*stream) bool { return true })
}

// StatusError is an error that ends a whole request.
type StatusError struct {
	Status int
	Body   any    // sent as JSON, or as it is if it is a string
	Origin string // of Access-Control-Allow-Origin; "" for none
}

func (e *StatusError) Error() string { return fmt.Sprintf("http status %d: %v", e.Status, e.Body) }
