package hrana

import (
	"cmp"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/zen-auth/zen/internal/sqlite"
)

// source is an answer that rows are read from: a pipeline's or a cursor's.
type source interface {
	// row reads the next row into dest, or skips it if dest is nil, and
	// returns false when all of the answer is read.
	row(dest []driver.Value) (bool, error)
	// after returns, once row has returned false, the baton and base_url of
	// the answer, and the statement's failure.
	after() (baton, baseURL string, err error)
}

// rows are a query's, read from the network as they are asked for, or kept in
// memory.
type rows struct {
	c    *conn
	st   *stream // nil in autocommit
	x    *exchange
	src  source
	cols []column
	// times are the columns to convert; nil if they stay text.
	times sqlite.Times
	kept  [][]driver.Value
	done  bool  // src is used up; only kept is left
	err   error // what comes after kept, instead of io.EOF

	// later are the results of the statements after this one, which failure ends.
	laterIn *Connector
	later   []outcome
	failure error
}

// newKeptRows is for a result that was read whole.
func (c *Connector) newKeptRows(o *outcome) (*rows, error) {
	for _, row := range o.rows {
		if len(row) != len(o.cols) {
			return nil, protocolError("row without exactly %d values", len(o.cols))
		}
	}
	return &rows{cols: o.cols, times: c.times(o.cols), kept: o.rows, done: true}, nil
}

// times returns the columns whose values become a time.Time.
func (c *Connector) times(cols []column) sqlite.Times {
	if c.config.TimesAsText {
		return nil
	}
	declared := make([]string, len(cols))
	for i, col := range cols {
		declared[i] = col.declType
	}
	return sqlite.NewTimes(declared)
}

func (rs *rows) Columns() []string {
	names := make([]string, len(rs.cols))
	for i, c := range rs.cols {
		names[i] = c.name
	}
	return names
}

// ColumnTypeDatabaseTypeName returns the type that the column was declared
// with, in upper case and without its length; "" for an expression. It is what
// the schema says, no promise about the values: SQLite's are typed one by one.
func (rs *rows) ColumnTypeDatabaseTypeName(i int) string {
	return sqlite.TypeName(rs.cols[i].declType)
}

func (rs *rows) Next(dest []driver.Value) error {
	if len(rs.kept) > 0 {
		copy(dest, rs.kept[0])
		rs.kept = rs.kept[1:]
		rs.times.Convert(dest)
		return rs.checkFloats(dest)
	}
	if !rs.done {
		more, err := rs.src.row(dest)
		if more && err == nil {
			rs.times.Convert(dest)
			return rs.checkFloats(dest)
		}
		rs.finish(err)
	}
	if rs.err != nil {
		return rs.err
	}
	return io.EOF
}

// checkFloats reports the NaN that stands for an infinite float, which can't be
// given to the application as one of two. The rows after it are still readable,
// so a transaction survives.
func (rs *rows) checkFloats(row []driver.Value) error {
	for i, v := range row {
		if f, ok := v.(float64); ok && math.IsNaN(f) {
			return fmt.Errorf("hrana: column %q is an infinite float, which the server can't express: select CAST(… AS TEXT)", rs.cols[i].name)
		}
	}
	return nil
}

// keep takes the rest of the rows into memory, so that the stream is free for
// another request.
func (rs *rows) keep() {
	row := make([]driver.Value, len(rs.cols))
	for !rs.done {
		more, err := rs.src.row(row)
		if more && err == nil {
			err = rs.x.s.holdRow(row)
			rs.kept = append(rs.kept, slices.Clone(row))
		}
		if !more || err != nil {
			rs.finish(err)
		}
	}
}

// Close reads the rest if the stream of a transaction depends on it, or if it
// is little; else it cuts the HTTP connection, which ends the query on the
// server.
func (rs *rows) Close() error {
	rs.kept = nil
	if rs.done {
		return nil
	}
	from := rs.x.got
	for rs.st != nil || rs.x.got-from < drainLimit {
		if more, err := rs.src.row(nil); !more || err != nil {
			rs.finish(err)
			break
		}
	}
	if !rs.done {
		rs.finish(errCutOff)
	}
	if rs.err == errCutOff {
		return nil
	}
	return rs.err
}

// errCutOff ends rows that were closed before their end.
var errCutOff = errors.New("hrana: rows were closed")

// finish is called once, when nothing more can be read.
func (rs *rows) finish(err error) {
	rs.done = true
	rs.x.close(err != nil)
	baton, baseURL, failure := rs.src.after()
	if rs.st != nil && baton != "" {
		rs.st.baton = baton // the one to give the stream up with, if it comes to that
	}
	if rs.st == nil {
		if baton != "" { // a cursor leaves its stream open
			rs.c.c.abandon(stream{baton: baton, base: rs.c.c.base})
		}
	} else {
		rs.c.rows = nil
		if err == nil {
			err = rs.st.use(baton, baseURL)
		}
		switch r, ok := rs.src.(*reply); {
		case err != nil:
			rs.c.lose(rs.st, err)
		case ok && r.probe && r.ended:
			_ = rs.c.Close()
		}
	}
	rs.err = cmp.Or(err, failure)
}

// Interface guards
var (
	_ driver.Rows                           = (*rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
)
