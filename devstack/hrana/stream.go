package hrana

import (
	"context"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zen-auth/zen/devstack/engine"
)

// stream is a client's state between requests. It is used by one request at a time: the
// one with its last baton.
type stream struct {
	id, seq  uint64
	database string
	db       *engine.DB
	conn     *shared // nil until the first statement
	sqls     map[int32]string
	closed   bool
	expire   *time.Timer
}

// shared is a connection shared by a stream and a cursor that may outlive it. The last
// one to release it closes it.
type shared struct {
	*engine.Conn
	users atomic.Int32
}

func (c *shared) hold() *shared {
	c.users.Add(1)
	return c
}

func (c *shared) drop() {
	if c.users.Add(-1) == 0 {
		c.Close()
	}
}

// use returns the connection of the stream.
func (st *stream) use(ctx context.Context) (*engine.Conn, error) {
	if st.closed {
		return nil, protocolErrorf("Stream for this baton was closed")
	}
	if st.conn == nil {
		conn, err := st.db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		st.conn = (&shared{Conn: conn}).hold()
	}
	return st.conn.Conn, nil
}

func (st *stream) close() {
	st.closed = true
	if st.conn != nil {
		st.conn.drop()
		st.conn = nil
	}
}

// streams are the streams that wait for their client's next request.
type streams struct {
	ttl time.Duration

	mu      sync.Mutex // guards all below
	waiting map[uint64]*stream
	taken   map[uint64]bool      // in use by a request
	expired map[uint64]time.Time // when it expired, so that a late client gets the reason
}

// expiredKept is how long an expired stream is remembered.
const expiredKept = 5 * time.Minute

func (ss *streams) init(ttl time.Duration) {
	ss.ttl = ttl
	ss.waiting = make(map[uint64]*stream)
	ss.taken = make(map[uint64]bool)
	ss.expired = make(map[uint64]time.Time)
}

// acquire returns the stream that the baton is for, or a new one without a baton.
// It must be released, whatever happens.
func (s *Server) acquire(db *engine.DB, database string, baton *string) (*stream, error) {
	ss := &s.streams
	if baton == nil {
		st := &stream{id: rand.Uint64(), seq: rand.Uint64(), database: database, db: db}
		ss.mu.Lock()
		defer ss.mu.Unlock()
		if len(ss.waiting)+len(ss.taken) >= s.opts.MaxStreams {
			return nil, errTooManyStreams
		}
		ss.taken[st.id] = true
		return st, nil
	}
	id, seq, err := s.decodeBaton(database, *baton)
	if err != nil {
		return nil, protocolErrorf("Received an invalid baton")
	}
	if s.opts.Resume != nil {
		if err := s.opts.Resume(); err != nil {
			return nil, err
		}
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	st := ss.waiting[id]
	_, expired := ss.expired[id]
	switch {
	case expired:
		return nil, ErrStreamExpired
	case ss.taken[id], st != nil && st.seq != seq:
		return nil, protocolErrorf("Received a baton that has already been used")
	case st == nil:
		return nil, protocolErrorf("Received an invalid baton")
	}
	st.expire.Stop()
	delete(ss.waiting, id)
	ss.taken[id] = true
	st.seq++
	return st, nil
}

// release keeps the stream for its next request and returns the baton for it, or
// "" if it is closed.
func (s *Server) release(st *stream) string {
	ss := &s.streams
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.taken, st.id)
	if st.closed {
		return ""
	}
	ss.waiting[st.id] = st
	seq := st.seq
	st.expire = time.AfterFunc(ss.ttl, func() { ss.expireStream(st, seq) })
	return s.encodeBaton(st.database, st.id, st.seq)
}

// expireStream ends a stream that has waited for its client since it got the number seq: a
// request may have used it since its time was over.
func (ss *streams) expireStream(st *stream, seq uint64) {
	ss.mu.Lock()
	now := time.Now()
	mine := ss.waiting[st.id] == st && st.seq == seq
	if mine {
		delete(ss.waiting, st.id)
		ss.expired[st.id] = now
	}
	maps.DeleteFunc(ss.expired, func(_ uint64, since time.Time) bool { return now.Sub(since) > expiredKept })
	ss.mu.Unlock()
	if mine {
		st.close()
	}
}

// Forget ends the sockets of a database and its streams that wait for their client,
// rolling back what they had open: the database is about to be closed.
func (s *Server) Forget(database string) {
	s.endSockets(func(other string) bool { return other == database })
	s.streams.closeIf(func(st *stream) bool { return st.database == database })
}

func (ss *streams) closeIf(which func(*stream) bool) {
	var ended []*stream
	ss.mu.Lock()
	for id, st := range ss.waiting {
		if which(st) {
			ended = append(ended, st)
			delete(ss.waiting, id)
		}
	}
	ss.mu.Unlock()
	for _, st := range ended {
		st.expire.Stop()
		st.close()
	}
}
