package engine

import (
	"context"
	"strconv"
	"strings"
	"time"

	lib "modernc.org/sqlite/lib"
)

// Query is one statement and its arguments.
type Query struct {
	SQL        string
	Positional []Value
	Named      []NamedValue // either these or Positional
	NoRows     bool         // the sink gets none
}

// NamedValue is an argument for a parameter by name, with or without its prefix.
type NamedValue struct {
	Name  string
	Value Value
}

// Sink takes a result. An error that it returns ends the statement and is
// returned from Run.
type Sink interface {
	// Columns is called once, before any row. The slice must not be changed.
	Columns([]Column) error
	// Row is called for each row. The slice, and the bytes in it, are valid until
	// it returns.
	Row([]Value) error
}

// rowless keeps the rows from a sink.
type rowless struct{ Sink }

func (rowless) Row([]Value) error { return nil }

// Result is the outcome of a statement.
type Result struct {
	Affected     int64 // rows that it inserted, updated or deleted by itself
	LastInsertID int64 // valid if Inserted
	Inserted     bool  // it was an INSERT
	RowsRead     int64 // as libSQL counts them: steps of cursors, not only rows of the result
	RowsWritten  int64 // in tables and in indexes
	Duration     time.Duration
}

// Run runs one statement. The result goes to sink while it is computed.
func (c *Conn) Run(ctx context.Context, q Query, rights *Rights, sink Sink) (res Result, err error) {
	err = c.during(ctx, func() error {
		res, err = c.run(q, rights, sink)
		return err
	})
	return res, err
}

func (c *Conn) run(q Query, rights *Rights, sink Sink) (Result, error) {
	s, err := c.parse(q.SQL, rights)
	if err != nil {
		return Result{}, err
	}
	if s.attaches != "" || s.alters != nil {
		defer c.forget(q.SQL, rights) // who may attach what can change, and so can a table
	}
	res, err := s.run(q, rights, sink)
	if e, ok := err.(*Error); ok && s.legacy && e.Primary() == lib.SQLITE_SCHEMA {
		// The schema changed since the statement was compiled. It has not run.
		c.forget(q.SQL, rights)
		if s, err = c.prepare(q.SQL, rights); err == nil {
			res, err = s.run(q, rights, sink)
		}
	}
	return res, err
}

func (c *Conn) forget(sql string, rights *Rights) {
	key := stmtKey{sql, rights.key}
	c.stmts[key].finalize()
	delete(c.stmts, key)
}

func (s *stmt) run(q Query, rights *Rights, sink Sink) (_ Result, err error) {
	c := s.conn
	if err := rights.refuse(s); err != nil {
		return Result{}, err
	}
	// SQLite may compile it again on its own, if the schema changed.
	c.review = review{attached: c.attached, holder: rights.holder}
	if err := s.bindAll(q); err != nil {
		s.reset()
		if err := sink.Columns(s.columns); err != nil {
			return Result{}, err
		}
		return Result{}, err
	}
	c.dirty = c.dirty || s.setsPragma || s.attaches != ""
	start := time.Now()
	if s.alters != nil {
		if err := c.alter(*s.alters); err != nil {
			return Result{}, err
		}
	}
	if q.NoRows {
		sink = rowless{sink}
	}
	rows, err := s.step(sink)
	rc := s.reset()
	if err == errStep {
		err = c.lastError(rc)
	}
	if err != nil {
		return Result{}, err
	}
	if s.attaches != "" {
		if c.attached == nil {
			c.attached = make(map[string]string)
		}
		c.attached[s.attaches] = rights.holder
	}
	res := Result{Duration: time.Since(start)}
	if s.iud {
		res.Affected = lib.Xsqlite3_changes64(c.tls, c.handle)
	}
	res.RowsRead, res.RowsWritten = s.rows(rows, res.Affected)
	if s.insert {
		res.Inserted, res.LastInsertID = true, lib.Xsqlite3_last_insert_rowid(c.tls, c.handle)
	}
	c.db.rowsRead.Add(res.RowsRead)
	c.db.rowsWritten.Add(res.RowsWritten)
	c.db.queries.add(q.SQL, res)
	return res, nil
}

// errStep stands for the error that sqlite3_reset is going to return.
var errStep = &Error{Message: "step failed"}

// step runs the statement to its end and returns the number of rows.
func (s *stmt) step(sink Sink) (rows int64, err error) {
	for {
		switch rc := lib.Xsqlite3_step(s.conn.tls, s.handle); rc {
		case lib.SQLITE_ROW, lib.SQLITE_DONE:
			if rows == 0 {
				s.refresh()
				if err := sink.Columns(s.columns); err != nil {
					return 0, err
				}
			}
			if rc == lib.SQLITE_DONE {
				return rows, nil
			}
			rows++
			for i := range s.row {
				s.row[i] = s.column(int32(i))
			}
			if err := sink.Row(s.row); err != nil {
				return rows, err
			}
		default:
			if rows == 0 { // as libsql-server does, which has them before it takes a step
				if err := sink.Columns(s.columns); err != nil {
					return 0, err
				}
			}
			return rows, errStep
		}
	}
}

// bindAll binds the arguments by the rules of sqld: every parameter needs one,
// ?NNN is positional, a name may come without its prefix.
func (s *stmt) bindAll(q Query) error {
	if n := len(q.Positional) + len(q.Named); n > len(s.params) {
		return argumentErrorf("too many parameters, expected %d found %d", len(s.params), n)
	}
	for i, name := range s.params {
		v, ok, err := q.argument(i+1, name)
		if err != nil {
			return err
		}
		if !ok {
			if s.explain {
				return nil
			}
			if name == "" {
				name = strconv.Itoa(i + 1)
			}
			return argumentErrorf("value for parameter %s not found", name)
		}
		if err := s.bind(int32(i+1), v); err != nil {
			if e, ok := err.(*Error); ok {
				return argumentErrorf("%s", e.Message) // too big
			}
			return err
		}
	}
	return nil
}

func (q Query) argument(i int, name string) (Value, bool, error) {
	if number, ok := strings.CutPrefix(name, "?"); ok {
		n, err := strconv.Atoi(number)
		if err != nil {
			return Value{}, false, argumentErrorf("invalid parameter %s: expected a numerical position after `?`", name)
		}
		i, name = n, ""
	}
	if name == "" {
		if i > len(q.Positional) {
			return Value{}, false, nil
		}
		return q.Positional[i-1], true, nil
	}
	for _, want := range []string{name, name[1:]} {
		for _, a := range q.Named {
			if a.Name == want {
				return a.Value, true, nil
			}
		}
	}
	return Value{}, false, nil
}
