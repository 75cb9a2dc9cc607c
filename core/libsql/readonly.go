package libsql

import (
	"context"
	"database/sql/driver"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/internal/link"
	"github.com/zen-auth/zen/internal/sqlite"
)

// readOnly makes connections that send nothing which may write. The token's access is
// what the server goes by; this is for a program that wants to be stopped earlier.
type readOnly struct{ *link.Link }

// Connect implements driver.Connector.
func (r readOnly) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := r.Link.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &readOnlyConn{conn.(link.Conn)}, nil
}

type readOnlyConn struct{ link.Conn }

func (c *readOnlyConn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *readOnlyConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if !sqlite.OnlyReads(query) {
		return nil, hrana.ErrReadOnly
	}
	return c.Conn.PrepareContext(ctx, query)
}

// ExecContext implements driver.ExecerContext.
func (c *readOnlyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if !sqlite.OnlyReads(query) {
		return nil, hrana.ErrReadOnly
	}
	return c.Conn.ExecContext(ctx, query, args)
}

// QueryContext implements driver.QueryerContext.
func (c *readOnlyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if !sqlite.OnlyReads(query) {
		return nil, hrana.ErrReadOnly
	}
	return c.Conn.QueryContext(ctx, query, args)
}

// BeginTx implements driver.ConnBeginTx: every transaction is a read-only one.
func (c *readOnlyConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	opts.ReadOnly = true
	return c.Conn.BeginTx(ctx, opts)
}
