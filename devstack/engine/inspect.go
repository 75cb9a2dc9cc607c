package engine

import (
	"context"
	"strings"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// Description is what can be said about a statement without running it.
type Description struct {
	Params   []string // names with their prefix, "" for a nameless one
	Columns  []Column
	Explain  bool
	ReadOnly bool
}

// Describe compiles one statement and describes it.
func (c *Conn) Describe(ctx context.Context, sql string, rights *Rights) (d Description, err error) {
	err = c.during(ctx, func() error {
		s, err := c.prepare(sql, rights)
		if err != nil {
			return err
		}
		d = Description{Params: s.params, Columns: s.columns, Explain: s.explain, ReadOnly: s.readOnly}
		if s.attaches != "" {
			c.forget(sql, rights)
		}
		return nil
	})
	return d, err
}

// Check returns an error if sql is not one statement that the engine runs,
// whatever the schema and the rights: a table that does not exist is none. What
// the rights refuse as a whole it returns as refusal.
func (c *Conn) Check(ctx context.Context, sql string, rights *Rights) (refusal, err error) {
	err = c.during(ctx, func() error {
		s, err := c.prepare(sql, rights)
		if err == nil {
			refusal = rights.refuse(s)
			if s.attaches != "" {
				c.forget(sql, rights)
			}
		}
		return unlessSchema(err)
	})
	return refusal, err
}

// unlessSchema drops an error that another schema, or other rights, would avoid.
func unlessSchema(err error) error {
	if e, ok := err.(*Error); ok && !e.Syntax() {
		return nil
	}
	return err
}

// Script runs all statements of sql, without arguments, and drops their rows. It
// stops at the first error. If one of them can't be parsed, none runs.
func (c *Conn) Script(ctx context.Context, sql string, rights *Rights) error {
	return c.during(ctx, func() error {
		statements := c.split(ctx, sql)
		for _, one := range statements {
			s, _, err := c.compile(one, rights)
			if err := unlessSchema(err); err != nil {
				return err
			}
			if s != nil {
				s.finalize()
			}
		}
		for _, one := range statements {
			s, _, err := c.compile(one, rights)
			if err != nil {
				return err
			}
			_, err = s.run(Query{}, rights, discard{})
			s.finalize()
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// split cuts sql into its statements: at semicolons, but for those in literals,
// comments and the bodies of triggers, which sqlite3_complete knows.
func (c *Conn) split(ctx context.Context, sql string) []string {
	var statements []string
	rest := skipSpace(sql)
	for from := 0; rest != "" && ctx.Err() == nil; {
		i := strings.IndexByte(rest[from:], ';')
		if i < 0 {
			return append(statements, rest)
		}
		end := from + i + 1
		if c.complete(rest[:end]) {
			statements = append(statements, rest[:end])
			rest, from = skipSpace(rest[end:]), 0
		} else {
			from = end
		}
	}
	return statements
}

func (c *Conn) complete(sql string) bool {
	csql, err := cstring(c.tls, sql)
	if err != nil {
		return false
	}
	defer libc.Xfree(c.tls, csql)
	return lib.Xsqlite3_complete(c.tls, csql) != 0
}

// discard is a Sink for rows that nobody wants.
type discard struct{}

func (discard) Columns([]Column) error { return nil }
func (discard) Row([]Value) error      { return nil }

// Interface guards
var _ Sink = discard{}
