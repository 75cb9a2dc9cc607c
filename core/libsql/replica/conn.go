//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/internal/sqlite"
)

// conn is a connection to a file as database/sql sees it.
type conn struct {
	d         *database
	immediate bool // transactions are BEGIN IMMEDIATE
	asText    bool // times stay text
	ahead     bool // rows are read ahead: those that are not yet read keep others from writing
	inTx      bool // a transaction of BeginTx goes on
}

// lost reports that SQLite has ended the transaction: by a conflict clause ROLLBACK,
// when a write was interrupted, on a full disk (https://sqlite.org/lang_transaction.html,
// section 3). What is left of it must not run, each statement by itself.
func (c *conn) lost() error {
	if c.inTx && c.d.autocommit() {
		return hrana.ErrNoTransaction
	}
	return nil
}

// Ping reads the file's header.
func (c *conn) Ping(ctx context.Context) error {
	_, err := c.ExecContext(ctx, "PRAGMA schema_version", nil)
	return err
}

// ExecContext runs the statements of query, each after the success of the one before,
// and returns the result of the last.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if s := c.d.take(query); s != nil {
		defer c.d.release(s) // its error, if any, is exec's
		return c.exec(ctx, s, args)
	}
	texts, err := sqlite.Statements(query)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if len(texts) > 1 && len(args) > 0 {
		return nil, errors.New("sqlite: several statements in one text can't take arguments")
	}
	var last driver.Result = result{}
	for i, text := range texts {
		s, err := c.prepare(text)
		if err == nil {
			last, err = c.exec(ctx, s, args)
			_ = c.d.release(s) // its error, if any, is exec's
		}
		if failed := (*hrana.Error)(nil); errors.As(err, &failed) && len(texts) > 1 {
			failed.Statement = i + 1
		}
		if err != nil {
			return nil, err
		}
	}
	return last, nil
}

// QueryContext runs one statement and streams its rows.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	return c.query(ctx, s, args, true)
}

// Prepare implements driver.Conn.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext compiles one statement.
func (c *conn) PrepareContext(_ context.Context, query string) (driver.Stmt, error) {
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	return &stmt{c: c, s: s, query: query}, nil
}

// prepare compiles query, which is one statement, or takes one that was compiled. It is the
// caller's until it is released.
func (c *conn) prepare(query string) (*statement, error) {
	if s := c.d.take(query); s != nil {
		return s, nil
	}
	if strings.IndexByte(query, 0) >= 0 {
		return nil, errors.New("sqlite: SQL text holds a NUL byte, where SQLite would stop reading")
	}
	if !utf8.ValidString(query) {
		return nil, errors.New("sqlite: SQL text is not valid UTF-8")
	}
	s, rest, err := c.d.prepare(query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, errors.New("sqlite: the text has no statement")
	}
	if strings.Trim(rest, " \t\r\n;") == "" {
		s.keepable(query)
		return s, nil
	}
	if more, err := sqlite.Statements(rest); err != nil || len(more) > 0 {
		s.close()
		return nil, fmt.Errorf("sqlite: query takes one statement, got %d", len(more)+1)
	}
	return s, nil
}

func (c *conn) exec(ctx context.Context, s *statement, args []driver.NamedValue) (driver.Result, error) {
	if err := c.start(ctx, s, args); err != nil {
		return nil, err
	}
	stop := c.d.interruptible(ctx)
	done, err := s.run()
	c.d.settle(stop)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	return done, nil
}

// query starts a statement and fetches its first row. The rows close the statement
// where it is theirs.
func (c *conn) query(ctx context.Context, s *statement, args []driver.NamedValue, owned bool) (driver.Rows, error) {
	r := &rows{c: c, ctx: ctx, s: s, owned: owned}
	if err := c.start(ctx, s, args); err != nil {
		_ = r.release() // nothing has run
		return nil, err
	}
	s.busy = true
	r.batch = c.d.newBatch(c.ahead)
	if err := r.fill(); err != nil {
		_ = r.release() // the same error
		return nil, err
	}
	return r, nil
}

func (c *conn) start(ctx context.Context, s *statement, args []driver.NamedValue) error {
	if c.d.h == nil {
		return driver.ErrBadConn
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.lost(); err != nil {
		return err
	}
	if err := checkArgs(s.params, args); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return s.bind(args)
}

// explain puts the context's error in place of what it led to.
func (c *conn) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// CheckNamedValue makes an argument one that can be bound.
func (c *conn) CheckNamedValue(nv *driver.NamedValue) (err error) {
	nv.Value, err = sqlite.CheckValue(nv.Value)
	return err
}

// ResetSession is called when the connection is taken out of the pool.
func (c *conn) ResetSession(context.Context) error {
	if !c.IsValid() {
		return driver.ErrBadConn
	}
	return nil
}

// IsValid is called when the connection goes back to the pool. One with a transaction
// that was left open is closed instead.
func (c *conn) IsValid() bool { return c.d.h != nil && c.d.autocommit() }

// Close rolls a transaction back that is still open.
func (c *conn) Close() error {
	if c.d.h != nil {
		c.d.close()
	}
	return nil
}

// Interface guards
var (
	_ driver.Conn               = (*conn)(nil)
	_ driver.ConnBeginTx        = (*conn)(nil)
	_ driver.ConnPrepareContext = (*conn)(nil)
	_ driver.ExecerContext      = (*conn)(nil)
	_ driver.QueryerContext     = (*conn)(nil)
	_ driver.NamedValueChecker  = (*conn)(nil)
	_ driver.Pinger             = (*conn)(nil)
	_ driver.SessionResetter    = (*conn)(nil)
	_ driver.Validator          = (*conn)(nil)
)
