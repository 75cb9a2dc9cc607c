//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
)

// localBusy is how long a read waits for the sync to switch to the next generation of
// the log, during which it locks the file.
const localBusy = 5 * time.Second

// replicaConn sends what may write to the database, and reads from the file.
type replicaConn struct {
	r      *replica
	remote libsql.RemoteConn
	file   *conn // nil before the first read
	// reading: the transaction is a read-only one, and of the file.
	reading bool
}

// atDatabase reports whether a statement is for the database: it may write, or it is in
// a transaction that is there.
func (c *replicaConn) atDatabase(query string) bool {
	return !c.remote.IsValid() || !hrana.OnlyReads(query)
}

// mayWrite is an error where nothing may be written.
func (c *replicaConn) mayWrite() error {
	if c.reading || c.r.config.ReadOnly {
		return hrana.ErrReadOnly
	}
	return nil
}

// local is the connection to the file.
func (c *replicaConn) local() (*conn, error) {
	if c.file != nil {
		return c.file, nil
	}
	d, err := openDatabase(c.r.config.Path, openReadOnly, localBusy)
	if err != nil {
		return nil, err
	}
	c.file = &conn{d: d}
	return c.file, nil
}

// ExecContext implements driver.ExecerContext.
func (c *replicaConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if !c.atDatabase(query) {
		file, err := c.local()
		if err != nil {
			return nil, err
		}
		return file.ExecContext(ctx, query, args)
	}
	if err := c.mayWrite(); err != nil {
		return nil, err
	}
	result, err := c.remote.ExecContext(ctx, query, args)
	return c.executed(ctx, result, err)
}

// QueryContext implements driver.QueryerContext.
func (c *replicaConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if !c.atDatabase(query) {
		file, err := c.local()
		if err != nil {
			return nil, err
		}
		return file.QueryContext(ctx, query, args)
	}
	if err := c.mayWrite(); err != nil {
		return nil, err
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

func (c *replicaConn) queried(ctx context.Context, rows driver.Rows, err error) (driver.Rows, error) {
	if err != nil {
		return nil, err
	}
	return &writtenRows{Rows: rows, c: c, ctx: ctx}, nil
}

// readBack brings the file up to date after a write, unless a transaction goes on.
func (c *replicaConn) readBack(ctx context.Context) error {
	if c.r.config.AllowStale || !c.remote.IsValid() {
		return nil
	}
	_, err := c.r.pulls.wait(ctx)
	return err
}

// Sync implements libsql.Syncer.
func (c *replicaConn) Sync(ctx context.Context) (libsql.Synced, error) { return c.r.pulls.wait(ctx) }

// Prepare implements driver.Conn.
func (c *replicaConn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext implements driver.ConnPrepareContext. Where a statement runs is known
// when it runs: it may be in a transaction then.
func (c *replicaConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s := &replicaStmt{c: c, reads: hrana.OnlyReads(query)}
	var err error
	if s.remote, err = c.remote.PrepareContext(ctx, query); err != nil || !s.reads {
		return s, err
	}
	file, err := c.local()
	if err != nil {
		return nil, err
	}
	if s.local, err = file.PrepareContext(ctx, query); err != nil {
		// A table may be newer than the replica. In a transaction the statement goes to
		// the database; here, the same error comes when it runs.
		s.local, s.unprepared = nil, err
	}
	return s, nil
}

// BeginTx implements driver.ConnBeginTx. A read-only transaction is of the file.
func (c *replicaConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if opts.ReadOnly || c.r.config.ReadOnly {
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

// ResetSession implements driver.SessionResetter.
func (c *replicaConn) ResetSession(context.Context) error {
	if !c.IsValid() {
		return driver.ErrBadConn
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

// readTx is a transaction of the file.
type readTx struct {
	driver.Tx
	c *replicaConn
}

// Commit implements driver.Tx.
func (t readTx) Commit() error { t.c.reading = false; return t.Tx.Commit() }

// Rollback implements driver.Tx.
func (t readTx) Rollback() error { t.c.reading = false; return t.Tx.Rollback() }

// writeTx is a transaction of the database.
type writeTx struct {
	driver.Tx
	c   *replicaConn
	ctx context.Context // of BeginTx: Commit is given none
}

// Commit implements driver.Tx.
func (t writeTx) Commit() error {
	if err := t.Tx.Commit(); err != nil {
		return err
	}
	if err := t.c.readBack(t.ctx); err != nil {
		return &libsql.AppliedError{Err: err}
	}
	return nil
}

// writtenRows are those of a statement that wrote, or of one in a transaction. The
// sync follows when they have been read.
type writtenRows struct {
	driver.Rows
	c    *replicaConn
	ctx  context.Context
	done bool
}

// ColumnTypeDatabaseTypeName returns the type that the column was declared with.
func (r *writtenRows) ColumnTypeDatabaseTypeName(i int) string {
	return r.Rows.(driver.RowsColumnTypeDatabaseTypeName).ColumnTypeDatabaseTypeName(i)
}

// Close implements driver.Rows.
func (r *writtenRows) Close() error {
	if r.done {
		return nil
	}
	r.done = true
	if err := r.Rows.Close(); err != nil {
		return err
	}
	if err := r.c.readBack(r.ctx); err != nil {
		return &libsql.AppliedError{Err: err}
	}
	return nil
}

// replicaStmt is a prepared statement.
type replicaStmt struct {
	c          *replicaConn
	reads      bool
	remote     driver.Stmt
	local      driver.Stmt // nil if it may write, or the file doesn't know its tables
	unprepared error       // why, then
}

// Close implements driver.Stmt.
func (s *replicaStmt) Close() error {
	err := s.remote.Close()
	if s.local != nil {
		err = errors.Join(err, s.local.Close())
	}
	return err
}

// NumInput leaves the counting to the drivers, which know names.
func (s *replicaStmt) NumInput() int { return -1 }

// here returns the statement of the file, if it is to run there.
func (s *replicaStmt) here() (driver.Stmt, error) {
	if !s.reads || !s.c.remote.IsValid() {
		return nil, s.c.mayWrite()
	}
	return s.local, s.unprepared
}

// ExecContext implements driver.StmtExecContext.
func (s *replicaStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	local, err := s.here()
	switch {
	case err != nil:
		return nil, err
	case local != nil:
		return local.(driver.StmtExecContext).ExecContext(ctx, args)
	}
	result, err := s.remote.(driver.StmtExecContext).ExecContext(ctx, args)
	return s.c.executed(ctx, result, err)
}

// QueryContext implements driver.StmtQueryContext.
func (s *replicaStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	local, err := s.here()
	switch {
	case err != nil:
		return nil, err
	case local != nil:
		return local.(driver.StmtQueryContext).QueryContext(ctx, args)
	}
	rows, err := s.remote.(driver.StmtQueryContext).QueryContext(ctx, args)
	return s.c.queried(ctx, rows, err)
}

// Exec and Query of driver.Stmt are superseded by the two above.
func (s *replicaStmt) Exec([]driver.Value) (driver.Result, error) { return nil, errNoContext }
func (s *replicaStmt) Query([]driver.Value) (driver.Rows, error)  { return nil, errNoContext }

// Interface guards
var (
	_ libsql.RemoteConn                     = (*replicaConn)(nil)
	_ libsql.Syncer                         = (*replicaConn)(nil)
	_ driver.StmtExecContext                = (*replicaStmt)(nil)
	_ driver.StmtQueryContext               = (*replicaStmt)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*writtenRows)(nil)
)
