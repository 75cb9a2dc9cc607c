package hrana

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	"github.com/zen-auth/zen/internal/sqlite"
)

// conn is a connection as database/sql sees it. Outside a transaction it has no
// state: every statement is a request with a stream of its own.
type conn struct {
	c    *Connector
	st   *stream // of the open transaction, or nil
	rows *rows   // that still read an answer of st, or nil

	settings []step // that PRAGMAs made, for every new stream; see settings.go
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

// PrepareContext takes the text apart, and has the server look at it when it is first
// prepared on any connection: bad SQL is an error here. The server keeps nothing of it.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmts, err := sqlite.Parse(query)
	if err != nil {
		return nil, fmt.Errorf("hrana: %w", err)
	}
	// What a transaction has made of the schema only its own stream knows.
	if len(stmts) == 1 && c.st == nil && !c.c.checked.has(query) {
		r, _, err := c.c.run(ctx, call{describe: query, closing: true, repeatable: true})
		if err != nil {
			return nil, err
		}
		if r.err != nil {
			return nil, r.err
		}
		c.c.checked.add(query)
	}
	return &stmt{c: c, stmts: stmts}, nil
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	stmts, err := sqlite.Parse(query)
	if err != nil {
		return nil, fmt.Errorf("hrana: %w", err)
	}
	return c.exec(ctx, stmts, args)
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	stmts, err := sqlite.Parse(query)
	if err != nil {
		return nil, fmt.Errorf("hrana: %w", err)
	}
	return c.query(ctx, stmts, args)
}

// exec runs the statements in one request, each after the success of the one
// before, and returns the result of the last.
func (c *conn) exec(ctx context.Context, stmts []sqlite.Statement, args []driver.NamedValue) (driver.Result, error) {
	if len(stmts) == 0 {
		return result{}, nil
	}
	if gone, err := c.forget(stmts); gone {
		return result{}, err
	}
	st, steps, first, err := c.prepare(stmts, args, false)
	if err != nil {
		return nil, err
	}
	r, _, err := c.c.run(ctx, call{st: st, steps: steps, probe: c.probes(st), closing: st == nil})
	if err = c.leave(stmts, r, c.settle(st, r, first, err)); err != nil {
		return nil, err
	}
	c.set(stmts, nil)
	return result{r.steps[len(r.steps)-1]}, nil
}

// query runs one statement and streams its rows, or several and keeps them.
func (c *conn) query(ctx context.Context, stmts []sqlite.Statement, args []driver.NamedValue) (driver.Rows, error) {
	if len(stmts) == 0 {
		return nil, errors.New("hrana: query without a statement")
	}
	st, steps, first, err := c.prepare(stmts, args, true)
	if err != nil {
		return nil, err
	}
	k := call{
		st: st, steps: steps, mode: streamRows, target: first, probe: c.probes(st),
		closing: st == nil, repeatable: st == nil && sqlite.OnlyRead(stmts),
	}
	if len(stmts) > 1 {
		return c.querySeveral(ctx, k, stmts)
	}
	r, x, err := c.c.run(ctx, k)
	if err == nil && r.paused {
		cols := r.steps[first].cols
		rs := &rows{c: c, st: st, x: x, src: r, cols: cols, times: c.c.times(cols)}
		c.reading(st, rs)
		c.set(stmts, nil)
		return rs, nil
	}
	err = c.settle(st, r, first, err)
	if tooLarge(err) && stmts[0].Verb == sqlite.Read && c.c.version.Load() == 3 {
		stmt := steps[first]
		stmt.condition = ""
		return c.queryCursor(ctx, st, stmt)
	}
	if err = c.leave(stmts, r, err); err != nil {
		return nil, err
	}
	c.set(stmts, nil)
	return c.c.newKeptRows(&r.steps[first])
}

// querySeveral runs several statements in one request. All their rows are kept:
// an answer says only at its end which of them failed.
func (c *conn) querySeveral(ctx context.Context, k call, stmts []sqlite.Statement) (driver.Rows, error) {
	k.mode = keepRows
	r, _, err := c.c.run(ctx, k)
	err = c.leave(stmts, r, c.settle(k.st, r, k.target, err))
	if r == nil {
		return nil, err
	}
	c.set(stmts, err)
	return c.c.newResultSets(r.steps[k.target:], err)
}

// prepare checks that the statements can run now with these arguments, and makes
// the steps of a request of them.
func (c *conn) prepare(stmts []sqlite.Statement, args []driver.NamedValue, wantRows bool) (st *stream, steps []step, first int, err error) {
	if len(stmts) > 1 && len(args) > 0 {
		return nil, nil, 0, &ArgumentError{Message: "hrana: several statements in one text can't take arguments"}
	}
	if err := c.ready(stmts); err != nil {
		return nil, nil, 0, err
	}
	steps = make([]step, 0, len(stmts)+1)
	for i := range stmts {
		if err := stmts[i].Params.Check(args); err != nil {
			return nil, nil, 0, fmt.Errorf("hrana: %w", err)
		}
		steps = append(steps, step{sql: stmts[i].SQL, params: stmts[i].Params, args: args, wantRows: wantRows})
	}
	st = c.enter(stmts)
	steps, first = st.program(steps, c.c.version.Load(), c.settings)
	return st, steps, first, nil
}

// ready checks that the connection can run the statements now. Rows that are
// still open read the answer before: their rest is taken into memory, because
// the next baton comes after it.
func (c *conn) ready(stmts []sqlite.Statement) error {
	if err := c.st.unusable(); err != nil {
		return err
	}
	if c.st == nil {
		return nil
	}
	if c.st.readOnly && !sqlite.OnlyRead(stmts) {
		return ErrReadOnly
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
	case st.raw || st.begun || first == 0:
	case r.err != nil && c.c.version.Load() != 3:
		c.lose(st, err) // BEGIN may have failed, and Hrana 2 has no guard
	case slices.ContainsFunc(r.steps[:first], func(o outcome) bool { return o.err != nil }):
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
	nv.Value, err = sqlite.CheckValue(nv.Value)
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
