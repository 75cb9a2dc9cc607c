package libsql

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/zen-auth/zen/internal/link"
)

// Progress is how far a replica has come: the frame of the write-ahead log that is
// durable in its file, in the generation that the log belongs to.
type Progress struct {
	Generation uint32 `json:"generation"`
	Frame      uint32 `json:"frame"`
}

// Synced tells of a sync.
type Synced struct {
	// Progress is where the replica is; zero if its file can't be read.
	Progress Progress
	// Changed reports whether the sync brought anything.
	Changed bool
	// Recovered is where files were moved that didn't fit together; "" if none were.
	Recovered string
	// Took is how long the sync took, Err why it failed, and Failures how many have
	// in a row.
	Took     time.Duration
	Err      error
	Failures int
	// Next is when the next one is due; zero for one that was asked for.
	Next time.Time
}

func newSynced(s link.Synced) Synced {
	return Synced{
		Progress: Progress(s.Progress), Changed: s.Changed, Recovered: s.Recovered,
		Took: s.Took, Err: s.Err, Failures: s.Failures, Next: s.Next,
	}
}

// Sync brings the replica that db is up to date. It is an error for databases of
// another mode. When ctx ends first, the sync goes on in the background; Close waits
// for it.
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
	// RowsAffected and LastInsertID are those of an Exec; HasLastInsertID tells
	// whether there is one.
	RowsAffected    int64
	LastInsertID    int64
	HasLastInsertID bool
	// Err is why the replica couldn't sync.
	Err error
}

// Error says that it was applied first.
func (e *AppliedError) Error() string {
	return fmt.Sprintf("applied at the database, do not repeat it; the replica does not show it yet: %v", e.Err)
}

// Unwrap returns the sync's error.
func (e *AppliedError) Unwrap() error { return e.Err }

// Interface guards
var _ error = (*AppliedError)(nil)
