package hrana

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// Statement is one of a batch, with arguments as for [sql.DB.Exec]: values, or
// [sql.NamedArg]s.
type Statement struct {
	SQL  string
	Args []any
}

// Result is what a statement of a batch returned.
type Result struct {
	Columns []string
	// Rows hold nil, int64, float64, string, []byte and time.Time. NaN is an infinite
	// float, whose sign servers lose.
	Rows         [][]any
	RowsAffected int64
	LastInsertID int64 // 0 if the statement was no INSERT
}

// Batch runs the statements in one request. With [Deferred] or [Immediate] they
// are one transaction, which a failure rolls back; with [Autocommit] each one
// stands for itself, and those before a failure stay done. Nothing runs after a
// failure. The error wraps an [*Error] that names the statement; the results
// are those of the statements that stay done.
func (c *Connector) Batch(ctx context.Context, mode TxMode, stmts []Statement) ([]Result, error) {
	if len(stmts) == 0 {
		return nil, nil
	}
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	steps, first, err := batchSteps(mode, stmts)
	if err != nil {
		return nil, err
	}
	r, _, err := c.run(ctx, call{steps: steps, mode: keepRows, closing: true})
	if err != nil {
		return nil, err
	}
	last := first + len(stmts)
	if err = verdict(r.err, r.steps[:last], first); err == nil && mode != Autocommit {
		err = verdict(nil, r.steps[last:last+1], 0) // COMMIT
	}
	if err != nil && mode != Autocommit {
		return nil, err
	}
	results, broken := c.batchResults(r.steps[first:last])
	return results, errors.Join(err, broken)
}

// batchSteps chains the statements: BEGIN, each after the success of the one
// before, COMMIT, and ROLLBACK where COMMIT did not come to pass.
func batchSteps(mode TxMode, stmts []Statement) (steps []step, first int, err error) {
	if mode != Autocommit {
		steps, first = append(steps, step{sql: mode.begin()}), 1
	}
	for i := range stmts {
		s, err := stmts[i].step()
		if err != nil {
			return nil, 0, fmt.Errorf("hrana: statement %d: %w", i+1, err)
		}
		steps = append(steps, s)
	}
	if mode != Autocommit {
		steps = append(steps, step{sql: "COMMIT"})
	}
	for i := 1; i < len(steps); i++ {
		steps[i].condition = ok(i - 1)
	}
	if mode != Autocommit {
		steps = append(steps, step{sql: "ROLLBACK", condition: not(ok(len(steps) - 1))})
	}
	return steps, first, nil
}

func (s *Statement) step() (step, error) {
	parsed, err := parseScript(s.SQL)
	if err != nil {
		return step{}, err
	}
	if len(parsed) != 1 {
		return step{}, fmt.Errorf("text holds %d statements instead of one", len(parsed))
	}
	args := make([]driver.NamedValue, len(s.Args))
	for i, v := range s.Args {
		args[i].Ordinal = i + 1
		if named, ok := v.(sql.NamedArg); ok {
			args[i].Name, v = named.Name, named.Value
		}
		if args[i].Value, err = checkValue(v); err != nil {
			return step{}, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	if err := parsed[0].params.Check(args); err != nil {
		return step{}, err
	}
	return step{sql: parsed[0].sql, params: parsed[0].params, args: args, wantRows: true}, nil
}

// batchResults returns the results of the steps up to the first that was not
// done.
func (c *Connector) batchResults(steps []outcome) ([]Result, error) {
	var results []Result
	for i := range steps {
		if !steps[i].done {
			break
		}
		rs, err := c.newKeptRows(&steps[i])
		if err != nil {
			return results, err
		}
		r := Result{Columns: rs.Columns(), RowsAffected: steps[i].affected, LastInsertID: steps[i].rowID}
		for _, row := range rs.kept {
			values := make([]any, len(row))
			rs.times.Convert(row)
			for k, v := range row {
				values[k] = v
			}
			r.Rows = append(r.Rows, values)
		}
		results = append(results, r)
	}
	return results, nil
}
