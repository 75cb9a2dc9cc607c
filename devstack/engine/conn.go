package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	lib "modernc.org/sqlite/lib"
)

// Conn is a connection: one transaction at a time, one statement at a time. Its
// methods must not be called concurrently. [Conn.Close] must be called once.
type Conn struct {
	db *DB

	// mu is held by the method that runs, and by a connection that rolls this one
	// back because it waits for its lock. It guards all below.
	mu       sync.Mutex
	tls      *libc.TLS
	handle   uintptr
	scratch  uintptr // C memory for two pointers
	stmts    map[stmtKey]*stmt
	review   review
	ctx      context.Context // of the running call: the busy handler gives up with it
	dirty    bool            // carries state that its next user must not see
	timedOut bool
	attached map[string]string // by alias, in lower case: holder of the rights that attached it
	logged   int64             // length of the write-ahead log after a commit of the running call
}

func open(db *DB) (_ *Conn, err error) {
	c := &Conn{db: db, tls: libc.NewTLS(), stmts: make(map[stmtKey]*stmt), ctx: context.Background()}
	defer func() {
		if err != nil {
			c.destroy()
		}
	}()
	c.scratch = libc.Xcalloc(c.tls, 2, types.Size_t(ptrSize))
	if c.scratch == 0 {
		return nil, errNoMemory
	}
	path, err := cstring(c.tls, db.path)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, path)
	const flags = lib.SQLITE_OPEN_READWRITE | lib.SQLITE_OPEN_CREATE | lib.SQLITE_OPEN_NOMUTEX
	rc := lib.Xsqlite3_open_v2(c.tls, path, c.scratch, flags, 0)
	c.handle = *(*uintptr)(pointer(c.scratch))
	if rc != lib.SQLITE_OK {
		return nil, fmt.Errorf("open database: %w", c.lastError(rc))
	}
	lib.Xsqlite3_extended_result_codes(c.tls, c.handle, 1)
	lib.Xsqlite3_limit(c.tls, c.handle, lib.SQLITE_LIMIT_LENGTH, maxValue)
	connections.Store(c.handle, c)
	lib.Xsqlite3_busy_handler(c.tls, c.handle, busyPointer, c.handle)
	for _, pragma := range db.pragmas() {
		if err := c.exec(pragma); err != nil {
			return nil, fmt.Errorf("open database: %w", err)
		}
	}
	if err := errors.Join(c.defend(), c.extend()); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	lib.Xsqlite3_wal_hook(c.tls, c.handle, walHookPointer, c.handle) // in place of SQLite's own checkpoints
	lib.Xsqlite3_set_authorizer(c.tls, c.handle, authorizePointer, c.handle)
	return c, nil
}

// maxValue bounds a value and a row, in bytes, as libsql-server's max_row_size does.
const maxValue = 5_000_000

// configure sets an option of the connection.
func (c *Conn) configure(option, value int32) error {
	args := libc.NewVaList(value, uintptr(0))
	if args == 0 {
		return errNoMemory
	}
	defer libc.Xfree(c.tls, args)
	return c.lastError(lib.Xsqlite3_db_config(c.tls, c.handle, option, args))
}

// defend keeps SQL from corrupting the file on purpose, and SQLite from
// checkpoints that are not ours: they would end a generation unseen.
func (c *Conn) defend() error {
	return errors.Join(
		c.configure(lib.SQLITE_DBCONFIG_DEFENSIVE, 1),
		c.configure(lib.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1))
}

// exec runs SQL of our own, outside of any review.
func (c *Conn) exec(sql string) error {
	csql, err := cstring(c.tls, sql)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, csql)
	return c.lastError(lib.Xsqlite3_exec(c.tls, c.handle, csql, 0, 0, 0))
}

// Autocommit reports whether no transaction is open.
func (c *Conn) Autocommit() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.autocommit()
}

func (c *Conn) autocommit() bool { return lib.Xsqlite3_get_autocommit(c.tls, c.handle) != 0 }

// Close rolls back what is open and gives the connection back to its database.
func (c *Conn) Close() {
	c.mu.Lock()
	c.rollback()
	c.timedOut = false
	lib.Xsqlite3_set_last_insert_rowid(c.tls, c.handle, 0)
	c.mu.Unlock()
	c.db.put(c)
}

func (c *Conn) rollback() {
	if !c.autocommit() {
		c.exec("ROLLBACK") //nolint:errcheck // fails only if SQLite rolled back by itself
	}
	c.db.noteWriter(c)
}

// writing reports whether the connection holds the write lock.
func (c *Conn) writing() bool {
	return lib.Xsqlite3_txn_state(c.tls, c.handle, 0) == lib.SQLITE_TXN_WRITE
}

// during runs f with the connection locked and interrupted when ctx ends.
func (c *Conn) during(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	logged, err := c.locked(ctx, true, f)
	if logged > 0 {
		c.db.frames.logged(logged)
		c.db.committed(logged)
	}
	return err
}

// looking runs f, which only looks, like during: that the transaction timed out is left
// to be told to what runs next.
func (c *Conn) looking(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := c.locked(ctx, false, f)
	return err
}

// interruptAgain is how often a statement is interrupted until it stops: SQLite forgets an
// interrupt that comes before the first step.
const interruptAgain = 10 * time.Millisecond

func (c *Conn) locked(ctx context.Context, tell bool, f func() error) (logged int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timedOut && tell {
		c.timedOut = false
		return 0, ErrTransactionTimeout
	}
	c.ctx, c.logged = ctx, 0
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		again := time.NewTicker(interruptAgain)
		defer again.Stop()
		for {
			lib.Xsqlite3_interrupt(c.tls, c.handle)
			select {
			case done <- struct{}{}:
				return
			case <-again.C:
			}
		}
	})
	err = f()
	if !stop() {
		<-done // or the interrupt would hit the next statement
	}
	if err != nil && ctx.Err() != nil { // busy can see the end before the interrupt begins
		err = ctx.Err()
	}
	c.db.noteWriter(c)
	return c.logged, err
}

// walHook is called by SQLite after a commit.
func walHook(_ *libc.TLS, handle, _, _ uintptr, frames int32) int32 {
	if v, ok := connections.Load(handle); ok {
		v.(*Conn).logged = int64(frames)
	}
	return lib.SQLITE_OK
}

var walHookPointer = funcPointer(walHook)

// destroy frees everything. The connection must not be used again.
func (c *Conn) destroy() {
	c.dropStatements()
	if c.handle != 0 {
		connections.Delete(c.handle) // before its address can be another's
		lib.Xsqlite3_close_v2(c.tls, c.handle)
	}
	if c.scratch != 0 {
		libc.Xfree(c.tls, c.scratch)
	}
	c.tls.Close()
}

// busyPoll is the interval at which a connection that waits for a lock looks again.
const busyPoll = 2 * time.Millisecond

// busy is called by SQLite while another connection holds the lock that the
// statement needs: one is to wait, zero to give up.
func busy(_ *libc.TLS, handle uintptr, _ int32) int32 {
	v, ok := connections.Load(handle)
	if !ok {
		return 0
	}
	c := v.(*Conn)
	c.db.stealLock()
	t := time.NewTimer(busyPoll)
	defer t.Stop()
	select {
	case <-c.ctx.Done():
		return 0
	case <-c.db.closing:
		return 0
	case <-t.C:
		return 1
	}
}

var busyPointer = funcPointer(busy)
