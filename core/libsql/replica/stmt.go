//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"context"
	"database/sql/driver"
	"errors"
)

// stmt is a prepared statement.
type stmt struct {
	c     *conn
	s     *statement
	query string
}

// Close implements driver.Stmt. Rows that still read from it own it from now on.
func (s *stmt) Close() error {
	switch {
	case s.s == nil:
	case s.s.busy:
		s.s.orphan = true
	default:
		_ = s.c.d.release(s.s) // it has been reset before
	}
	s.s = nil
	return nil
}

// NumInput leaves the counting to the driver, which knows names.
func (s *stmt) NumInput() int { return -1 }

// ExecContext implements driver.StmtExecContext.
func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if s.s.busy {
		return s.c.ExecContext(ctx, s.query, args)
	}
	defer s.s.reset() // its error, if any, is exec's
	return s.c.exec(ctx, s.s, args)
}

// QueryContext implements driver.StmtQueryContext.
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if s.s.busy {
		return s.c.QueryContext(ctx, s.query, args)
	}
	return s.c.query(ctx, s.s, args, false)
}

// Exec and Query of driver.Stmt are superseded by the two above.
func (s *stmt) Exec([]driver.Value) (driver.Result, error) { return nil, errNoContext }
func (s *stmt) Query([]driver.Value) (driver.Rows, error)  { return nil, errNoContext }

var errNoContext = errors.New("sqlite: call the method that takes a context")

// result is the result of Exec.
type result struct{ id, changed int64 }

func (r result) LastInsertId() (int64, error) { return r.id, nil }
func (r result) RowsAffected() (int64, error) { return r.changed, nil }

// Interface guards
var (
	_ driver.StmtExecContext  = (*stmt)(nil)
	_ driver.StmtQueryContext = (*stmt)(nil)
)
