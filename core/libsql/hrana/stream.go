package hrana

import (
	"context"
	"fmt"
)

// stream is a SQLite connection on the server that outlives a request: a
// transaction's. The next request on it must show the baton of the last.
type stream struct {
	baton    string
	base     endpoints
	mode     TxMode
	readOnly bool
	raw      bool  // begun by a BEGIN or SAVEPOINT statement, not by BeginTx
	begun    bool  // BEGIN was sent
	lost     error // why the stream can't be used any more
}

// program makes a batch of statements for the stream, nil meaning autocommit,
// and tells at which step they begin. Each step runs only if the one before
// succeeded. In a transaction none runs outside of it: BEGIN travels as step 0
// of the first batch, and later ones check that the server still has it open
// (which Hrana 2 can't).
func (st *stream) program(stmts []step, version int32) (steps []step, first int) {
	guard := ""
	switch {
	case st == nil || st.raw:
	case !st.begun:
		stmts = append([]step{{sql: st.mode.begin()}}, stmts...)
		first = 1
	case version == 3:
		guard = inTransaction
	}
	for i := range stmts {
		switch {
		case i == 0:
			stmts[i].condition = guard
		case guard == "":
			stmts[i].condition = ok(i - 1)
		default:
			stmts[i].condition = and(ok(i-1), guard)
		}
	}
	return stmts, first
}

// use takes over what an answer says about the stream.
func (st *stream) use(baton, baseURL string) error {
	if baton == "" {
		return protocolError("the server closed the stream of an open transaction")
	}
	st.baton = baton
	var err error
	st.base, err = st.base.follow(baseURL)
	return err
}

// unusable reports why no statement can run on the stream, if that is so.
func (st *stream) unusable() error {
	if st == nil || st.lost == nil {
		return nil
	}
	return fmt.Errorf("%w; the transaction was lost by that", st.lost)
}

// run sends a pipeline and reads the answer up to the target's rows, or all of
// it: then reply.paused is false and the exchange is closed.
func (c *Connector) run(ctx context.Context, st *stream, steps []step, mode rowMode, target int, closing bool) (*reply, *exchange, error) {
	base, baton := &c.base, ""
	if st != nil {
		base, baton = &st.base, st.baton
	}
	size := 128
	for i := range steps {
		size += 128 + len(steps[i].sql) + 64*len(steps[i].args)
	}
	body := appendPipeline(make([]byte, 0, size), baton, steps, closing)
	x, err := c.pipeline(ctx, base, baton != "", body)
	if err != nil {
		return nil, nil, err
	}
	r := &reply{
		s: x.s, mode: mode, target: target, closing: closing,
		batch:  len(steps) > 1 || len(steps) == 1 && steps[0].condition != "",
		steps:  make([]outcome, len(steps)),
		budget: budget(c.config.MaxMemory),
	}
	err = r.start()
	if !r.paused {
		x.close(err != nil)
	}
	if err != nil {
		return nil, nil, err
	}
	return r, x, nil
}

// verdict finds the first failure among a program's steps. What goes before
// first is the driver's own.
func verdict(failed *Error, steps []outcome, first int) error {
	if failed != nil {
		return failed
	}
	for i := range steps {
		switch o := &steps[i]; {
		case o.err != nil:
			if len(steps)-first > 1 && i >= first {
				o.err.Statement = i - first + 1
			}
			return o.err
		case !o.done:
			return ErrNoTransaction
		}
	}
	return nil
}
