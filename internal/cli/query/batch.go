package query

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/internal/sqlite"
)

// The statements of a script that return no rows travel together, in one request at a
// remote database: so many, or as many bytes, at most. A thousand small ones take a
// server some ten milliseconds of the five seconds that it gives a transaction.
const (
	MaxBatch      = 1000
	MaxBatchBytes = 512 << 10
)

// batch holds statements back until there are enough of them, or one returns rows.
type batch struct {
	stmts []hrana.Statement
	// places make an error of a statement show where it is, by the index in stmts.
	places []func(error) error
	size   int
}

// Take runs a statement of a script, with those before it or later: errors are those of
// the statements that it ran, shown where they are by place.
func (r *Runner) Take(ctx context.Context, statement string, place func(error) error) error {
	if rows, _ := sqlite.Results(statement); rows || r.Timing || r.Format == "json" {
		if err := r.Flush(ctx); err != nil {
			return err
		}
		return place(r.Statement(ctx, statement, nil))
	}
	b := &r.held
	b.stmts = append(b.stmts, hrana.Statement{SQL: statement})
	b.places = append(b.places, place)
	if b.size += len(statement); len(b.stmts) < MaxBatch && b.size < MaxBatchBytes {
		return nil
	}
	return r.Flush(ctx)
}

// Flush runs the statements that are held back.
func (r *Runner) Flush(ctx context.Context) error {
	b := r.held
	r.held = batch{}
	if len(b.stmts) == 0 {
		return nil
	}
	var results []hrana.Result
	err := r.env.Slowly("waiting for the database", func() (err error) {
		results, err = hrana.ExecBatch(ctx, r.conn, b.stmts)
		return err
	})
	var notes strings.Builder
	for i, done := range results {
		notes.WriteString(noteOf(done, b.stmts[i].SQL) + "\n")
	}
	_, _ = io.WriteString(r.env.Notes(), notes.String()) // as with every note, it goes on without
	if err == nil {
		return nil
	}
	at := 0
	if failed := (*hrana.Error)(nil); errors.As(err, &failed) && failed.Statement > 0 {
		at, failed.Statement = failed.Statement-1, 0 // the place says it better
	} else if len(b.stmts) > 1 {
		return libsql.Explain(err) // where the network failed, it may have been any of them
	}
	return b.places[at](libsql.Explain(err))
}

// noteOf says what a statement did.
func noteOf(done hrana.Result, statement string) string {
	if _, changes := sqlite.Results(statement); changes {
		return Count(done.RowsAffected, "row") + " affected"
	}
	return "done"
}
