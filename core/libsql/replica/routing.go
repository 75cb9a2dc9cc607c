//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/internal/link"
	"github.com/zen-auth/zen/internal/sqlite"
)

// localBusy limits how long a read waits for the sync to switch to the next generation of
// the log, during which it locks the file.
const localBusy = 5 * time.Second

// replicaConn sends what may write to the database, and reads from the file.
type replicaConn struct {
	r      *replica
	remote link.Conn
	file   *conn    // nil before the first read
	opened identity // of file
	// reading: the transaction is a read-only one, and of the file.
	reading bool
}

// atDatabase reports whether a statement is for the database: it may write, it is in a
// transaction that is there, or the file lacks what was written. reads says that it
// changes nothing.
func (c *replicaConn) atDatabase(ctx context.Context, reads bool) (bool, error) {
	switch {
	case !reads && (c.reading || c.r.options.ReadOnly):
		return false, hrana.ErrReadOnly
	case !reads || !c.remote.IsValid():
		return true, nil
	case c.reading || !c.r.behind.Load():
		return false, nil
	}
	_, _ = c.r.pulls.wait(ctx) // the read that was in its way may be over
	return c.r.behind.Load(), nil
}

// onlyReads is sqlite.OnlyReads, which was asked before of what the file has kept.
func (c *replicaConn) onlyReads(query string) bool {
	if c.file != nil {
		if s := c.file.d.kept[query]; s != nil {
			return s.reads
		}
	}
	return sqlite.OnlyReads(query)
}

// identity is what tells a file from others.
type identity struct{ device, inode uint64 }

// identify is os.Stat without what that allocates: it is asked at each use of a connection.
func identify(path string) (identity, error) {
	for {
		var stat syscall.Stat_t
		err := syscall.Stat(path, &stat)
		if !errors.Is(err, syscall.EINTR) {
			return identity{uint64(stat.Dev), stat.Ino}, err
		}
	}
}

// local returns the connection to the file.
func (c *replicaConn) local() (*conn, error) {
	if c.file != nil {
		return c.file, nil
	}
	opened, err := identify(c.r.options.Path)
	if err != nil {
		return nil, fmt.Errorf("open the replica: %w", &fs.PathError{Op: "stat", Path: c.r.options.Path, Err: err})
	}
	d, err := openDatabase(c.r.options.Path, openReadOnly, localBusy)
	if err != nil {
		return nil, err
	}
	c.opened = opened
	c.file = &conn{d: d, asText: c.r.options.TimesAsText}
	return c.file, nil
}

// ExecContext implements driver.ExecerContext.
func (c *replicaConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	there, err := c.atDatabase(ctx, c.onlyReads(query))
	if err != nil {
		return nil, err
	}
	if !there {
		file, err := c.local()
		if err != nil {
			return nil, err
		}
		return file.ExecContext(ctx, query, args)
	}
	result, err := c.remote.ExecContext(ctx, query, args)
	return c.executed(ctx, result, err)
}

// QueryContext implements driver.QueryerContext.
func (c *replicaConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	there, err := c.atDatabase(ctx, c.onlyReads(query))
	if err != nil {
		return nil, err
	}
	if !there {
		file, err := c.local()
		if err != nil {
			return nil, err
		}
		return file.QueryContext(ctx, query, args)
	}
	rows, err := c.remote.QueryContext(ctx, query, args)
	return c.queried(ctx, rows, err)
}

// executed follows a statement at the database with a sync.
func (c *replicaConn) executed(ctx context.Context, result driver.Result, err error) (driver.Result, error) {
	if err != nil {
		return nil, err
	}
	if err := c.readBack(ctx); err != nil {
		applied := &libsql.AppliedError{Err: err}
		applied.RowsAffected, _ = result.RowsAffected()
		id, idErr := result.LastInsertId()
		applied.LastInsertID, applied.HasLastInsertID = id, idErr == nil
		return nil, applied
	}
	return result, nil
}

// ExecBatch implements hrana.Batcher: all of it is for the database.
func (c *replicaConn) ExecBatch(ctx context.Context, stmts []hrana.Statement) ([]hrana.Result, error) {
	if _, err := c.atDatabase(ctx, false); err != nil {
		return nil, err
	}
	results, err := c.remote.(hrana.Batcher).ExecBatch(ctx, stmts)
	if len(results) > 0 {
		if behind := c.readBack(ctx); err == nil && behind != nil {
			err = &libsql.AppliedError{Err: behind}
		}
	}
	return results, err
}

func (c *replicaConn) queried(ctx context.Context, rows driver.Rows, err error) (driver.Rows, error) {
	if err != nil {
		return nil, err
	}
	return &writtenRows{Rows: rows, c: c, ctx: ctx}, nil
}

// readBack brings the file up to date after a write, unless a transaction goes on.
func (c *replicaConn) readBack(ctx context.Context) error {
	if c.r.options.AllowStale || !c.remote.IsValid() {
		return nil
	}
	_, err := c.r.pulls.wait(ctx)
	if errors.Is(err, errBusy) {
		// A read on this machine is in the way, or the sync of another program, and no
		// write should fail for that: until it is over, reads go to the database.
		c.r.behind.Store(true)
		return nil
	}
	return err
}

// Sync implements link.Syncer.
func (c *replicaConn) Sync(ctx context.Context) (link.Synced, error) { return c.r.pulls.wait(ctx) }

// Prepare implements driver.Conn.
func (c *replicaConn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext implements driver.ConnPrepareContext. Where a statement runs is known
// when it runs: it may be in a transaction then.
func (c *replicaConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	remote, err := c.remote.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &replicaStmt{c: c, query: query, reads: sqlite.OnlyReads(query), remote: remote}, nil
}

// BeginTx implements driver.ConnBeginTx. A read-only transaction is of the file.
func (c *replicaConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if opts.ReadOnly || c.r.options.ReadOnly {
		file, err := c.local()
		if err != nil {
			return nil, err
		}
		opts.ReadOnly = true
		t, err := file.BeginTx(ctx, opts)
		if err != nil {
			return nil, err
		}
		c.reading = true
		return readTx{t, c}, nil
	}
	t, err := c.remote.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return writeTx{t, c, ctx}, nil
}

// Begin implements driver.Conn.
func (c *replicaConn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// Ping reads the file: a replica is there also without a network.
func (c *replicaConn) Ping(ctx context.Context) error {
	file, err := c.local()
	if err != nil {
		return err
	}
	return file.Ping(ctx)
}

// CheckNamedValue implements driver.NamedValueChecker.
func (c *replicaConn) CheckNamedValue(nv *driver.NamedValue) error {
	return c.remote.CheckNamedValue(nv)
}

// ResetSession implements driver.SessionResetter. A file that was set aside, by whatever
// program, is no longer the replica.
func (c *replicaConn) ResetSession(context.Context) error {
	if !c.IsValid() {
		return driver.ErrBadConn
	}
	if c.file != nil {
		if now, err := identify(c.r.options.Path); err != nil || now != c.opened {
			return driver.ErrBadConn
		}
	}
	return nil
}

// IsValid implements driver.Validator.
func (c *replicaConn) IsValid() bool {
	return c.remote.IsValid() && (c.file == nil || c.file.IsValid())
}

// Close implements driver.Conn.
func (c *replicaConn) Close() error {
	err := c.remote.Close()
	if c.file != nil {
		err = errors.Join(err, c.file.Close())
	}
	return err
}

// Interface guards
var (
	_ link.Conn   = (*replicaConn)(nil)
	_ link.Syncer = (*replicaConn)(nil)
)
