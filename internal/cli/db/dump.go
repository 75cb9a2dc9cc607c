package db

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/query"
)

func dbDumpCommand() *cli.Command {
	return &cli.Command{
		Name:      "dump",
		Usage:     "write the database as SQL that recreates it",
		ArgsUsage: "[TABLE...]",
		Description: `   zen db dump > app.sql
   zen db dump --schema-only
   zen db dump notes > notes.sql
   zen db dump --mode replica > app.sql

The dump is consistent: it is read in one transaction, while others may write. Servers
end transactions that take too long; with --mode replica there is no such limit. The
dump ends with COMMIT, so an incomplete dump can't be mistaken for a complete one.`,
		Flags: append(append(query.DatabaseFlags(), query.ModeFlags()...),
			&cli.BoolFlag{Name: "schema-only", Usage: "leave the rows out"},
			&cli.BoolFlag{Name: "data-only", Usage: "leave the schema out"},
		),
		Action: dbDump,
	}
}

func dbDump(c *cli.Context) error {
	d := dump{tables: c.Args().Slice(), schema: !c.Bool("data-only"), data: !c.Bool("schema-only"), note: func(text string) {
		fmt.Fprintf(app.Notes(c), "zen: %s\n", text)
	}}
	if !d.schema && !d.data {
		return app.Usage(c, "--schema-only and --data-only exclude each other")
	}
	return withDatabase(c, func(opened database) error {
		progress := query.NewProgress(c)
		defer progress.Clear()
		d.conn, d.told = opened.conn, progress.Tell
		return d.write(c.Context, query.Printable(c.App.Writer))
	})
}

// dump writes a database as SQL.
type dump struct {
	conn         *sql.Conn
	tables       []string // none is all
	schema, data bool
	note         func(string)
	told         func(int64)

	out  *bufio.Writer
	rows int64
}

// entry is one of the schema.
type entry struct{ kind, name, table, sql string }

// write writes the dump, in one transaction of the database.
func (d *dump) write(ctx context.Context, to io.Writer) error {
	d.out = bufio.NewWriterSize(to, 64<<10)
	if _, err := d.conn.ExecContext(ctx, "BEGIN"); err != nil {
		return libsql.Explain(err)
	}
	err := d.all(ctx)
	if err == nil {
		// It only read, so that nothing is lost; an error says that it was over before.
		_, err = d.conn.ExecContext(ctx, "COMMIT")
	}
	if err == nil {
		return d.out.Flush()
	}
	if _, lost := hrana.Transaction(d.conn); lost != nil {
		return &provider.Error{
			Kind: provider.ErrUnavailable, Message: "the server ended the transaction of the dump: " + libsql.Explain(err).Error(),
			Hint: "zen db dump --mode replica reads a copy, which has no time limit", Err: err,
		}
	}
	_, _ = d.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") // a shell goes on with the connection
	return libsql.Explain(err)
}

func (d *dump) all(ctx context.Context) error {
	entries, err := d.entries(ctx)
	if err != nil {
		return err
	}
	for _, name := range d.tables {
		if !slices.ContainsFunc(entries, func(e entry) bool { return strings.EqualFold(e.name, name) }) {
			return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("there is no table or view %q", name)}
		}
	}
	fmt.Fprint(d.out, "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n")
	for _, e := range entries {
		if e.kind != "table" || !d.wants(e) {
			continue
		}
		if d.schema && e.name != "sqlite_sequence" {
			fmt.Fprintf(d.out, "%s;\n", e.sql)
		}
		if d.data {
			if err := d.table(ctx, e); err != nil {
				return err
			}
		}
	}
	for _, e := range entries {
		if d.schema && e.kind != "table" && d.wants(e) {
			fmt.Fprintf(d.out, "%s;\n", e.sql)
		}
	}
	_, err = fmt.Fprintln(d.out, "COMMIT;")
	return err
}

// wants reports whether an entry is one of those that were asked for, or belongs to one.
func (d *dump) wants(e entry) bool {
	return len(d.tables) == 0 || slices.ContainsFunc(d.tables, func(name string) bool {
		return strings.EqualFold(name, e.name) || strings.EqualFold(name, e.table)
	})
}

// entries returns the entries of the schema that a script can make: tables first, in the order
// in which they came, without the tables that a virtual table or a vector index makes
// for itself.
func (d *dump) entries(ctx context.Context) ([]entry, error) {
	rows, err := d.conn.QueryContext(ctx, `SELECT type, name, tbl_name, sql FROM sqlite_schema
		WHERE sql IS NOT NULL AND (name NOT LIKE 'sqlite\_%' ESCAPE '\' OR name = 'sqlite_sequence')
		AND name NOT IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow')
		AND tbl_name <> 'libsql_vector_meta_shadow'
		AND tbl_name NOT IN (SELECT name || '_shadow' FROM sqlite_schema WHERE type = 'index' AND sql LIKE '%libsql\_vector\_idx%' ESCAPE '\')
		ORDER BY type <> 'table', name = 'sqlite_sequence', rowid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var entries []entry
	for rows.Next() {
		var e entry
		if err := rows.Scan(&e.kind, &e.name, &e.table, &e.sql); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, rows.Err()
}

// quoted is SQL that writes a column's value as SQL. SQLite's own quote does it, so that
// each value comes back as it is, but for text with a NUL byte, where it stops, and for
// infinity, which libSQL's writes as Inf.
const quoted = `CASE
	WHEN typeof(%[1]s) = 'text' AND instr(CAST(%[1]s AS BLOB), x'00') THEN 'CAST(x''' || hex(%[1]s) || ''' AS TEXT)'
	WHEN typeof(%[1]s) = 'real' AND %[1]s = 9e999 THEN '9.0e+999'
	WHEN typeof(%[1]s) = 'real' AND %[1]s = -9e999 THEN '-9.0e+999'
	ELSE quote(%[1]s) END`

// table writes the rows of a table.
func (d *dump) table(ctx context.Context, e entry) error {
	columns, err := columnsOf(ctx, d.conn, e.name)
	if err != nil {
		return err
	}
	if strings.HasPrefix(strings.ToUpper(e.sql), "CREATE VIRTUAL TABLE") {
		if strings.Contains(strings.ToLower(e.sql), "content") {
			d.note("the rows of " + app.OneLine(e.name) + " are not in the dump: they are kept in another table, or not at all")
			return nil
		}
		columns = append([]string{"rowid"}, columns...)
	}
	if e.name == "sqlite_sequence" {
		fmt.Fprintln(d.out, "DELETE FROM sqlite_sequence;")
	}
	if len(columns) == 0 {
		return nil
	}
	var names, values []string
	for _, name := range columns {
		name = quoteName(name)
		names = append(names, name)
		values = append(values, fmt.Sprintf(quoted, name))
	}
	begin := "INSERT INTO " + quoteName(e.name) + "(" + strings.Join(names, ",") + ") VALUES("
	rows, err := d.conn.QueryContext(ctx, "SELECT "+strings.Join(values, " || ',' || ")+" FROM "+quoteName(e.name))
	if err != nil {
		return err
	}
	defer rows.Close()
	var row string
	for rows.Next() {
		if err := rows.Scan(&row); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(d.out, "%s%s);\n", begin, row); err != nil {
			return err
		}
		d.rows++
		d.told(d.rows)
	}
	return rows.Err()
}
