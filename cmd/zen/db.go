package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core"
	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/session"
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
	if c.NArg() != 1 || strings.TrimSpace(c.Args().First()) == "" {
		return usage(c, "give one SQL text, in quotes")
	}
	return withSession(c, func(client *core.Client, s *session.Session) error {
		db, err := client.OpenDB(s)
		if err != nil {
			return err
		}
		err = runSQL(c, db, c.Args().First())
		if closeErr := db.Close(); err == nil {
			err = closeErr
		}
		if errors.Is(err, context.Canceled) {
			return err
		}
		return libsql.Explain(err)
	})
}

func runSQL(c *cli.Context, db *sql.DB, query string) error {
	if !returnsRows(query) {
		return execSQL(c, db, query)
	}
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

func execSQL(c *cli.Context, db *sql.DB, query string) error {
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

// returnsRows guesses whether a statement has rows to print, from its first word.
// A wrong guess loses nothing: a statement without rows prints none.
func returnsRows(query string) bool {
	words := strings.Fields(strings.ToUpper(query))
	switch strings.TrimLeft(words[0], "(") {
	case "CREATE", "DROP", "ALTER", "REINDEX", "VACUUM", "ANALYZE", "ATTACH", "DETACH", "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE":
		return false
	case "INSERT", "REPLACE", "UPDATE", "DELETE":
		for _, word := range words {
			if word == "RETURNING" {
				return true
			}
		}
		return false
	}
	return true
}
