// Package sqlite3 replaces github.com/mattn/go-sqlite3 in the test suites of libraries
// that open their database with it: they get a zen database, in the mode that
// ZEN_SUITE_MODE names.
package sqlite3

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	_ "github.com/zen-auth/zen/core/libsql/replica" // modes replica and local
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
)

func init() { sql.Register("sqlite3", &SQLiteDriver{}) }

// SQLiteDriver is the driver "sqlite3".
type SQLiteDriver struct{}

// Open implements driver.Driver.
func (d *SQLiteDriver) Open(dsn string) (driver.Conn, error) {
	connector, err := d.OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return connector.Connect(context.Background())
}

// OpenConnector implements driver.DriverContext.
func (d *SQLiteDriver) OpenConnector(dsn string) (driver.Connector, error) {
	path, rawQuery, _ := strings.Cut(strings.TrimPrefix(dsn, "file:"), "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, err
	}
	c := &connector{driver: d, foreignKeys: query.Get("_fk") == "1" || query.Get("_foreign_keys") == "1"}
	c.base, err = open(path, path == ":memory:" || query.Get("mode") == "memory")
	return c, err
}

// base is an open database, which several handles may share by its name.
type base struct {
	name    string
	db      *sql.DB
	handles int
	close   func() error
}

var (
	mu    sync.Mutex // guards bases
	bases = map[string]*base{}
)

// open opens the database with a name. An in-memory database is gone after its last
// handle is closed.
func open(name string, memory bool) (*base, error) {
	mu.Lock()
	defer mu.Unlock()
	b, ok := bases[name]
	if !ok {
		b = &base{name: name}
		if err := b.open(memory); err != nil {
			return nil, err
		}
		bases[name] = b
	}
	b.handles++
	return b, nil
}

func (b *base) open(memory bool) error {
	dir, err := os.MkdirTemp("", "suite")
	if err != nil {
		return err
	}
	path := b.name
	if memory {
		path = filepath.Join(dir, "memory.db")
	}
	o := libsql.Options{Target: provider.Target{URL: "file:" + path}}
	end := func() error { return nil }
	if mode := libsql.Mode(os.Getenv("ZEN_SUITE_MODE")); mode != libsql.Local {
		stack, err := devstack.Start(devstack.Options{Keys: keys(), TokenLifetime: 24 * time.Hour})
		if err != nil {
			return err
		}
		end = stack.Close
		o.Target = provider.Target{URL: stack.DatabaseURL(), DatabaseID: stack.DatabaseID()}
		o.Source = source{stack}
		if mode == libsql.Replica {
			o.Path = filepath.Join(dir, "replica.db")
		}
	}
	b.db, err = libsql.Open(context.Background(), o)
	b.close = func() error { return errors.Join(b.db.Close(), end(), os.RemoveAll(dir)) }
	return err
}

// keys sign for all stacks: making them takes longer than a test.
var keys = sync.OnceValue(func() []*rsa.PrivateKey {
	made := make([]*rsa.PrivateKey, 3)
	for i := range made {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		made[i] = key
	}
	return made
})

// source signs the stack's first user in for each token.
type source struct{ stack *devstack.Stack }

// Token implements transport.Source.
func (s source) Token(context.Context) (provider.Token, error) {
	session, err := s.stack.Clerk.CreateSession(s.stack.Clerk.UserID("alice@example.test"), "")
	if err != nil {
		return provider.Token{}, err
	}
	token, err := s.stack.Clerk.TemplateToken(session, devstack.Template)
	return provider.Token{Value: provider.NewSecret(token)}, err
}

// Renew implements transport.Source.
func (s source) Renew(ctx context.Context, _ provider.Token) (provider.Token, error) {
	return s.Token(ctx)
}

// connector takes the connections out of the pool of a base.
type connector struct {
	driver      *SQLiteDriver
	base        *base
	foreignKeys bool
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	pooled, err := c.base.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	made := &conn{pooled: pooled}
	err = pooled.Raw(func(raw any) error { made.driverConn = raw.(driverConn); return nil })
	if err == nil && c.foreignKeys {
		_, err = made.ExecContext(ctx, "PRAGMA foreign_keys = ON", nil)
	}
	return made, err
}

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return c.driver }

// Close implements io.Closer.
func (c *connector) Close() error {
	mu.Lock()
	defer mu.Unlock()
	if c.base.handles--; c.base.handles > 0 {
		return nil
	}
	delete(bases, c.base.name)
	return c.base.close()
}

// driverConn is what zen's connections implement.
type driverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// conn is an unchanged zen connection.
type conn struct {
	driverConn
	pooled *sql.Conn
}

// Close really closes it.
func (c *conn) Close() error {
	_ = c.pooled.Raw(func(any) error { return driver.ErrBadConn })
	return nil
}
