//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"context"
	"database/sql/driver"

	"github.com/zen-auth/zen/core/libsql"
)

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

// Interface guards
var _ driver.RowsColumnTypeDatabaseTypeName = (*writtenRows)(nil)
