package hrana

import (
	"context"
	"errors"
)

// tooLarge reports that the result exceeds what the server puts in one answer
// (10 MB at sqld).
func tooLarge(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == "RESPONSE_TOO_LARGE"
}

// queryCursor runs a reading statement again through the cursor endpoint, which
// has no limit: the server sends rows while it finds them.
func (c *conn) queryCursor(ctx context.Context, st *stream, stmt step) (*rows, error) {
	steps, first := st.program([]step{stmt}, 3, c.settings)
	base, baton := c.c.at(st)
	x, err := c.c.post(ctx, base.cursor, message{
		body: appendCursor(nil, baton, steps), onStream: baton != "", repeatable: st == nil,
	})
	if err != nil {
		c.lose(st, err)
		return nil, err
	}
	src := &cursor{s: x.s, target: first, steps: make([]outcome, len(steps))}
	rs := &rows{c: c, st: st, x: x, src: src}
	c.reading(st, rs)
	if err := src.start(); err != nil {
		rs.finish(err)
		return nil, rs.err
	}
	if src.ended {
		rs.finish(nil)
		return nil, rs.err
	}
	rs.cols = src.steps[first].cols
	rs.times = c.c.times(rs.cols)
	return rs, nil
}

func (c *cursor) after() (baton, baseURL string, err error) {
	return c.baton, c.baseURL, verdict(nil, c.steps, c.target)
}

func (r *reply) after() (baton, baseURL string, err error) {
	return r.baton, r.baseURL, verdict(r.err, r.steps, r.target)
}
