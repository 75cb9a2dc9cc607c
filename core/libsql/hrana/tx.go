package hrana

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// tx ends the transaction of its connection's stream.
type tx struct {
	c   *conn
	ctx context.Context // of BeginTx: Commit and Rollback are given none
}

func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// BeginTx begins a transaction. SQLite's are serializable, and no other level
// can be asked for. A deferred BEGIN holds nothing yet, so it waits for the
// first statement and travels with it.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	switch level := sql.IsolationLevel(opts.Isolation); level {
	case sql.LevelDefault, sql.LevelSerializable:
	default:
		return nil, fmt.Errorf("hrana: isolation level %s is not supported, SQLite's is serializable", level)
	}
	if c.st != nil {
		return nil, errors.New("hrana: a transaction is already open on this connection")
	}
	c.st = &stream{base: c.c.base, mode: c.c.config.TxMode, readOnly: opts.ReadOnly}
	if opts.ReadOnly {
		c.st.mode = Deferred
	}
	t := &tx{c: c, ctx: ctx}
	if c.st.mode == Deferred {
		return t, nil
	}
	st := c.st
	begin, _ := (*stream)(nil).program([]step{{sql: st.mode.begin()}}, c.c.version.Load(), c.settings)
	r, _, err := c.c.run(ctx, call{st: st, steps: begin})
	if err = c.settle(st, r, 0, err); err != nil {
		_ = c.Close()
		return nil, err
	}
	return t, nil
}

// Commit sends COMMIT and close in one request. After an error that is the
// server's the transaction is rolled back; after one of the network it is not
// known which.
func (t *tx) Commit() error {
	c, st := t.c, t.c.st
	if st == nil {
		return sql.ErrTxDone
	}
	if err := c.keepRows(); err != nil {
		return err
	}
	if err := st.unusable(); err != nil {
		return err
	}
	c.st = nil
	if !st.begun {
		return nil
	}
	r, _, err := c.c.run(t.ctx, call{st: st, steps: []step{{sql: "COMMIT"}}, closing: true})
	if err != nil {
		c.lose(st, err)
		return err
	}
	return verdict(r.err, r.steps, 0)
}

// Rollback sends ROLLBACK and close in one request, whatever became of the
// transaction's context. That the server has no transaction to roll back any
// more is no error.
func (t *tx) Rollback() error {
	c, st := t.c, t.c.st
	if st == nil {
		return sql.ErrTxDone
	}
	if c.rows != nil {
		_ = c.rows.Close()
	}
	c.st = nil
	if !st.begun || st.lost != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), closeTimeout)
	defer cancel()
	if _, _, err := c.c.run(ctx, call{st: st, steps: []step{{sql: "ROLLBACK"}}, closing: true}); err != nil {
		c.lose(st, err)
		return err
	}
	return nil
}
