//go:build cgo && linux && (amd64 || arm64)

package soak_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/internal/testwait"
	"github.com/zen-auth/zen/internal/transport"
)

// worker writes rows of its own, and reads them.
type worker struct {
	*soak
	*handle
	id int
	// rows are the fates of the writes, by the number in the row's ID.
	rows []fate
	// groups are the rows of each transaction, all of which are there, or none.
	groups [][2]int
}

// fate is what is known about a row.
type fate byte

const (
	unknown fate = iota // the write failed: there is one row, or none
	there               // it was acknowledged
	applied             // it was written, but the replica may not show it yet
	never               // it was refused or rolled back
)

const (
	maxPause = 100 * time.Millisecond
	// stuck is how long a query may take before it counts as hanging.
	stuck = 3 * time.Minute
)

func (w *worker) run(loading context.Context) {
	for loading.Err() == nil {
		ctx, cancel := context.WithTimeout(context.Background(), stuck)
		if rand.IntN(50) == 0 { // a caller that gives up
			ctx, cancel = context.WithTimeout(context.Background(), rand.N(20*time.Millisecond))
		}
		over := w.weather.query()
		switch n := rand.IntN(20); {
		case n < 5:
			w.insert(ctx)
		case n < 6:
			w.insertReturning(ctx)
		case n < 7:
			w.insertPrepared(ctx)
		case n < 8:
			w.transaction(ctx)
		case n < 9:
			w.script(ctx)
		case n < 19:
			w.read(ctx)
		default:
			w.readMany(ctx)
		}
		over()
		cancel()
		testwait.Moment(loading, 0, maxPause)
	}
}

const insert = "INSERT INTO ledger (id, worker) VALUES (?, ?)"

// next returns the ID of the next row, whose fate is unknown so far.
func (w *worker) next() (id int64) {
	w.rows = append(w.rows, unknown)
	return w.row(len(w.rows) - 1)
}

func (w *worker) row(n int) (id int64) { return int64(w.id)<<32 | int64(n) }

// wrote sets the fate of the rows from number from on.
func (w *worker) wrote(ctx context.Context, began time.Time, what string, from int, err error) {
	fate := unknown
	var late *libsql.AppliedError
	var refused *transport.Refused
	switch {
	case err == nil:
		fate = there
	case errors.As(err, &late):
		fate = applied
		what, err = what+", read back", late.Err
	case errors.As(err, &refused):
		fate = never
	}
	w.judge(ctx, began, what, err)
	if fate == there || fate == applied {
		w.counts.n("rows written", len(w.rows)-from)
	}
	for n := from; n < len(w.rows); n++ {
		w.rows[n] = fate
	}
}

// judge counts a query, and fails the test if it failed without an excuse.
func (w *worker) judge(ctx context.Context, began time.Time, what string, err error) {
	w.counts.query(time.Since(began))
	if err == nil {
		return
	}
	excuse := w.weather.excuse(w.handle, began, err)
	switch {
	case time.Since(began) > stuck:
		excuse = ""
	case ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, sql.ErrTxDone)): // database/sql ended it
		excuse = "given up by the caller"
	}
	if excuse == "" {
		w.fail("%s: %s, after %s: %v", w.name, what, time.Since(began).Round(time.Millisecond), err)
		excuse = "WITHOUT EXCUSE"
	}
	w.counts.add("failed: " + excuse)
}

func (w *worker) insert(ctx context.Context) {
	began, n := time.Now(), len(w.rows)
	_, err := w.db.ExecContext(ctx, insert, w.next(), w.id)
	w.wrote(ctx, began, "insert", n, err)
}

func (w *worker) insertReturning(ctx context.Context) {
	began, n := time.Now(), len(w.rows)
	id := w.next()
	var got int64
	err := w.db.QueryRowContext(ctx, insert+" RETURNING id", id, w.id).Scan(&got)
	if err == nil && got != id {
		w.fail("%s: inserted %d, returned %d", w.name, id, got)
	}
	w.wrote(ctx, began, "insert returning", n, err)
}

func (w *worker) insertPrepared(ctx context.Context) {
	began, n := time.Now(), len(w.rows)
	stmt, err := w.db.PrepareContext(ctx, insert)
	if err == nil {
		_, err = stmt.ExecContext(ctx, w.next(), w.id)
		err = errors.Join(err, stmt.Close())
	}
	w.wrote(ctx, began, "prepared insert", n, err)
}

// script is a transaction in one string.
func (w *worker) script(ctx context.Context) {
	began, n := time.Now(), len(w.rows)
	_, err := w.db.ExecContext(ctx, fmt.Sprintf("BEGIN IMMEDIATE; INSERT INTO ledger VALUES (%d, %d); INSERT INTO ledger VALUES (%d, %d); COMMIT",
		w.next(), w.id, w.next(), w.id))
	w.groups = append(w.groups, [2]int{n, len(w.rows)})
	w.wrote(ctx, began, "script", n, err)
}

// transaction takes several round trips, and is rolled back one time in four.
func (w *worker) transaction(ctx context.Context) {
	began, n := time.Now(), len(w.rows)
	tx, err := w.db.BeginTx(ctx, nil)
	for i := 0; i < 2 && err == nil; i++ {
		_, err = tx.ExecContext(ctx, insert, w.next(), w.id)
	}
	w.groups = append(w.groups, [2]int{n, len(w.rows)})
	if err == nil && rand.IntN(4) > 0 {
		err = tx.Commit()
		w.wrote(ctx, began, "transaction", n, err)
		return
	}
	w.judge(ctx, began, "statement of a transaction", err)
	for i := n; i < len(w.rows); i++ {
		w.rows[i] = never // even if the rollback fails, nothing is committed
	}
	if tx != nil {
		if err := tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
			w.judge(ctx, began, "rollback", err)
		}
	}
}

// read looks for a row, whether it was written or not.
func (w *worker) read(ctx context.Context) {
	if len(w.rows) == 0 {
		return
	}
	began, n := time.Now(), rand.IntN(len(w.rows))
	var count int
	err := w.db.QueryRowContext(ctx, "SELECT count(*) FROM ledger WHERE id = ?", w.row(n)).Scan(&count)
	w.readDone(ctx, began, err)
	if err == nil {
		if wrong := w.rows[n].contradicts(count); wrong != "" {
			w.fail("%s: row %d of worker %d: %d times, %s", w.name, n, w.id, count, wrong)
		}
	}
}

// readMany reads rows as a stream.
func (w *worker) readMany(ctx context.Context) {
	began := time.Now()
	rows, err := w.db.QueryContext(ctx, "SELECT id FROM ledger WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 200", w.row(0), w.row(len(w.rows)))
	if err == nil {
		var id, last int64 = 0, 1 << 62
		for rows.Next() && err == nil {
			if err = rows.Scan(&id); err == nil && id >= last {
				w.fail("%s: row %d twice, or out of order", w.name, id)
			}
			last = id
		}
		err = errors.Join(err, rows.Err(), rows.Close())
	}
	w.readDone(ctx, began, err)
}

// readDone judges a read. A replica's read may only be ended by the caller.
func (w *worker) readDone(ctx context.Context, began time.Time, err error) {
	if err != nil && w.replica && ctx.Err() == nil {
		w.fail("%s: a local read: %v", w.name, err)
		return
	}
	w.judge(ctx, began, "read", err)
}

// contradicts returns what is wrong if there are count such rows, or an empty string.
func (f fate) contradicts(count int) string {
	switch {
	case count > 1:
		return "doubled"
	case f == there && count == 0:
		return "lost"
	case f == never && count == 1:
		return "present, though it was refused or rolled back"
	}
	return ""
}
