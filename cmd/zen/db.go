//go:build !front

package main

import (
	"database/sql"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core"
	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
)

func dbCommand() *cli.Command {
	return &cli.Command{
		Name:  "db",
		Usage: "use the database",
		Subcommands: []*cli.Command{{
			Name:      "query",
			Usage:     "run SQL and print the rows",
			ArgsUsage: "SQL",
			Description: `   zen db query "SELECT id, name FROM users"
   zen db query --json "SELECT count(*) AS n FROM users"`,
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "access", Usage: "use a token with `ACCESS`: ro or rw"},
				&cli.StringFlag{Name: "database", Usage: "use the database at `URL`"},
			},
			Action: dbQuery,
		}},
	}
}

func dbQuery(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage(c, "give one SQL text, in quotes")
	}
	statements, err := hrana.Statements(c.Args().First())
	switch {
	case err != nil:
		return usage(c, "%v", err)
	case len(statements) == 0:
		return usage(c, "the SQL text has no statement")
	case len(statements) > 1 && globalBool(c, "json"):
		return usage(c, "--json answers one statement, and here are %d", len(statements))
	}
	return withClient(c, func(client *core.Client) error {
		s, err := client.Session("")
		if err != nil {
			return err
		}
		db, err := client.OpenDB(s)
		if err != nil {
			return err
		}
		err = runAll(c, db, statements)
		if closeErr := db.Close(); err == nil {
			err = closeErr
		}
		return err
	})
}

// runAll runs the statements on one connection, so that BEGIN holds for those after
// it, until one fails.
func runAll(c *cli.Context, db *sql.DB, statements []string) error {
	conn, err := db.Conn(c.Context)
	if err != nil {
		return err
	}
	defer conn.Close()
	for i, statement := range statements {
		run := execSQL
		if returnsRows(statement) {
			run = querySQL
		}
		if err := libsql.Explain(run(c, conn, statement)); err != nil {
			if len(statements) > 1 {
				err = fmt.Errorf("statement %d: %w", i+1, err)
			}
			return err
		}
	}
	return nil
}

func querySQL(c *cli.Context, db *sql.Conn, query string) error {
	var rows *sql.Rows
	err := slowly(c, "waiting for the database", func() (err error) {
		rows, err = db.QueryContext(c.Context, query)
		return err
	})
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	var out rowWriter = newTable(c.App.Writer, columns)
	if globalBool(c, "json") {
		out = newJSONRows(c.App.Writer, columns)
	}
	n := 0
	for ; rows.Next(); n++ {
		values := make([]any, len(columns))
		pointers := make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			return err
		}
		if err := out.row(values); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if err := out.end(); err != nil {
		return err
	}
	fmt.Fprintln(notes(c), count(int64(n), "row"))
	return nil
}

func execSQL(c *cli.Context, db *sql.Conn, query string) error {
	var result sql.Result
	err := slowly(c, "waiting for the database", func() (err error) {
		result, err = db.ExecContext(c.Context, query)
		return err
	})
	if err != nil {
		return err
	}
	affected, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if globalBool(c, "json") {
		return printJSON(c, struct {
			SchemaVersion int   `json:"schema_version"`
			RowsAffected  int64 `json:"rows_affected"`
		}{schemaVersion, affected})
	}
	fmt.Fprintln(notes(c), count(affected, "row")+" affected")
	return nil
}

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// returnsRows tells from its first word whether a statement has rows to print. A
// query without rows prints none; one with rows that is taken for another is only
// one that SQLite doesn't know, either.
func returnsRows(statement string) bool {
	statement = strings.ToUpper(statement)
	word := statement
	if end := strings.IndexFunc(statement, func(r rune) bool { return r < 'A' || r > 'Z' }); end >= 0 {
		word = statement[:end]
	}
	switch word {
	case "CREATE", "DROP", "ALTER", "REINDEX", "VACUUM", "ANALYZE", "ATTACH", "DETACH", "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE":
		return false
	case "INSERT", "REPLACE", "UPDATE", "DELETE":
		return strings.Contains(statement, "RETURNING")
	}
	return true
}
