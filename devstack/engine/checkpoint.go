package engine

import (
	"context"
	"fmt"
	"time"

	lib "modernc.org/sqlite/lib"
)

// committed is called when a commit made the log n frames long.
func (db *DB) committed(n int64) {
	db.commits.send()
	tried := db.gens.tried.Load()
	if n < tried {
		tried = 0 // it began anew
	}
	if n-tried < int64(db.checkpointFrames) || !db.gens.trying.CompareAndSwap(false, true) {
		return
	}
	defer db.gens.trying.Store(false)
	db.gens.tried.Store(n)
	ctx, cancel := context.WithTimeout(context.Background(), checkpointWait)
	defer cancel()
	_ = db.Checkpoint(ctx) // the next commits try again
}

// checkpointWait limits how long a checkpoint waits for a writer.
const checkpointWait = 500 * time.Millisecond

// Checkpoint copies what was committed into the file, which ends the generation,
// unless a reader still needs the file as it is.
func (db *DB) Checkpoint(ctx context.Context) error {
	writer, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer writer.Close()
	copier, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer copier.Close()
	// While one connection holds the write lock the log does not grow, nor begin
	// anew, so that what was scanned is what the other one copies.
	return writer.during(ctx, func() error {
		if err := writer.exec("BEGIN IMMEDIATE"); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
		defer writer.rollback()
		return copier.during(ctx, func() error { return db.gens.checkpoint(copier) })
	})
}

func (g *generations) checkpoint(c *Conn) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.scan(); err != nil {
		return err
	}
	if len(g.log.pages) == g.begin {
		return nil
	}
	logged, copied := c.scratch, c.scratch+ptrSize
	rc := lib.Xsqlite3_wal_checkpoint_v2(c.tls, c.handle, 0, lib.SQLITE_CHECKPOINT_PASSIVE, logged, copied)
	if err := c.lastError(rc); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	n := int(*(*int32)(pointer(logged)))
	g.copied = max(g.copied, int(*(*int32)(pointer(copied))))
	if n != int(*(*int32)(pointer(copied))) || n != len(g.log.pages) {
		return nil
	}
	c.db.frames.copied()
	return g.end()
}
