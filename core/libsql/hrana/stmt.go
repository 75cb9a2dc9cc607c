package hrana

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/zen-auth/zen/internal/sqlite"
)

// stmt is a prepared statement: text that has been taken apart. The server
// knows nothing of it, so it costs nothing to keep.
type stmt struct {
	c     *conn
	stmts []sqlite.Statement
}

func (s *stmt) Close() error { return nil }

// NumInput leaves the counting to the driver, which knows names.
func (s *stmt) NumInput() int { return -1 }

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.c.exec(ctx, s.stmts, args)
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.c.query(ctx, s.stmts, args)
}

// Exec and Query of driver.Stmt are superseded by the two above.
func (s *stmt) Exec([]driver.Value) (driver.Result, error) { return nil, errNoContext }
func (s *stmt) Query([]driver.Value) (driver.Rows, error)  { return nil, errNoContext }

var errNoContext = errors.New("hrana: call the method that takes a context")

// result is the result of Exec.
type result struct{ outcome }

// LastInsertId returns the rowid of an INSERT.
func (r result) LastInsertId() (int64, error) {
	if !r.hasRowID {
		return 0, errors.New("hrana: the server reported no row id: the statement was no INSERT")
	}
	return r.rowID, nil
}

// RowsAffected returns how many rows INSERT, UPDATE or DELETE changed.
func (r result) RowsAffected() (int64, error) { return r.affected, nil }

// Interface guards
var (
	_ driver.Stmt             = (*stmt)(nil)
	_ driver.StmtExecContext  = (*stmt)(nil)
	_ driver.StmtQueryContext = (*stmt)(nil)
	_ driver.Result           = result{}
)
