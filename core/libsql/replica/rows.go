//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"cmp"
	"context"
	"database/sql/driver"
	"io"
	"slices"

	"github.com/zen-auth/zen/internal/sqlite"
)

// rows are the result of a query, read as they are asked for.
type rows struct {
	c            *conn
	ctx          context.Context // of the query: Next is given none
	s            *statement      // nil when it has been given up
	owned        bool
	batch        *batch // nil when they are closed
	names, types []string
	times        sqlite.Times
	err          error // after the rows in batch
}

// Columns implements driver.Rows.
func (r *rows) Columns() []string { return r.names }

// ColumnTypeDatabaseTypeName returns the type that the column was declared with, as a
// remote database's does.
func (r *rows) ColumnTypeDatabaseTypeName(i int) string { return sqlite.TypeName(r.types[i]) }

// Next implements driver.Rows.
func (r *rows) Next(dest []driver.Value) error {
	if r.batch == nil {
		return io.EOF
	}
	if r.batch.rows == 0 && r.s != nil && r.err == nil {
		if err := r.fill(); err != nil {
			return err
		}
	}
	if r.batch.rows == 0 {
		return cmp.Or(r.err, io.EOF)
	}
	r.batch.next(dest)
	r.times.Convert(dest)
	return nil
}

// fill fetches. Rows that came before an error are handed out first.
func (r *rows) fill() error {
	if r.c.d.h == nil {
		return driver.ErrBadConn
	}
	stop := r.c.d.interruptible(r.ctx)
	err := r.batch.fill(r.s)
	r.c.d.settle(stop)
	if r.names == nil { // only now: the first step compiles anew what others have changed
		r.s.describe(int(r.batch.c.compiled))
		r.names, r.types = slices.Clone(r.s.names), r.s.types // a caller may change the names
		if !r.c.asText {
			r.times = r.s.times
		}
	}
	if err == nil && r.batch.ended {
		// The rows that are left are here: a sync need not wait for them to be read.
		err = r.giveUp()
	}
	if err != nil {
		r.err = r.c.explain(r.ctx, err)
		if r.batch.rows > 0 {
			return nil
		}
	}
	return r.err
}

// Close implements driver.Rows. A write of which not all rows were read is committed now. If it
// can't be, or has failed behind the rows that were read, it hasn't happened.
func (r *rows) Close() (err error) {
	if r.err != nil && r.s != nil && r.s.writes() {
		err = r.err
	}
	return cmp.Or(err, r.release())
}

func (r *rows) release() error {
	if r.batch != nil {
		r.c.d.giveBack(r.batch)
		r.batch = nil
	}
	return r.giveUp()
}

// giveUp ends the statement, which may be used for others' rows from now on.
func (r *rows) giveUp() (err error) {
	s := r.s
	r.s = nil
	switch {
	case s == nil:
		return nil
	case r.owned || s.orphan:
		err = r.c.d.release(s)
	default:
		err = s.reset()
	}
	if r.err != nil { // reset has it again
		return nil
	}
	return err
}

// Interface guards
var (
	_ driver.Rows                           = (*rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
)
