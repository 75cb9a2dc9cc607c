//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/link"
)

// local makes connections to a file, or to one database in memory.
type local struct {
	options link.Options
	// path is Options.Path, or the name under which SQLite knows a database in memory.
	path  string
	flags int

	mu     sync.Mutex // guards the fields below
	anchor *database  // keeps a database in memory
	closed bool
}

// memories counts the databases in memory, each of which has a name.
var memories atomic.Int64

// newLocal opens the file once, so that what is wrong with it is an error now.
func newLocal(options link.Options) (driver.Connector, error) {
	l := &local{options: options, path: options.Path, flags: openReadWrite | openCreate}
	memory := options.Path == ":memory:"
	switch {
	case memory && options.ReadOnly:
		return nil, wrong("open :memory:: a database in memory is empty, and read-only it stays so", "")
	case memory && !options.Encryption.IsZero():
		return nil, wrong("open :memory:: memory can't be encrypted", "")
	case memory:
		// https://sqlite.org/inmemorydb.html: a name that begins with a slash is one
		// database for all connections that use it.
		l.path, l.flags = fmt.Sprintf("file:/zen-%d?vfs=memdb", memories.Add(1)), l.flags|openURI
	case options.ReadOnly:
		l.flags = openReadOnly
	}
	d, err := l.open()
	if err != nil {
		return nil, err
	}
	if !memory && !options.ReadOnly {
		d.makeWAL()
	}
	if !memory {
		d.close()
		return l, nil
	}
	l.anchor = d
	return l, nil
}

// open opens and reads the header, which is the first that SQLite does with a file.
func (l *local) open() (*database, error) {
	d, err := openDatabase(l.path, l.flags, l.options.Timeout)
	if err != nil {
		return nil, l.explain(err)
	}
	if key := l.options.Encryption; !key.IsZero() {
		// libSQL's other clients use this cipher, and not the library's default.
		_, err = (&conn{d: d}).ExecContext(context.Background(), "PRAGMA cipher = 'aes256cbc'", nil)
		if err == nil {
			err = d.key(key.Reveal())
		}
	}
	if err == nil {
		err = (&conn{d: d}).Ping(context.Background())
	}
	if err != nil {
		d.close()
		return nil, l.explain(err)
	}
	return d, nil
}

// explain says why a file that isn't a database can't be opened.
func (l *local) explain(err error) error {
	var e *hrana.Error
	if !errors.As(err, &e) {
		return err
	}
	wrapped := &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("open %s: %s", l.options.Path, e.Message), Err: err}
	switch e.Code {
	case "SQLITE_NOTADB":
		wrapped.Hint = "it is no SQLite database, or encrypted with another key"
	case "SQLITE_CANTOPEN":
		wrapped.Hint = "does its directory exist, and is it a file that may be written?"
	case "SQLITE_BUSY":
		wrapped.Kind, wrapped.Hint = provider.ErrUnavailable, "another program has locked it"
	default:
		return fmt.Errorf("open %s: %w", l.options.Path, err)
	}
	return wrapped
}

func wrong(message, hint string) error {
	return &provider.Error{Kind: provider.ErrConfig, Message: message, Hint: hint}
}

// Connect implements driver.Connector.
func (l *local) Connect(ctx context.Context) (driver.Conn, error) {
	l.mu.Lock()
	closed := l.closed
	l.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d, err := l.open()
	if err != nil {
		return nil, err
	}
	return &conn{
		d: d, immediate: l.options.TxMode == hrana.Immediate, asText: l.options.TimesAsText,
		ahead: d.pragma("journal_mode") != "wal",
	}, nil
}

// makeWAL has a file that is still empty keep a write-ahead log, in which reads and
// writes don't wait for each other. What has a database in it already stays as it is:
// other programs may depend on it.
func (d *database) makeWAL() {
	if d.pragma("page_count") == int64(0) {
		d.pragma("journal_mode = WAL") // without it where the file system is not up to it
	}
}

// pragma returns the value that a pragma answers with, or nil.
func (d *database) pragma(text string) any {
	rows, err := (&conn{d: d}).QueryContext(context.Background(), "PRAGMA "+text, nil)
	if err != nil {
		return nil
	}
	defer rows.Close()
	value := make([]driver.Value, 1)
	_ = rows.Next(value)
	return value[0]
}

// Driver returns a driver that opens nothing by name.
func (l *local) Driver() driver.Driver { return nameless{} }

type nameless struct{}

func (nameless) Open(string) (driver.Conn, error) {
	return nil, errors.New("open it with libsql.Open, not by name")
}

// Close implements io.Closer. A second call is an error.
func (l *local) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errClosed
	}
	l.closed = true
	if l.anchor != nil {
		l.anchor.close()
	}
	return nil
}

// errClosed is for what comes after Close.
var errClosed = fmt.Errorf("the database handle is closed: %w", sql.ErrConnDone)

// Interface guards
var _ io.Closer = (*local)(nil)
