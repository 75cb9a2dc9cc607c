package engine

import (
	"context"
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
		return nil
	})
	return d, err
}

// Check returns an error if sql is not one statement that the engine runs,
// whatever the schema and the rights: a table that does not exist is none.
func (c *Conn) Check(ctx context.Context, sql string, rights *Rights) error {
	return c.during(ctx, func() error {
		_, err := c.prepare(sql, rights)
		if e, ok := err.(*Error); ok && !e.Syntax() {
			return nil
		}
		return err
	})
}

// Script runs all statements of sql, without arguments, and drops their rows. It
// stops at the first error.
func (c *Conn) Script(ctx context.Context, sql string, rights *Rights) error {
	return c.during(ctx, func() error {
		for skipSpace(sql) != "" {
			s, tail, err := c.compile(sql, rights)
			if err != nil {
				return err
			}
			_, err = s.run(Query{}, rights, discard{})
			s.finalize()
			if err != nil {
				return err
			}
			sql = tail
		}
		return nil
	})
}

// discard is a Sink for rows that nobody wants.
type discard struct{}

func (discard) Columns([]Column) error { return nil }
func (discard) Row([]Value) error      { return nil }

// Interface guards
var _ Sink = discard{}
