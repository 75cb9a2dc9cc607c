//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
)

// BeginTx implements driver.ConnBeginTx.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	switch level := sql.IsolationLevel(opts.Isolation); level {
	case sql.LevelDefault, sql.LevelSerializable:
	default:
		return nil, fmt.Errorf("sqlite: isolation level %s is not supported, SQLite's is serializable", level)
	}
	begin := "BEGIN"
	if c.immediate && !opts.ReadOnly {
		begin = "BEGIN IMMEDIATE"
	}
	if opts.ReadOnly {
		begin += "; PRAGMA query_only = 1"
	}
	if _, err := c.ExecContext(ctx, begin, nil); err != nil {
		return nil, err
	}
	return &tx{c, opts.ReadOnly}, nil
}

// Begin implements driver.Conn.
func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// tx ends a transaction.
type tx struct {
	c        *conn
	readOnly bool
}

// Commit implements driver.Tx. A transaction that can't be committed is rolled back:
// database/sql takes it as over.
func (t *tx) Commit() error {
	err := t.end("COMMIT")
	if err != nil && !t.c.d.autocommit() {
		_ = t.end("ROLLBACK")
	}
	return err
}

// Rollback implements driver.Tx.
func (t *tx) Rollback() error {
	if t.c.d.autocommit() { // a conflict clause ROLLBACK was there before
		return nil
	}
	return t.end("ROLLBACK")
}

func (t *tx) end(how string) error {
	if t.readOnly {
		how += "; PRAGMA query_only = 0"
	}
	_, err := t.c.ExecContext(context.Background(), how, nil)
	return err
}
