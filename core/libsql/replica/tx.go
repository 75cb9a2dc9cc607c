//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
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
	c.inTx = true
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
	err := t.c.lost()
	if err == nil {
		err = t.run("COMMIT")
	}
	return errors.Join(err, t.Rollback())
}

// Rollback implements driver.Tx. SQLite may have rolled back by itself before.
func (t *tx) Rollback() (err error) {
	t.c.inTx = false
	if !t.c.d.autocommit() {
		err = t.run("ROLLBACK")
	}
	if t.readOnly {
		err = errors.Join(err, t.run("PRAGMA query_only = 0"))
	}
	return err
}

func (t *tx) run(statement string) error {
	_, err := t.c.ExecContext(context.Background(), statement, nil)
	return err
}
