package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/internal/cli/app"
)

// The statements of a script that return no rows travel together, in one request at a
// remote database: so many, or as many bytes, at most. A thousand small ones take a
// server some ten milliseconds of the five seconds that it gives a transaction.
const (
	maxBatch      = 1000
	maxBatchBytes = 512 << 10
)

// batch holds statements back until there are enough of them, or one returns rows.
type batch struct {
	stmts []hrana.Statement
	// places make an error of a statement show where it is, by the index in stmts.
	places []func(error) error
	size   int
}

// take runs a statement of a script, with those before it or later: errors are those of
// the statements that it ran, shown where they are by place.
func (r *runner) take(ctx context.Context, statement string, place func(error) error) error {
	if rows, _ := hrana.Results(statement); rows || r.timing || r.format == "json" {
		if err := r.flush(ctx); err != nil {
			return err
		}
		return place(r.statement(ctx, statement, nil))
	}
	b := &r.held
	b.stmts = append(b.stmts, hrana.Statement{SQL: statement})
	b.places = append(b.places, place)
	if b.size += len(statement); len(b.stmts) < maxBatch && b.size < maxBatchBytes {
		return nil
	}
	return r.flush(ctx)
}

// flush runs the statements that are held back.
func (r *runner) flush(ctx context.Context) error {
	b := r.held
	r.held = batch{}
	if len(b.stmts) == 0 {
		return nil
	}
	var results []hrana.Result
	err := app.Slowly(r.c, "waiting for the database", func() (err error) {
		results, err = hrana.ExecBatch(ctx, r.conn, b.stmts)
		return err
	})
	for i, done := range results {
		r.tell(done, b.stmts[i].SQL)
	}
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

// tell notes what a statement did.
func (r *runner) tell(done hrana.Result, statement string) {
	note := "done"
	if _, changes := hrana.Results(statement); changes {
		note = count(done.RowsAffected, "row") + " affected"
	}
	fmt.Fprintln(app.Notes(r.c), note)
}
