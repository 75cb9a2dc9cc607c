package turso

import (
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/zen-auth/zen/devstack/dbsync"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/devstack/hrana"
)

// Options configure a Server. The zero value is a server in memory with nothing in
// it.
type Options struct {
	// Now is the clock of tokens. Nil means time.Now.
	Now func() time.Time
	// Dir keeps databases and accounts between runs. Empty keeps nothing.
	Dir string
	// Host is the host:port at which clients reach the server. While it is empty, and
	// [Server.SetHost] was not called, it is what a request was sent to.
	Host string
	// Faults are the switches that the server obeys. Nil means none.
	Faults *fault.Set
	// Logger gets one record a refused token or failed fetch. Nil means silence.
	Logger *slog.Logger
	// JWKSLimit limits the registrations that an organization may have. Zero means 2, what
	// Turso's starter plan allows.
	JWKSLimit int
	// JWTErrorStatus is the status for an expired or wrongly signed token: 400 or
	// 401. Zero means 400.
	JWTErrorStatus int
	// Client fetches key sets. Nil means one with a timeout of 5 s.
	Client *http.Client
	// Hrana are the limits of the databases' wire protocol.
	Hrana hrana.Options
	// CheckpointFrames is the number of frames that a database's log grows before the
	// generation ends. Zero means 1000.
	CheckpointFrames int
}

// Server is a Turso. It is safe for concurrent use.
type Server struct {
	opts  Options
	hrana *hrana.Server
	sync  *dbsync.Server
	keys  *keySets
	cache grantCache
	api   http.Handler

	mu    sync.RWMutex // guards all below, and what it points to
	host  string
	state state
	paths map[string]*database // by the name under /dbs/
	dumps map[string]string    // that were uploaded, by id
}

// New returns a Server with what Options.Dir holds. The caller closes it.
func New(o Options) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.JWKSLimit = cmp.Or(o.JWKSLimit, 2)
	o.JWTErrorStatus = cmp.Or(o.JWTErrorStatus, http.StatusBadRequest)
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 5 * time.Second}
	}
	s := &Server{opts: o, host: o.Host, keys: newKeySets(o.Client, o.Logger, o.Faults), paths: make(map[string]*database)}
	o.Hrana.Resume = s.resume
	o.Hrana.Reauthorize = func() bool { return s.opts.Faults.On(fault.SocketExpires) }
	cloud := func() bool { return !s.opts.Faults.On(fault.PlainSqld) }
	o.Hrana.AutocommitIn2, o.Hrana.LeavesRowsOut = cloud, cloud
	s.hrana = hrana.New(backend{s}, o.Hrana)
	s.sync = dbsync.New(syncBackend{backend{s}}, dbsync.Options{PollEnds: s.pollEnds})
	s.api = s.routes()
	if err := s.load(); err != nil {
		s.hrana.Close()
		return nil, fmt.Errorf("start turso: %w", err)
	}
	return s, nil
}

// newKey returns a new signing key.
func newKey() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return key
}

// SetHost says where clients reach the server, as host:port, once it is known.
func (s *Server) SetHost(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.host = host
}

// Leave answers clients that wait for something to be committed, so that the HTTP server
// can be shut down at once.
func (s *Server) Leave() { s.sync.Leave() }

// Close ends all streams and closes all databases. The HTTP server must have been
// shut down before.
func (s *Server) Close() error {
	s.hrana.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, db := range s.paths {
		errs = append(errs, db.close())
	}
	return errors.Join(errs...)
}
