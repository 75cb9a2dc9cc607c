package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	lib "modernc.org/sqlite/lib"
)

// Options says where a database is and how it treats its clients.
type Options struct {
	// Path of the database file; its directory must exist. Empty for a database
	// that is gone when it is closed.
	Path string
	// TxTimeout limits how long a transaction may hold the write lock while another
	// connection waits for it. Zero means 5 s, as in sqld.
	TxTimeout time.Duration
	// CheckpointFrames is the number of frames that the write-ahead log grows before it is
	// copied into the file. Zero means 1000, as in SQLite.
	CheckpointFrames int
}

// DB is one database. It is safe for concurrent use.
type DB struct {
	path      string
	temporary string // directory to remove in the end, "" if the database stays
	txTimeout time.Duration
	closing   chan struct{}
	out       sync.WaitGroup // connections handed out

	checkpointFrames int
	gens             generations
	commits          broadcast

	mu          sync.Mutex // guards all below
	idle        []*Conn
	busy        map[*Conn]bool // handed out
	closed      bool
	writer      *Conn // holds the write lock between two calls
	writerSince time.Time

	rowsRead, rowsWritten, bytesSynced atomic.Int64

	frames  frameCount
	queries queryLog
}

// maxIdle bounds the connections that are kept open for the next stream.
const maxIdle = 16

// Open opens or creates a database.
func Open(o Options) (*DB, error) {
	db := &DB{
		path: o.Path, txTimeout: o.TxTimeout, checkpointFrames: o.CheckpointFrames,
		closing: make(chan struct{}), busy: make(map[*Conn]bool),
	}
	db.checkpointFrames = cmp.Or(db.checkpointFrames, 1000)
	db.txTimeout = cmp.Or(db.txTimeout, 5*time.Second)
	if db.path == "" {
		dir, err := os.MkdirTemp("", "devstack-db-")
		if err != nil {
			return nil, fmt.Errorf("open database: %w", err)
		}
		db.temporary, db.path = dir, filepath.Join(dir, "data.db")
	}
	err := db.gens.open(db.path, db.temporary != "")
	var c *Conn
	if err == nil {
		c, err = open(db) // so that a file that is no database is refused here
	}
	if err != nil {
		if db.temporary != "" {
			err = errors.Join(err, os.RemoveAll(db.temporary))
		}
		return nil, err
	}
	db.frames.begin(db.gens.total())
	db.idle = append(db.idle, c)
	return db, nil
}

// pragmas are run on every new connection.
func (db *DB) pragmas() []string {
	synchronous := "PRAGMA synchronous = NORMAL"
	if db.temporary != "" {
		synchronous = "PRAGMA synchronous = OFF"
	}
	// libSQL is compiled with SQLITE_DEFAULT_FOREIGN_KEYS.
	return []string{"PRAGMA journal_mode = WAL", synchronous, "PRAGMA foreign_keys = ON"}
}

// Conn returns a connection. The caller closes it.
func (db *DB) Conn(ctx context.Context) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := db.enter(); err != nil {
		return nil, err
	}
	db.mu.Lock()
	if n := len(db.idle); n > 0 {
		c := db.idle[n-1]
		db.idle = db.idle[:n-1]
		db.busy[c] = true
		db.mu.Unlock()
		return c, nil
	}
	db.mu.Unlock()
	c, err := open(db)
	if err != nil {
		db.out.Done()
		return nil, err
	}
	db.mu.Lock()
	db.busy[c] = true
	db.mu.Unlock()
	return c, nil
}

// enter keeps the database from being closed until out.Done is called.
func (db *DB) enter() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return ErrClosed
	}
	db.out.Add(1)
	return nil
}

func (db *DB) put(c *Conn) {
	defer db.out.Done()
	db.mu.Lock()
	delete(db.busy, c)
	keep := !c.dirty && !db.closed && len(db.idle) < maxIdle
	if keep {
		db.idle = append(db.idle, c)
	}
	db.mu.Unlock()
	if !keep {
		c.destroy()
	}
}

// noteWriter remembers whether c holds the write lock now that its call is over.
func (db *DB) noteWriter(c *Conn) {
	writing := !c.autocommit() && c.writing()
	db.mu.Lock()
	defer db.mu.Unlock()
	switch {
	case writing && db.writer != c:
		db.writer, db.writerSince = c, time.Now()
	case !writing && db.writer == c:
		db.writer = nil
	}
}

// stealLock rolls back the transaction that holds the write lock if it has had it
// for too long and is not at work.
func (db *DB) stealLock() {
	db.mu.Lock()
	w := db.writer
	overdue := w != nil && time.Since(db.writerSince) > db.txTimeout
	db.mu.Unlock()
	if !overdue || !w.mu.TryLock() {
		return
	}
	defer w.mu.Unlock()
	if !w.autocommit() && w.writing() {
		w.rollback()
		w.timedOut = true
	}
}

// interruptUntilOut interrupts what runs and what begins, until every connection was closed.
func (db *DB) interruptUntilOut() {
	out := make(chan struct{})
	go func() {
		defer close(out)
		db.out.Wait()
	}()
	again := time.NewTicker(interruptAgain)
	defer again.Stop()
	for {
		db.mu.Lock()
		for c := range db.busy {
			lib.Xsqlite3_interrupt(c.tls, c.handle)
		}
		db.mu.Unlock()
		select {
		case <-out:
			return
		case <-again.C:
		}
	}
}

// Stats describe what a database did and how large it is.
type Stats struct {
	RowsRead, RowsWritten int64 // since it was opened
	StorageBytes          int64
	BytesSynced           int64 // to and from replicas, since it was opened
}

// CountSynced adds to the figures what was sent to a replica or came from one.
func (db *DB) CountSynced(bytes int64) { db.bytesSynced.Add(bytes) }

// Stats returns the current figures.
func (db *DB) Stats() Stats {
	st := Stats{RowsRead: db.rowsRead.Load(), RowsWritten: db.rowsWritten.Load(), BytesSynced: db.bytesSynced.Load()}
	for _, suffix := range []string{"", "-wal"} {
		if fi, err := os.Stat(db.path + suffix); err == nil {
			st.StorageBytes += fi.Size()
		}
	}
	return st
}

// Close interrupts what runs, waits until every connection was closed, and frees
// the database.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil
	}
	db.closed = true
	close(db.closing)
	idle := db.idle
	db.idle = nil
	db.mu.Unlock()
	for _, c := range idle {
		c.destroy()
	}
	db.interruptUntilOut()
	err := db.gens.log.close()
	if db.temporary != "" {
		err = errors.Join(err, os.RemoveAll(db.temporary))
	}
	return err
}
