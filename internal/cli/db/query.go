package db

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/internal/cli/app"
)

func dbQueryCommand() *cli.Command {
	var params []param
	return &cli.Command{
		Name:      "query",
		Usage:     "run SQL and print the rows",
		ArgsUsage: "[SQL|-]",
		Description: `   zen db query "SELECT id, name FROM users"
   zen db query --json "SELECT count(*) AS n FROM users"
   zen db query "SELECT * FROM users WHERE id = ?" --param 42
   zen db query "SELECT * FROM users WHERE name = :name" --param name=alice
   zen db query --format csv --file report.sql > report.csv
   zen db query < schema.sql

Without SQL, or for -, it is read from standard input. Several statements run one
after the other, until one fails.

A --param is bound as SQL would read it: NULL, an integer, a decimal number, x'00FF'
or 'quoted text'; anything else is text as it stands. --text binds text whatever it
looks like, --blob the bytes of a file. They are taken in the order of the line; for a
statement with names such as :id each is NAME=VALUE.`,
		Flags: append(append(databaseFlags(), modeFlags()...),
			&cli.StringFlag{Name: "format", Usage: "print rows as `FORMAT`: table, csv, line or json", Value: "table"},
			&cli.StringFlag{Name: "file", Usage: "read the SQL from `FILE`", TakesFile: true},
			&cli.GenericFlag{Name: "param", Usage: "bind `VALUE`, or NAME=VALUE; may be given again", Value: &paramFlag{kind: literalParam, to: &params}},
			&cli.GenericFlag{Name: "text", Usage: "bind `VALUE` as text; may be given again", Value: &paramFlag{kind: textParam, to: &params}},
			&cli.GenericFlag{Name: "blob", Usage: "bind the bytes of `FILE`; may be given again", TakesFile: true, Value: &paramFlag{kind: blobParam, to: &params}},
			createFlag(),
			&cli.BoolFlag{Name: "timing", Usage: "say how long each statement took"},
		),
		Action: func(c *cli.Context) error { return dbQuery(c, params) },
	}
}

func dbQuery(c *cli.Context, params []param) error {
	format, err := rowFormat(c)
	if err != nil {
		return err
	}
	text, err := sqlText(c)
	if err != nil {
		return err
	}
	statements, err := hrana.Statements(text)
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
	return withDatabase(c, func(d database) error {
		r := newRunner(c, d.conn, format)
		r.timing = c.Bool("timing")
		err := r.ended(r.script(c.Context, text, args))
		var wrong *hrana.ArgumentError
		if errors.As(err, &wrong) {
			err = app.Usage(c, "%s", wrong.Message)
		}
		return err
	})
}

// rowFormat is what --format or --json asks for.
func rowFormat(c *cli.Context) (string, error) {
	format := c.String("format")
	switch {
	case app.GlobalBool(c, "json") && c.IsSet("format") && format != "json":
		return "", app.Usage(c, "--format %s and --json exclude each other", format)
	case app.GlobalBool(c, "json"):
		return "json", nil
	case rowFormats[format] == nil:
		return "", app.Usage(c, "--format %q is not table, csv, line or json", format)
	}
	return format, nil
}
