// Package query is zen db query: SQL in, rows out, however the database was opened. What
// runs statements and prints rows is other commands' too.
package query

import (
	"cmp"
	"context"
	"database/sql"
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/sqlite"
)

// Open opens the database that a line names for fn, and closes it.
type Open func(c *cli.Context, fn func(*sql.Conn) error) error

// On runs fn on one connection, so that BEGIN holds from one statement to the next, and
// closes the database.
func On(ctx context.Context, db *sql.DB, fn func(*sql.Conn) error) error {
	conn, err := db.Conn(ctx)
	if err == nil {
		err = identified(fn(conn))
		conn.Close() // gives up a transaction that was left open
	}
	return cmp.Or(err, db.Close())
}

// Command is zen db query.
func Command(open Open) *cli.Command {
	var params []param
	return &cli.Command{
		Name:      "query",
		Usage:     "run SQL and print the rows",
		ArgsUsage: "[SQL|-]",
		Description: `   zen db query "SELECT id, name FROM users"
   zen db query --json "SELECT Count(*) AS n FROM users"
   zen db query "SELECT * FROM users WHERE id = ?" --param 42
   zen db query "SELECT * FROM users WHERE name = :name" --param name=alice
   zen db query --format csv --file report.sql > report.csv
   zen db query < schema.sql

If SQL is missing or -, it is read from standard input. Several statements run one
after the other, until one fails.

A --param is bound as SQL would read it: NULL, an integer, a decimal number, x'00FF'
or 'quoted text'; anything else is text. --text binds its value as text, whatever it
looks like, and --blob binds the bytes of a file. They are bound in the given order; if
the statement has names such as :id, write NAME=VALUE.`,
		Flags: append(append(DatabaseFlags(), ModeFlags()...),
			&cli.StringFlag{Name: "format", Usage: "print rows as `FORMAT`: table, csv, line or json", Value: "table"},
			&cli.StringFlag{Name: "file", Usage: "read the SQL from `FILE`", TakesFile: true},
			&cli.GenericFlag{Name: "param", Usage: "bind `VALUE`, or NAME=VALUE; may be repeated", Value: &paramFlag{kind: literalParam, to: &params}},
			&cli.GenericFlag{Name: "text", Usage: "bind `VALUE` as text; may be repeated", Value: &paramFlag{kind: textParam, to: &params}},
			&cli.GenericFlag{Name: "blob", Usage: "bind the bytes of `FILE`; may be repeated", TakesFile: true, Value: &paramFlag{kind: blobParam, to: &params}},
			CreateFlag(),
			&cli.BoolFlag{Name: "timing", Usage: "print how long each statement took"},
		),
		Action: func(c *cli.Context) error { return run(c, open, params) },
	}
}

func run(c *cli.Context, open Open, params []param) error {
	format, err := Format(c)
	if err != nil {
		return err
	}
	text, err := sqlText(c)
	if err != nil {
		return err
	}
	statements, err := sqlite.Statements(text)
	switch {
	case err != nil:
		return app.Usage(c, "%v", err)
	case len(statements) == 0:
		return app.Usage(c, "the SQL text has no statement")
	case len(statements) > 1 && format == "json":
		return app.Usage(c, "--json answers one statement, and here are %d", len(statements))
	case len(statements) > 1 && len(params) > 0:
		return app.Usage(c, "--param, --text and --blob are for one statement, and here are %d", len(statements))
	}
	var args []any
	if len(params) > 0 {
		if args, err = bind(statements[0], params); err != nil {
			return app.Usage(c, "%v", err)
		}
	}
	return open(c, func(conn *sql.Conn) error {
		r := NewRunner(c, conn, format)
		r.Timing = c.Bool("timing")
		err := r.Ended(r.Script(c.Context, text, args))
		if wrong, ok := errors.AsType[*hrana.ArgumentError](err); ok {
			err = app.Usage(c, "%s", wrong.Message)
		}
		return err
	})
}

// Format returns the format that --format or --json asks for.
func Format(c *cli.Context) (string, error) {
	format := c.String("format")
	switch {
	case app.GlobalBool(c, "json") && c.IsSet("format") && format != "json":
		return "", app.Usage(c, "--format %s and --json exclude each other", format)
	case app.GlobalBool(c, "json"):
		return "json", nil
	case !IsFormat(format):
		return "", app.Usage(c, "--format %q is not table, csv, line or json", format)
	}
	return format, nil
}
