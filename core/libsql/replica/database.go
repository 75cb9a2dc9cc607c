//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

/*
#cgo darwin LDFLAGS: -Wl,-undefined,dynamic_lookup
#include "native.h"
*/
import "C"

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"

	golibsql "github.com/tursodatabase/go-libsql"

	"github.com/zen-auth/zen/core/libsql/hrana"
)

// The flags of sqlite3_open_v2.
const (
	openReadOnly  = 0x1
	openReadWrite = 0x2
	openCreate    = 0x4
	openURI       = 0x40
)

// initialize lets go-libsql choose SQLite's threading mode, as it does when it opens
// its first database: when SQLite is in use by then, it aborts the process.
var initialize = sync.OnceValue(func() error {
	connector, err := new(golibsql.Connector).Driver().(driver.DriverContext).OpenConnector(":memory:")
	if err != nil {
		return fmt.Errorf("start go-libsql: %w", err)
	}
	conn, err := connector.Connect(context.Background())
	if err == nil {
		err = conn.Close()
	}
	return errors.Join(err, connector.(*golibsql.Connector).Close())
})

// database is a SQLite connection. It is used by one goroutine at a time.
type database struct {
	h     *C.sqlite3
	state *C.zen_state

	kept  map[string]*statement // those to run again, by their text
	spare *batch                // or nil

	interrupt   func()
	interrupted chan struct{} // ends a call of interrupt
}

// openDatabase opens a file. busy is how long to wait for the locks of others.
func openDatabase(path string, flags int, busy time.Duration) (*database, error) {
	if err := initialize(); err != nil {
		return nil, err
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	d := &database{kept: map[string]*statement{}, interrupted: make(chan struct{})}
	d.interrupt = func() {
		again := time.NewTicker(interruptAgain)
		defer again.Stop()
		for {
			C.sqlite3_interrupt(d.h)
			select {
			case d.interrupted <- struct{}{}:
				return
			case <-again.C:
			}
		}
	}
	if rc := C.zen_open(name, C.int(flags), C.int64_t(busy.Milliseconds()), &d.h, &d.state); rc != 0 {
		err := d.failure(int(rc))
		d.close()
		return nil, err
	}
	return d, nil
}

// key gives the key of an encrypted file, before its first use.
func (d *database) key(key string) error {
	if rc := C.sqlite3_key(d.h, unsafe.Pointer(unsafe.StringData(key)), C.int(len(key))); rc != 0 {
		return d.failure(int(rc))
	}
	return nil
}

// close closes the connection. It ends with the last of the statements that somebody has.
func (d *database) close() {
	for _, s := range d.kept {
		if !s.taken {
			s.close()
		}
	}
	d.kept = nil
	if d.spare != nil {
		d.spare.free()
		d.spare = nil
	}
	C.sqlite3_close_v2(d.h)
	C.free(unsafe.Pointer(d.state))
	d.h, d.state = nil, nil
}

// failure returns the error of the last call, in the form that a remote database's has.
func (d *database) failure(code int) error {
	message := "out of memory"
	if d.h != nil {
		message = C.GoString(C.sqlite3_errmsg(d.h))
	}
	return &hrana.Error{Code: hrana.CodeName(code), Message: message}
}

// interruptible has SQLite stop when ctx ends, until settle is called with what it returns.
func (d *database) interruptible(ctx context.Context) (stop func() bool) {
	if ctx.Done() == nil {
		return nil
	}
	return context.AfterFunc(ctx, d.interrupt)
}

// interruptAgain is how often a statement is interrupted until it stops: SQLite forgets an
// interrupt that comes before the first step.
const interruptAgain = 10 * time.Millisecond

// settle ends what interruptible began. No interrupt is under way any more when it returns.
func (d *database) settle(stop func() bool) {
	if stop != nil && !stop() {
		<-d.interrupted
	}
}

// autocommit reports that no transaction is open.
func (d *database) autocommit() bool { return d.state.autocommit != 0 }
