package engine

import (
	"context"
	"strings"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// Description holds what can be said about a statement without running it.
type Description struct {
	Params   []string // names with their prefix, "" for a nameless one
	Columns  []Column
	Explain  bool
	ReadOnly bool
}

// Describe compiles the first statement of sql, as it would be run now, and describes it.
// An empty text is described as a statement that reads nothing.
func (c *Conn) Describe(ctx context.Context, sql string, rights *Rights) (d Description, err error) {
	err = c.during(ctx, func() error {
		if err := c.refreshSchema(); err != nil {
			return err
		}
		s, _, err := c.compile(sql, rights)
		if e, ok := err.(*UnsupportedError); ok && !rights.narrowed() {
			s, err = c.compileAnything(e)
		}
		if err == ErrNoStatement {
			d.ReadOnly = true
			return nil
		}
		if err != nil {
			return err
		}
		d = Description{Params: s.params, Columns: s.columns, Explain: s.explain, ReadOnly: s.readOnly}
		s.finalize()
		return nil
	})
	return d, err
}

// Check returns an error if sql is not one statement that the engine runs, whatever the
// schema and the rights: a missing table is not an error. If the rights refuse the
// statement as a whole, it returns that as refusal.
func (c *Conn) Check(ctx context.Context, sql string, rights *Rights) (refusal, err error) {
	err = c.looking(ctx, func() error {
		s, err := c.parse(sql, rights)
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

// unlessSchema drops an error that depends on the schema or the rights.
func unlessSchema(err error) error {
	if _, ok := err.(*Error); ok {
		return nil
	}
	return err
}

// Script runs all statements of sql, without arguments, and drops their rows. It
// stops at the first error. If one of them can't be parsed, none runs.
func (c *Conn) Script(ctx context.Context, sql string, rights *Rights) error {
	return c.during(ctx, func() error {
		statements := c.split(ctx, sql)
		for i := range statements {
			if err := c.checkPart(sql, &statements[i], i > 0, rights); err != nil {
				return err
			}
		}
		for _, one := range statements {
			if skipSpace(one.text) == "" {
				continue
			}
			s, _, err := c.compileNow(one.text, rights)
			if err != nil {
				return err
			}
			_, err = s.run(Query{SQL: one.text}, rights, discard{})
			s.finalize()
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// part is a statement of a script, with the space before it.
type part struct {
	text     string
	from, to int // in the script
}

// checkPart returns an error if a statement of a script can't be parsed. The parser of
// libsql-server drops the first token of all statements but the first if none begins
// with it.
func (c *Conn) checkPart(script string, p *part, later bool, rights *Rights) error {
	s, _, err := c.compileNow(p.text, rights)
	if err == nil {
		s.finalize()
	}
	if u, ok := err.(*UnsupportedError); ok {
		u.SQL = script
		return u
	}
	if e, ok := err.(*Error); ok && later && e.Syntax() {
		first, lex := nextToken(p.text, 0)
		if lex == nil && e.Offset == first.start {
			rest := part{script[p.from+first.end : p.to], p.from + first.end, p.to}
			if skipSpace(rest.text) == "" {
				p.text = ""
				return nil
			}
			return c.checkPart(script, &rest, false, rights)
		}
	}
	return unlessSchema(parseError(script, p.from, p.to, err))
}

// split cuts sql into its statements: at semicolons, but for those in literals,
// comments and the bodies of triggers, which sqlite3_complete knows.
func (c *Conn) split(ctx context.Context, sql string) []part {
	var parts []part
	begin := 0
	for end := 0; ctx.Err() == nil; {
		i := strings.IndexByte(sql[end:], ';')
		if i < 0 {
			break
		}
		end += i + 1
		if skipSpace(sql[begin:end]) != "" && c.complete(sql[begin:end]) {
			parts = append(parts, part{sql[begin:end], begin, end})
			begin = end
		}
	}
	if rest := sql[begin:]; skipSpace(rest) != "" {
		parts = append(parts, part{rest, begin, len(sql)})
	}
	return parts
}

func (c *Conn) complete(sql string) bool {
	csql, err := cstring(c.tls, sql)
	if err != nil {
		return false
	}
	defer libc.Xfree(c.tls, csql)
	return lib.Xsqlite3_complete(c.tls, csql) != 0
}

// discard is a Sink that drops the rows.
type discard struct{}

func (discard) Columns([]Column) error { return nil }
func (discard) Row([]Value) error      { return nil }

// Interface guards
var _ Sink = discard{}
