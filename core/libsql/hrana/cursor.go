package hrana

import "database/sql/driver"

// cursor reads the answer of a cursor endpoint: JSON values one after the
// other, the first with the baton, then the entries of each step. Hrana 3.
type cursor struct {
	s      *scanner
	target int // step whose rows are wanted

	baton   string
	baseURL string
	steps   []outcome

	step  int // between step_begin and step_end, else -1
	ended bool
}

// entry is one line, whatever its type. Its row, if it is one of the target's,
// goes straight to where it is wanted.
type entry struct {
	kind   string
	step   int64
	cols   []column
	hasRow bool
	err    *Error
}

// start reads to where the target's columns are known, or to the end.
func (c *cursor) start() error {
	c.step = -1
	if err := c.s.open('{'); err != nil {
		return err
	}
	err := c.s.object(func(key []byte) (err error) {
		switch string(key) {
		case "baton":
			c.baton, err = c.s.text()
		case "base_url":
			c.baseURL, err = c.s.text()
		default:
			err = c.s.skip()
		}
		return err
	})
	for err == nil && !c.ended && !c.steps[c.target].hasCols {
		_, err = c.entry(nil)
	}
	return err
}

// row reads the target's next row. It returns false after the last one, when
// the whole answer is read. The error of the target is in its outcome.
func (c *cursor) row(dest []driver.Value) (bool, error) {
	for !c.ended {
		if row, err := c.entry(dest); row || err != nil {
			return row, err
		}
	}
	return false, nil
}

// entry reads the next line and reports whether it held a row of the target.
func (c *cursor) entry(dest []driver.Value) (row bool, err error) {
	if _, err := c.s.peek(); err == errCutShort {
		c.ended = true
		if c.step >= 0 {
			return false, err
		}
		return false, nil
	}
	if dest != nil && c.step >= 0 && c.step == c.target && c.s.quickRow() {
		if err := c.s.row(dest); err != nil {
			return false, err
		}
		return true, c.s.object(func([]byte) error { return c.s.skip() })
	}
	e, err := c.read(dest)
	if err != nil {
		return false, err
	}
	switch e.kind {
	case "step_begin":
		if c.step >= 0 || e.step < 0 || e.step >= int64(len(c.steps)) {
			return false, protocolError("cursor begins step %d out of turn", e.step)
		}
		c.step = int(e.step)
		c.steps[c.step].cols, c.steps[c.step].hasCols = e.cols, true
	case "step_end":
		if c.step < 0 {
			return false, protocolError("cursor ends a step that never began")
		}
		c.steps[c.step].done = true
		c.step = -1
	case "step_error":
		if e.err == nil || e.step < 0 || e.step >= int64(len(c.steps)) {
			return false, protocolError("cursor reports an error of step %d", e.step)
		}
		c.steps[e.step].err = e.err
		c.step = -1
	case "error":
		if e.err == nil {
			return false, protocolError("cursor reports an error without saying which")
		}
		c.step = -1
		return false, e.err
	case "row":
		if c.step < 0 || !e.hasRow {
			return false, protocolError("cursor has a row outside of a step")
		}
		return c.step == c.target, nil
	}
	return false, nil
}

func (c *cursor) read(dest []driver.Value) (e entry, err error) {
	if err := c.s.open('{'); err != nil {
		return e, err
	}
	err = c.s.object(func(key []byte) (err error) {
		switch string(key) {
		case "type":
			var b []byte
			if b, err = c.s.str(); err == nil {
				e.kind = entryKind(b)
			}
		case "step":
			e.step, _, err = c.s.integer()
		case "cols":
			e.cols, err = c.s.columns()
		case "error":
			e.err, err = c.s.hranaError()
		case "row":
			e.hasRow = true
			if c.step == c.target && dest != nil {
				return c.s.row(dest)
			}
			err = c.s.skip()
		default:
			err = c.s.skip()
		}
		return err
	})
	return e, err
}

// entryKind returns a constant for the kinds that matter, so that a row costs
// no allocation for its type.
func entryKind(b []byte) string {
	for _, k := range [...]string{"row", "step_begin", "step_end", "step_error", "error"} {
		if string(b) == k {
			return k
		}
	}
	return ""
}
