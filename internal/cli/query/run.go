package query

import (
	"bufio"
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/link"
	"github.com/zen-auth/zen/internal/sqlite"
	"github.com/zen-auth/zen/internal/terminal"
	"github.com/zen-auth/zen/internal/text"
)

// Runner runs statements on one connection and prints what they return.
type Runner struct {
	c    *cli.Context
	env  *app.Env // of c: each statement asks it, and to make one is to look at all flags
	conn *sql.Conn
	// Out is flushed after each statement.
	Out *bufio.Writer
	// Format is the form in which rows are printed, and Timing says how long each statement took.
	Format string
	Timing bool
	// NoHeader leaves the names of columns out.
	NoHeader bool
	// tables counts the results that were printed.
	tables int
	held   batch
	// width is the terminal's, or 0.
	width int
}

// NewRunner returns a Runner that prints to the command's output.
func NewRunner(c *cli.Context, conn *sql.Conn, format string) *Runner {
	return &Runner{
		c: c, env: app.EnvOf(c), conn: conn, Out: bufio.NewWriterSize(Printable(c.App.Writer), 64<<10), Format: format,
		width: app.Width(c.App.Writer),
	}
}

// Script runs the statements of a text until one fails, which the error then shows
// the place of. Arguments are for the only statement.
func (r *Runner) Script(ctx context.Context, text string, args []any) error {
	for at, n := 0, 1; at < len(text); n++ {
		from, to, next, _ := sqlite.Cut(text[at:])
		if from == to {
			break
		}
		begins, statement, end := at+from, text[at+from:at+to], at+next
		place := func(err error) error {
			if err == nil {
				return nil
			}
			err = Placed(err, text, begins, statement)
			if rest, _, _, _ := sqlite.Cut(text[end:]); n > 1 || end+rest < len(text) {
				err = inStatement(n, err)
			}
			return err
		}
		var err error
		if len(args) > 0 {
			err = place(r.Statement(ctx, statement, args))
		} else {
			err = r.Take(ctx, statement, place)
		}
		if err != nil {
			return err
		}
		at = end
	}
	return r.Flush(ctx)
}

// Ended makes an error of a transaction that is still open at the end of the input:
// what was said to be affected is not.
func (r *Runner) Ended(err error) error {
	if err != nil {
		return err
	}
	return LeftOpen(r.conn)
}

// LeftOpen returns an error if a transaction is open.
func LeftOpen(conn *sql.Conn) error {
	if open, _ := hrana.Transaction(conn); !open {
		return nil
	}
	return &provider.Error{Message: "the transaction was left open, and is rolled back", Hint: "end it with COMMIT, or with ROLLBACK where that is meant"}
}

// Statement runs one statement.
func (r *Runner) Statement(ctx context.Context, statement string, args []any) error {
	started := time.Now()
	var note string
	var err error
	if rows, _ := sqlite.Results(statement); rows {
		note, err = r.query(ctx, statement, args)
	} else {
		note, err = r.exec(ctx, statement, args)
	}
	err = cmp.Or(err, r.Out.Flush())
	if err != nil {
		return libsql.Explain(err)
	}
	if r.Timing {
		note += " in " + Took(time.Since(started))
	}
	fmt.Fprintln(r.env.Notes(), note)
	return nil
}

// query reads the driver's own rows: to package sql's, each row is two locks and a
// conversion.
func (r *Runner) query(ctx context.Context, query string, args []any) (note string, err error) {
	var n int64
	err = r.conn.Raw(func(driverConn any) error {
		conn := driverConn.(link.Conn)
		values, err := named(conn, args)
		if err != nil {
			return err
		}
		var rows driver.Rows
		err = r.env.Slowly("waiting for the database", func() (err error) {
			rows, err = conn.QueryContext(ctx, query, values)
			return err
		})
		if err != nil {
			return err
		}
		n, err = r.print(ctx, rows)
		return cmp.Or(err, rows.Close())
	})
	return Count(n, "row"), err
}

// named makes a driver's arguments of package sql's.
func named(conn driver.NamedValueChecker, args []any) ([]driver.NamedValue, error) {
	values := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
		if arg, ok := arg.(sql.NamedArg); ok {
			values[i].Name, values[i].Value = arg.Name, arg.Value
		}
		if err := conn.CheckNamedValue(&values[i]); err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return values, nil
}

// print writes rows as they come, and none after ctx has ended, though the driver may
// hold more.
func (r *Runner) print(ctx context.Context, rows driver.Rows) (n int64, err error) {
	columns := rows.Columns()
	if len(columns) == 0 {
		if err := rows.Next(nil); err != io.EOF {
			return 0, err
		}
		return 0, nil
	}
	if r.tables++; r.tables > 1 {
		r.Out.WriteByte('\n')
	}
	out := rowFormats[r.Format](r.Out, layout{columns: columns, header: !r.NoHeader, width: r.width})
	progress := NewProgress(r.c)
	defer progress.Clear()
	values := make([]driver.Value, len(columns))
	for ; ; n++ {
		if err = ctx.Err(); err == nil {
			err = rows.Next(values)
		}
		if err == io.EOF {
			return n, out.end()
		}
		if err != nil {
			return n, errors.Join(err, out.cut())
		}
		if err := out.row(values); err != nil {
			return n, err
		}
		progress.Tell(n)
	}
}

func (r *Runner) exec(ctx context.Context, query string, args []any) (note string, err error) {
	var result sql.Result
	err = r.env.Slowly("waiting for the database", func() (err error) {
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
	if r.Format == "json" {
		err = app.WriteJSON(r.Out, struct {
			SchemaVersion int   `json:"schema_version"`
			RowsAffected  int64 `json:"rows_affected"`
		}{app.SchemaVersion, affected})
	}
	if _, changes := sqlite.Results(query); !changes {
		return "done", err
	}
	return Count(affected, "row") + " affected", err
}

// Count returns a number of things.
func Count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Took returns a duration for people.
func Took(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d < 10*time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

// Printable is for what a terminal would obey: there the control characters that a
// database may hold are made visible, elsewhere nothing is changed.
func Printable(w io.Writer) io.Writer {
	if terminal.Is(w) {
		return text.Terminal(w)
	}
	return w
}
