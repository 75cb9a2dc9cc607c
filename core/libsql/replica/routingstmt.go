//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"context"
	"database/sql/driver"
	"errors"
)

// replicaStmt is a prepared statement.
type replicaStmt struct {
	c      *replicaConn
	query  string
	reads  bool
	remote driver.Stmt
	local  driver.Stmt // nil until it runs there
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
func (s *replicaStmt) here(ctx context.Context) (driver.Stmt, error) {
	there, err := s.c.atDatabase(ctx, s.reads)
	if err != nil || there {
		return nil, err
	}
	if s.local == nil {
		file, err := s.c.local()
		if err != nil {
			return nil, err
		}
		if s.local, err = file.PrepareContext(ctx, s.query); err != nil {
			return nil, err // a sync may bring the table
		}
	}
	return s.local, nil
}

// ExecContext implements driver.StmtExecContext.
func (s *replicaStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	local, err := s.here(ctx)
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
	local, err := s.here(ctx)
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
	_ driver.StmtExecContext  = (*replicaStmt)(nil)
	_ driver.StmtQueryContext = (*replicaStmt)(nil)
)
