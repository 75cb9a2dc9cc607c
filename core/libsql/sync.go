package libsql

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/zen-auth/zen/internal/link"
)

// Progress is the position of a replica: the last frame of the write-ahead log that is
// durable in its file, and the generation that the log belongs to.
type Progress struct {
	Generation uint32 `json:"generation"`
	Frame      uint32 `json:"frame"`
}

// Synced describes a sync.
type Synced struct {
	// Progress is the replica's position, zero if its file can't be read.
	Progress Progress
	// Changed reports whether the sync brought anything.
	Changed bool
	// Recovered is the directory to which damaged files were moved, "" if none were.
	Recovered string
	// Took is the duration of the sync, Err the reason if it failed, and Failures the
	// number of syncs that have failed in a row.
	Took     time.Duration
	Err      error
	Failures int
	// Next is the time of the next sync, zero after one that Sync made.
	Next time.Time
}

func newSynced(s link.Synced) Synced {
	return Synced{
		Progress: Progress(s.Progress), Changed: s.Changed, Recovered: s.Recovered,
		Took: s.Took, Err: s.Err, Failures: s.Failures, Next: s.Next,
	}
}

// Sync brings the replica behind db up to date. For a database in another mode it
// returns an error. If ctx ends first, the sync continues in the background, and Close
// waits for it.
func Sync(ctx context.Context, db *sql.DB) (Synced, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return Synced{}, err
	}
	defer conn.Close()
	var synced link.Synced
	err = conn.Raw(func(c any) error {
		syncer, ok := c.(link.Syncer)
		if !ok {
			return misfit("sync: the database is not a replica", "open it in mode replica")
		}
		synced, err = syncer.Sync(ctx)
		return err
	})
	return newSynced(synced), err
}

// AppliedError is the error of a statement, or a commit, that the database has run and
// that must not be run again: what failed is bringing its result to the replica, so
// that until the next sync the replica's reads may not show it.
type AppliedError struct {
	// RowsAffected and LastInsertID are the results of an Exec; HasLastInsertID
	// reports whether there is an id.
	RowsAffected    int64
	LastInsertID    int64
	HasLastInsertID bool
	// Err is the error of the sync.
	Err error
}

// Error says first that the statement was applied.
func (e *AppliedError) Error() string {
	return fmt.Sprintf("applied at the database, do not repeat it; the replica does not show it yet: %v", e.Err)
}

// Unwrap returns the sync's error.
func (e *AppliedError) Unwrap() error { return e.Err }

// Interface guards
var _ error = (*AppliedError)(nil)
