//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"

	"github.com/zen-auth/zen/core/libsql/hrana"
)

// anchor is the connection with which a look at the file was taken. It stays open while the
// replica is: SQLite has an index of the write-ahead log as long as somebody has the file
// open, and who opens it when nobody has reads all of the log.
type anchor struct {
	mu     sync.Mutex // guards the fields below
	d      *database  // nil without
	file   fs.FileInfo
	closed bool
}

// isDatabase reports whether SQLite takes the file for one of its own. SQLite has to
// look: closing the file in any other way would end the locks that this process holds
// on it.
func (a *anchor) isDatabase(path string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.open(path)
	if err == nil {
		err = (&conn{d: a.d}).Ping(context.Background())
	}
	if err != nil || a.closed {
		a.drop()
	}
	return !errors.Is(err, &hrana.Error{Code: "SQLITE_NOTADB"})
}

// open opens the file, unless it is open already. The caller holds mu.
func (a *anchor) open(path string) error {
	now, err := os.Stat(path)
	if err != nil {
		return err
	}
	if a.d != nil && os.SameFile(now, a.file) {
		return nil
	}
	a.drop() // another was set aside
	a.d, err = openDatabase(path, openReadOnly, localBusy)
	a.file = now
	return err
}

func (a *anchor) drop() {
	if a.d != nil {
		a.d.close()
	}
	a.d = nil
}

// close lets go of the file, for good.
func (a *anchor) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drop()
	a.closed = true
}
