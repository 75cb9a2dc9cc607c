package db

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/text"
)

// runner runs statements on one connection and prints what they return.
type runner struct {
	c      *cli.Context
	conn   *sql.Conn
	out    *bufio.Writer
	format string
	timing bool
	// noHeader leaves the names of columns out.
	noHeader bool
	// tables is how many results were printed.
	tables int
	held   batch
	// width is that of the terminal, or 0.
	width int
}

func newRunner(c *cli.Context, conn *sql.Conn, format string) *runner {
	return &runner{
		c: c, conn: conn, out: bufio.NewWriterSize(printable(c.App.Writer), 64<<10), format: format,
		width: app.Width(c.App.Writer),
	}
}

// script runs the statements of a text until one fails, which the error then shows
// the place of. Arguments are for the only statement.
func (r *runner) script(ctx context.Context, text string, args []any) error {
	for at, n := 0, 1; at < len(text); n++ {
		from, to, next, _ := hrana.Cut(text[at:])
		if from == to {
			break
		}
		begins, statement, end := at+from, text[at+from:at+to], at+next
		place := func(err error) error {
			if err == nil {
				return nil
			}
			err = placed(err, text, begins, statement)
			if rest, _, _, _ := hrana.Cut(text[end:]); n > 1 || end+rest < len(text) {
				err = inStatement(n, err)
			}
			return err
		}
		var err error
		if len(args) > 0 {
			err = place(r.statement(ctx, statement, args))
		} else {
			err = r.take(ctx, statement, place)
		}
		if err != nil {
			return err
		}
		at = end
	}
	return r.flush(ctx)
}

// ended makes an error of a transaction that is still open at the end of the input:
// what was said to be affected is not.
func (r *runner) ended(err error) error {
	if err != nil {
		return err
	}
	return leftOpen(r.conn)
}

func leftOpen(conn *sql.Conn) error {
	if open, _ := hrana.Transaction(conn); !open {
		return nil
	}
	return &provider.Error{Message: "the transaction was left open, and is rolled back", Hint: "end it with COMMIT, or with ROLLBACK where that is meant"}
}

// statement runs one statement.
func (r *runner) statement(ctx context.Context, statement string, args []any) error {
	started := time.Now()
	var note string
	var err error
	if rows, _ := hrana.Results(statement); rows {
		note, err = r.query(ctx, statement, args)
	} else {
		note, err = r.exec(ctx, statement, args)
	}
	if flushErr := r.out.Flush(); err == nil {
		err = flushErr
	}
	if err != nil {
		return libsql.Explain(err)
	}
	if r.timing {
		note += " in " + took(time.Since(started))
	}
	fmt.Fprintln(app.Notes(r.c), note)
	return nil
}

func (r *runner) query(ctx context.Context, query string, args []any) (note string, err error) {
	var rows *sql.Rows
	err = app.Slowly(r.c, "waiting for the database", func() (err error) {
		rows, err = r.conn.QueryContext(ctx, query, args...)
		return err
	})
	if err != nil {
		return "", err
	}
	n, err := r.print(rows)
	return count(n, "row"), errors.Join(err, rows.Close())
}

// print writes rows as they come.
func (r *runner) print(rows *sql.Rows) (n int64, err error) {
	columns, err := rows.Columns()
	if err != nil || len(columns) == 0 && !rows.Next() {
		return 0, errors.Join(err, rows.Err())
	}
	if r.tables++; r.tables > 1 {
		r.out.WriteByte('\n')
	}
	out := rowFormats[r.format](r.out, layout{columns: columns, header: !r.noHeader, width: r.width})
	progress := newProgress(r.c)
	defer progress.clear()
	values, pointers := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		pointers[i] = &values[i]
	}
	for ; rows.Next(); n++ {
		if err := rows.Scan(pointers...); err != nil {
			return n, err
		}
		if err := out.row(values); err != nil {
			return n, err
		}
		progress.tell(n)
	}
	if err := rows.Err(); err != nil {
		return n, errors.Join(err, out.cut())
	}
	return n, out.end()
}

func (r *runner) exec(ctx context.Context, query string, args []any) (note string, err error) {
	var result sql.Result
	err = app.Slowly(r.c, "waiting for the database", func() (err error) {
		result, err = r.conn.ExecContext(ctx, query, args...)
		return err
	})
	if err != nil {
		return "", err
	}
	affected, err := result.RowsAffected()
	if err != nil {
		return "", err
	}
	if r.format == "json" {
		err = app.WriteJSON(r.out, struct {
			SchemaVersion int   `json:"schema_version"`
			RowsAffected  int64 `json:"rows_affected"`
		}{app.SchemaVersion, affected})
	}
	if _, changes := hrana.Results(query); !changes {
		return "done", err
	}
	return count(affected, "row") + " affected", err
}

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// took is a duration for people.
func took(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d < 10*time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

// printable is for what a terminal would obey: there the control characters that a
// database may hold are made visible, elsewhere nothing is changed.
func printable(w io.Writer) io.Writer {
	if app.IsTerminal(w) {
		return text.Terminal(w)
	}
	return w
}
