package hrana

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// conn is a connection as database/sql sees it. Outside a transaction it has no
// state: every statement is a request with a stream of its own.
type conn struct {
	c    *Connector
	st   *stream // of the open transaction, or nil
	rows *rows   // that still read an answer of st, or nil
}

// Ping asks the server, in one round trip, whether it answers a query.
func (c *conn) Ping(ctx context.Context) error {
	r, _, err := c.c.run(ctx, call{steps: []step{{sql: "SELECT 1"}}, closing: true, repeatable: true})
	if err != nil {
		return err
	}
	return verdict(r.err, r.steps, 0)
}

func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext takes the text apart and asks the server nothing: preparing
// there would cost every statement a second round trip.
func (c *conn) PrepareContext(_ context.Context, query string) (driver.Stmt, error) {
	stmts, err := parseScript(query)
	if err != nil {
		return nil, fmt.Errorf("hrana: %w", err)
	}
	return &stmt{c: c, stmts: stmts}, nil
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	stmts, err := parseScript(query)
	if err != nil {
		return nil, fmt.Errorf("hrana: %w", err)
	}
	return c.exec(ctx, stmts, args)
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	stmts, err := parseScript(query)
	if err != nil {
		return nil, fmt.Errorf("hrana: %w", err)
	}
	return c.query(ctx, stmts, args)
}

// exec runs the statements in one request, each after the success of the one
// before, and returns the result of the last.
func (c *conn) exec(ctx context.Context, stmts []statement, args []driver.NamedValue) (driver.Result, error) {
	if len(stmts) > 1 && len(args) > 0 {
		return nil, errors.New("hrana: several statements in one text can't take arguments")
	}
	if len(stmts) == 0 {
		return result{}, nil
	}
	if err := c.ready(stmts); err != nil {
		return nil, err
	}
	steps := make([]step, 0, len(stmts)+1)
	for i := range stmts {
		if err := stmts[i].params.check(args); err != nil {
			return nil, fmt.Errorf("hrana: %w", err)
		}
		steps = append(steps, step{sql: stmts[i].sql, params: stmts[i].params, args: args})
	}
	st := c.enter(stmts)
	steps, first := st.program(steps, c.c.version.Load())
	r, _, err := c.c.run(ctx, call{st: st, steps: steps, closing: st == nil})
	if err = c.leave(stmts, c.settle(st, r, first, err)); err != nil {
		return nil, err
	}
	return result{r.steps[len(r.steps)-1]}, nil
}

// query runs one statement and streams its rows.
func (c *conn) query(ctx context.Context, stmts []statement, args []driver.NamedValue) (driver.Rows, error) {
	if len(stmts) != 1 {
		return nil, fmt.Errorf("hrana: query takes one statement, got %d", len(stmts))
	}
	if err := c.ready(stmts); err != nil {
		return nil, err
	}
	if err := stmts[0].params.check(args); err != nil {
		return nil, fmt.Errorf("hrana: %w", err)
	}
	st := c.enter(stmts)
	stmt := step{sql: stmts[0].sql, params: stmts[0].params, args: args, wantRows: true}
	steps, first := st.program([]step{stmt}, c.c.version.Load())
	r, x, err := c.c.run(ctx, call{
		st: st, steps: steps, mode: streamRows, target: first,
		closing: st == nil, repeatable: st == nil && stmts[0].verb == verbRead,
	})
	if err == nil && r.paused {
		rs := &rows{c: c, st: st, x: x, src: r, cols: r.steps[first].cols}
		c.reading(st, rs)
		return rs, nil
	}
	err = c.settle(st, r, first, err)
	if tooLarge(err) && stmts[0].verb == verbRead && c.c.version.Load() == 3 {
		return c.queryCursor(ctx, st, stmt)
	}
	if err = c.leave(stmts, err); err != nil {
		return nil, err
	}
	return newKeptRows(&r.steps[first])
}

// ready checks that the connection can run the statements now. Rows that are
// still open read the answer before: their rest is taken into memory, because
// the next baton comes after it.
func (c *conn) ready(stmts []statement) error {
	if err := c.st.unusable(); err != nil {
		return err
	}
	if c.st == nil {
		return nil
	}
	if c.st.readOnly {
		for i := range stmts {
			if stmts[i].verb != verbRead {
				return ErrReadOnly
			}
		}
	}
	return c.keepRows()
}

func (c *conn) keepRows() error {
	if c.rows == nil {
		return nil
	}
	c.rows.keep()
	return c.st.unusable()
}

// enter returns the stream to run statements on. BEGIN or SAVEPOINT as a
// statement opens one, so that it works on a sql.Conn.
func (c *conn) enter(stmts []statement) *stream {
	if c.st == nil && inTransactionAfter(stmts, false) {
		c.st = &stream{raw: true, base: c.c.base}
	}
	return c.st
}

// leave follows the statements of a transaction that BEGIN as a statement
// began: COMMIT as a statement gives up its stream, and so does the failure of
// the very request that held BEGIN.
func (c *conn) leave(stmts []statement, err error) error {
	if c.st == nil || !c.st.raw || c.st.lost != nil {
		return err
	}
	failed := err != nil && !c.st.begun
	ended := err == nil && !inTransactionAfter(stmts, true)
	if failed || ended {
		_ = c.Close()
		return err
	}
	c.st.begun = true
	return err
}

// inTransactionAfter reports whether a transaction is open after the
// statements, given whether one was before.
func inTransactionAfter(stmts []statement, open bool) bool {
	for i := range stmts {
		switch stmts[i].verb {
		case verbBegin:
			open = true
		case verbEnd:
			open = false
		}
	}
	return open
}

// settle draws the consequences of a finished request for the stream, and
// returns what failed.
func (c *conn) settle(st *stream, r *reply, first int, err error) error {
	if err == nil && st != nil {
		err = st.use(r.baton, r.baseURL)
	}
	if err != nil {
		c.lose(st, err)
		return err
	}
	err = verdict(r.err, r.steps, first)
	if st == nil {
		return err
	}
	switch {
	case r.err != nil && first == 1 && c.c.version.Load() != 3:
		c.lose(st, err) // BEGIN may have failed, and Hrana 2 has no guard
	case first == 1 && r.steps[0].err != nil:
		c.lose(st, err)
	}
	st.begun = st.begun || !st.raw
	return err
}

// lose marks the stream as unusable and gives it up on the server, which rolls
// back.
func (c *conn) lose(st *stream, err error) {
	if st == nil {
		return
	}
	st.lost = err
	c.c.abandon(*st)
	st.baton = ""
}

// reading notes that rs must be read before the next request on st.
func (c *conn) reading(st *stream, rs *rows) {
	if st != nil {
		st.begun = true // rows came, so BEGIN went well
		c.rows = rs
	}
}

// CheckNamedValue makes an argument sendable.
func (c *conn) CheckNamedValue(nv *driver.NamedValue) (err error) {
	nv.Value, err = checkValue(nv.Value)
	return err
}

// ResetSession is called when the connection is taken out of the pool.
func (c *conn) ResetSession(context.Context) error {
	if !c.IsValid() {
		return driver.ErrBadConn
	}
	return nil
}

// IsValid is called when the connection goes back to the pool. One with a
// transaction that was left open, or lost, is closed instead.
func (c *conn) IsValid() bool { return c.st == nil }

// Close gives up a transaction that is still open.
func (c *conn) Close() error {
	if c.st != nil {
		if c.rows != nil {
			c.rows.finish(errCutOff)
		}
		c.c.abandon(*c.st)
		c.st = nil
	}
	return nil
}

// Interface guards
var (
	_ driver.Conn               = (*conn)(nil)
	_ driver.ConnBeginTx        = (*conn)(nil)
	_ driver.ConnPrepareContext = (*conn)(nil)
	_ driver.ExecerContext      = (*conn)(nil)
	_ driver.QueryerContext     = (*conn)(nil)
	_ driver.NamedValueChecker  = (*conn)(nil)
	_ driver.Pinger             = (*conn)(nil)
	_ driver.SessionResetter    = (*conn)(nil)
	_ driver.Validator          = (*conn)(nil)
)
