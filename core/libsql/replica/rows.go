//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"context"
	"database/sql/driver"
	"io"
)

// rows are the result of a query, read as they are asked for.
type rows struct {
	c            *conn
	ctx          context.Context // of the query: Next is given none
	s            *statement      // nil when they are closed
	owned        bool
	batch        *batch
	names, types []string
	err          error // of the rows after those in batch
}

// Columns implements driver.Rows.
func (r *rows) Columns() []string { return r.names }

// ColumnTypeDatabaseTypeName returns the type that the column was declared with.
func (r *rows) ColumnTypeDatabaseTypeName(i int) string { return r.types[i] }

// Next implements driver.Rows.
func (r *rows) Next(dest []driver.Value) error {
	if r.s == nil {
		return io.EOF
	}
	if r.batch.rows == 0 {
		if r.err != nil {
			return r.err
		}
		if err := r.fill(); err != nil {
			return err
		}
		if r.batch.rows == 0 {
			if r.err != nil {
				return r.err
			}
			return io.EOF
		}
	}
	r.batch.next(dest)
	return nil
}

// fill fetches. Rows that came before an error are handed out first.
func (r *rows) fill() error {
	done := r.c.d.interruptible(r.ctx)
	err := r.batch.fill(r.s)
	done()
	if err == nil && r.batch.ended {
		// The rows that are left are here: a sync need not wait for them to be read.
		r.s.reset()
	}
	if err != nil {
		err = r.c.explain(r.ctx, err)
		if r.batch.rows > 0 {
			r.err = err
			return nil
		}
	}
	return err
}

// Close implements driver.Rows.
func (r *rows) Close() error {
	r.release()
	return nil
}

func (r *rows) release() {
	if r.s == nil {
		return
	}
	if r.batch != nil {
		r.batch.free()
	}
	if r.c.d.h != nil {
		r.s.reset()
		if r.owned {
			r.s.close()
		}
	}
	r.s = nil
}

// Interface guards
var (
	_ driver.Rows                           = (*rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
)
