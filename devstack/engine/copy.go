package engine

import (
	"context"
	"errors"
	"fmt"

	lib "modernc.org/sqlite/lib"
)

// Copy makes the database what source is now.
func (db *DB) Copy(ctx context.Context, source *DB) error {
	from, err := source.Conn(ctx)
	if err != nil {
		return fmt.Errorf("copy database: %w", err)
	}
	defer from.Close()
	to, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("copy database: %w", err)
	}
	defer to.Close()
	to.dirty = true // what it had compiled is of another schema
	err = from.during(ctx, func() error {
		return to.during(ctx, func() error { return to.backup(from) })
	})
	if err != nil {
		return fmt.Errorf("copy database: %w", err)
	}
	return nil
}

// backup copies all pages at once.
func (c *Conn) backup(from *Conn) error {
	name, err := cstring(c.tls, "main")
	if err != nil {
		return err
	}
	defer freeC(c.tls, name)
	b := lib.Xsqlite3_backup_init(c.tls, c.handle, name, from.handle, name)
	if b == 0 {
		return c.lastError(lib.Xsqlite3_errcode(c.tls, c.handle))
	}
	lib.Xsqlite3_backup_step(c.tls, b, -1)
	return c.lastError(lib.Xsqlite3_backup_finish(c.tls, b))
}

// Errors of a dump, with libsql-server's texts, which are on the wire.
var (
	//lint:ignore ST1005 the text is libsql-server's
	ErrNoTransaction = errors.New("A dump should execute within a transaction.")
	//lint:ignore ST1005 the text is libsql-server's
	ErrNoCommit = errors.New("The dump should commit the transaction.")
)

// Load runs a dump, which is one transaction. It may do what SQL otherwise may not, as
// dumps of virtual tables write the schema, but reach no other file. An error leaves the
// database as it was.
func (db *DB) Load(ctx context.Context, dump string) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("load dump: %w", err)
	}
	defer c.Close()
	c.dirty = true
	begins := false
	parts := c.split(ctx, dump)
	for _, p := range parts {
		if firstTokens(p.text, "BEGIN") {
			begins = true
			break
		}
		if !firstTokens(p.text, "PRAGMA") {
			break
		}
	}
	if !begins {
		return ErrNoTransaction
	}
	return c.during(ctx, func() (err error) {
		if err := c.configure(lib.SQLITE_DBCONFIG_DEFENSIVE, 0); err != nil {
			return err
		}
		defer func() {
			if open := !c.autocommit(); open {
				c.rollback()
				if err == nil {
					err = ErrNoCommit
				}
			}
		}()
		for _, p := range parts {
			c.review = review{loading: true}
			err := c.exec(p.text)
			c.review = review{}
			if err != nil {
				return fmt.Errorf("load dump: %w", err)
			}
		}
		return nil
	})
}
