package hrana

import (
	"cmp"
	"database/sql/driver"
	"io"
)

// newResultSets returns the rows of the first of several statements, which leads to
// those of the others. What failed comes after the results of the statements before
// it, or at once where it was the first.
func (c *Connector) newResultSets(steps []outcome, failure error) (*rows, error) {
	done := 0
	for done < len(steps) && steps[done].done {
		done++
	}
	if done == 0 {
		return nil, failure
	}
	rs, err := c.newKeptRows(&steps[0])
	if err != nil {
		return nil, err
	}
	rs.laterIn, rs.later, rs.failure = c, steps[1:done], failure
	return rs, nil
}

// HasNextResultSet reports whether another statement has run, or failed.
func (rs *rows) HasNextResultSet() bool { return len(rs.later) > 0 || rs.failure != nil }

// NextResultSet goes on to the rows of the next statement. One that changes data has
// none, and no columns.
func (rs *rows) NextResultSet() error {
	if len(rs.later) == 0 {
		err := rs.failure
		rs.failure = nil
		return cmp.Or(err, io.EOF)
	}
	next, err := rs.laterIn.newKeptRows(&rs.later[0])
	if err != nil {
		return err
	}
	next.laterIn, next.later, next.failure = rs.laterIn, rs.later[1:], rs.failure
	*rs = *next
	return nil
}

// Interface guards
var _ driver.RowsNextResultSet = (*rows)(nil)
