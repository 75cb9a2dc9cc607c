package hrana

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	"github.com/zen-auth/zen/internal/sqlite"
)

// Statement is one of a batch, with arguments as for [sql.DB.Exec]: values, or
// [sql.NamedArg]s.
type Statement struct {
	SQL  string
	Args []any
}

// Result is the outcome of one statement of a batch.
type Result struct {
	RowsAffected int64
	LastInsertID int64 // 0 if the statement was no INSERT
}

// Batcher runs a batch on a driver's connection, as [ExecBatch] says. The connections
// of a [Connector] do it in one request.
type Batcher interface {
	ExecBatch(ctx context.Context, stmts []Statement) ([]Result, error)
}

// ExecBatch runs statements on a connection, each after the success of the one before,
// and drops their rows. BEGIN and COMMIT may be among them; without, each stands for
// itself. The results are those of the statements that were done before the error,
// which is an [*Error] that counts the statement where the database refused one.
//
// At a remote database all of them travel in one request, whose size is the caller's
// to bound: sqld takes no more than five seconds for a transaction. A driver's
// connection that is no [Batcher] runs them one by one.
func ExecBatch(ctx context.Context, connection *sql.Conn, stmts []Statement) (results []Result, err error) {
	if len(stmts) == 0 {
		return nil, nil
	}
	batches := false
	broken := connection.Raw(func(driverConn any) error {
		var b Batcher
		if b, batches = driverConn.(Batcher); batches {
			results, err = b.ExecBatch(ctx, stmts)
		}
		return nil
	})
	if broken != nil {
		return nil, broken
	}
	if batches {
		return results, err
	}
	for i, s := range stmts {
		done, err := connection.ExecContext(ctx, s.SQL, s.Args...)
		if err != nil {
			if failed := (*Error)(nil); errors.As(err, &failed) {
				failed.Statement = i + 1
			}
			return results, err
		}
		results = append(results, resultOf(done))
	}
	return results, nil
}

// resultOf takes a driver's result apart.
func resultOf(done driver.Result) (r Result) {
	r.RowsAffected, _ = done.RowsAffected()
	r.LastInsertID, _ = done.LastInsertId() // an error means that there is none
	return r
}

// ExecBatch implements [Batcher].
func (c *conn) ExecBatch(ctx context.Context, stmts []Statement) ([]Result, error) {
	parsed, steps := make([]sqlite.Statement, 0, len(stmts)), make([]step, 0, len(stmts)+1)
	for i := range stmts {
		one, s, err := stmts[i].step()
		if err != nil {
			return nil, fmt.Errorf("hrana: statement %d: %w", i+1, err)
		}
		parsed, steps = append(parsed, one), append(steps, s)
	}
	results, err := c.batch(ctx, parsed, steps)
	if failed := (*Error)(nil); errors.As(err, &failed) && failed.Statement == 0 && len(parsed) == 1 {
		failed.Statement = 1
	}
	return results, err
}

// batch runs a batch in one request. Where a server looks at all the SQL first and then
// runs none of it, without saying which statement it can't read, the batch is halved:
// those before that one run, as they would one by one.
func (c *conn) batch(ctx context.Context, parsed []sqlite.Statement, steps []step) ([]Result, error) {
	results, err := c.request(ctx, parsed, slices.Clone(steps))
	failed := (*Error)(nil)
	if len(parsed) == 1 || !errors.As(err, &failed) || failed.Statement != 0 || failed.Code != "SQL_PARSE_ERROR" {
		return results, err
	}
	half := len(parsed) / 2
	results, err = c.batch(ctx, parsed[:half], steps[:half])
	if err != nil {
		if errors.As(err, &failed) && failed.Statement == 0 {
			failed.Statement = 1 // of one
		}
		return results, err
	}
	more, err := c.batch(ctx, parsed[half:], steps[half:])
	if errors.As(err, &failed) {
		failed.Statement = max(failed.Statement, 1) + half
	}
	return append(results, more...), err
}

func (c *conn) request(ctx context.Context, parsed []sqlite.Statement, steps []step) ([]Result, error) {
	if len(parsed) == 1 {
		if gone, err := c.forget(parsed); gone {
			return nil, err
		}
	}
	if err := c.ready(parsed); err != nil {
		return nil, err
	}
	st := c.enter(parsed)
	steps, first := st.program(steps, c.c.version.Load(), c.settings)
	r, _, err := c.c.run(ctx, call{st: st, steps: steps, probe: c.probes(st), closing: st == nil})
	err = c.leave(parsed, r, c.settle(st, r, first, err))
	if r == nil {
		return nil, err
	}
	c.set(parsed, err)
	var results []Result
	for _, o := range r.steps[first:] {
		if !o.done {
			break
		}
		results = append(results, resultOf(result{o}))
	}
	return results, err
}

// step takes one statement apart, and checks its arguments.
func (s *Statement) step() (sqlite.Statement, step, error) {
	parsed, err := sqlite.Parse(s.SQL)
	if err != nil {
		return sqlite.Statement{}, step{}, err
	}
	if len(parsed) != 1 {
		return sqlite.Statement{}, step{}, fmt.Errorf("text holds %d statements instead of one", len(parsed))
	}
	args := make([]driver.NamedValue, len(s.Args))
	for i, v := range s.Args {
		args[i].Ordinal = i + 1
		if named, ok := v.(sql.NamedArg); ok {
			args[i].Name, v = named.Name, named.Value
		}
		if args[i].Value, err = sqlite.CheckValue(v); err != nil {
			return sqlite.Statement{}, step{}, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	if err := parsed[0].Params.Check(args); err != nil {
		return sqlite.Statement{}, step{}, err
	}
	return parsed[0], step{sql: parsed[0].SQL, params: parsed[0].Params, args: args}, nil
}

// Interface guards
var _ Batcher = (*conn)(nil)
