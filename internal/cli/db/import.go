package db

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/query"
	"github.com/zen-auth/zen/internal/terminal"
)

// importOptions are the flags of zen db import.
type importOptions struct {
	format string
	table  string
	create bool
	null   *string
	// chunk is the number of rows in a transaction; 0 leaves them to the file.
	chunk int
	skip  int64
}

func dbImportCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "read SQL, CSV or JSON lines into the database",
		ArgsUsage: "FILE|-",
		Description: `   zen db import dump.sql
   zen db import notes.csv
   zen db import --table notes --chunk 0 rows.jsonl
   zen db import --table notes --format csv - < rows

The first line of CSV contains the columns' names; JSON lines have one object per line.
The table is named like the file unless --table says otherwise. CSV values are text; a
column declared INTEGER or REAL converts them to numbers.

Rows are sent many at a time, and committed after each thousand. If a row is refused,
the earlier rows stay imported, and the error says with which --skip to continue. With
--chunk 0 the import is one transaction: it imports all rows or none. SQL files keep
their own transactions unless --chunk is given.`,
		Flags: append(append(query.DatabaseFlags(), query.ModeFlags()...),
			&cli.StringFlag{Name: "format", Usage: "read `FORMAT`: sql, csv, tsv or jsonl (default: by the file's ending)"},
			&cli.StringFlag{Name: "table", Usage: "insert into `TABLE` (default: the file's name)"},
			&cli.BoolFlag{Name: "create", Usage: "create the table with text columns if it doesn't exist, and the file of --database file:PATH"},
			&cli.StringFlag{Name: "null", Usage: "read `TEXT` in CSV as NULL, for example ''"},
			&cli.IntFlag{Name: "chunk", Usage: "commit after every `N` rows, or, if 0, once at the end", DefaultText: "1000; for SQL, as in the file"},
			&cli.Int64Flag{Name: "skip", Usage: "skip the first `N` rows, or statements"},
		),
		Action: dbImport,
	}
}

// importFormats are the formats by the endings of files.
var importFormats = map[string]string{".sql": "sql", ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}

const defaultChunk = 1000

func dbImport(c *cli.Context) error {
	if c.NArg() != 1 || c.Args().First() == "" {
		return app.Usage(c, "give one file, or - for standard input")
	}
	name := c.Args().First()
	o := importOptions{format: c.String("format"), table: c.String("table"), create: c.Bool("create"), skip: c.Int64("skip")}
	base := filepath.Base(name)
	o.format = cmp.Or(o.format, importFormats[strings.ToLower(filepath.Ext(base))])
	if o.table == "" && name != "-" {
		o.table = strings.TrimSuffix(base, filepath.Ext(base))
	}
	isSQL := o.format == "sql"
	info, err := os.Stat(name)
	switch {
	case name != "-" && err == nil && info.IsDir():
		return app.Usage(c, "%q is a directory: give one file of it", name)
	case o.format == "":
		return app.Usage(c, "the ending of %q is none of .sql, .csv, .tsv and .jsonl: give --format", base)
	case !slices.Contains([]string{"sql", "csv", "tsv", "jsonl"}, o.format):
		return app.Usage(c, "--format %q is not sql, csv, tsv or jsonl", o.format)
	case isSQL && c.IsSet("table"):
		return app.Usage(c, "--table is for csv, tsv and jsonl: SQL names its tables")
	case !isSQL && o.table == "":
		return app.Usage(c, "give --table: standard input has no name")
	case c.IsSet("null") && o.format != "csv" && o.format != "tsv":
		return app.Usage(c, "--null is for csv and tsv: %s has a NULL of its own", o.format)
	case c.Int("chunk") < 0 || o.skip < 0:
		return app.Usage(c, "--chunk and --skip are not negative")
	}
	if c.IsSet("null") {
		null := c.String("null")
		o.null = &null
	}
	switch {
	case c.IsSet("chunk") && c.Int("chunk") == 0:
		o.chunk = int(^uint(0) >> 1)
		if isSQL && o.skip > 0 {
			return app.Usage(c, "--skip has nothing to go on with where --chunk 0 takes all or nothing")
		}
	case c.IsSet("chunk"):
		o.chunk = c.Int("chunk")
	case !isSQL:
		o.chunk = defaultChunk
	}
	in, err := openInput(c, name)
	if err != nil {
		return err
	}
	defer in.Close()
	return withDatabase(c, func(d database) error {
		started := time.Now()
		progress := query.NewImportProgress(c)
		rows, err := d.load(c.Context, in, o, progress.TellNow)
		progress.Clear()
		if err != nil {
			return err
		}
		return reportImport(c, o, rows, time.Since(started))
	})
}

func openInput(c *cli.Context, name string) (io.ReadCloser, error) {
	if name == "-" && terminal.Is(c.App.Reader) {
		return nil, app.Usage(c, "standard input is a terminal: give a file, or a pipe")
	}
	in, err := app.Input(c.Context, c.App.Reader, name)
	if err != nil && c.Context.Err() == nil {
		err = &provider.Error{
			Kind: app.ErrUsage, Message: "read the file: " + err.Error(), Err: err,
			Hint: "give a file that can be read, or - for standard input",
		}
	}
	return in, err
}

// load imports what in has.
func (d database) load(ctx context.Context, in io.Reader, o importOptions, told func(int64)) (int64, error) {
	im := &importer{conn: d.conn, chunk: o.chunk, skip: o.skip, told: told}
	if o.format == "sql" {
		return im.run(ctx, newSQLFile(in, o.chunk > 0))
	}
	columns, err := columnsOf(ctx, d.conn, o.table)
	if err != nil {
		return 0, err
	}
	allowed := func(names []string, line int) error {
		for _, name := range names {
			if !slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, name) }) {
				return badLine(line, "table %s has no column %q, but %s", o.table, name, strings.Join(columns, ", "))
			}
		}
		return nil
	}
	noTable := &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("there is no table %q", o.table), Hint: "create it first, or give --table"}
	if o.format == "jsonl" {
		if len(columns) == 0 {
			return 0, noTable
		}
		return im.run(ctx, newJSONFile(in, o.table, allowed))
	}
	comma := ','
	if o.format == "tsv" {
		comma = '\t'
	}
	file, names, err := newCSVFile(in, comma, o.null)
	if err != nil {
		return 0, err
	}
	switch {
	case len(columns) > 0:
		if err := allowed(names, 1); err != nil {
			return 0, err
		}
	case o.create:
		if err := d.createTable(ctx, o.table, names); err != nil {
			return 0, err
		}
	default:
		noTable.Hint += ", or --create for one with columns of text"
		return 0, noTable
	}
	file.sql = insert(o.table, names)
	return im.run(ctx, file)
}

func (d database) createTable(ctx context.Context, table string, columns []string) error {
	var declared []string
	for _, name := range columns {
		declared = append(declared, quoteName(name)+" TEXT")
	}
	_, err := d.conn.ExecContext(ctx, "CREATE TABLE "+quoteName(table)+" ("+strings.Join(declared, ", ")+")")
	return libsql.Explain(err)
}

func reportImport(c *cli.Context, o importOptions, rows int64, d time.Duration) error {
	if app.GlobalBool(c, "json") {
		return app.WriteJSON(c.App.Writer, struct {
			SchemaVersion int    `json:"schema_version"`
			Format        string `json:"format"`
			Table         string `json:"table,omitempty"`
			Imported      int64  `json:"imported"`
			TookMS        int64  `json:"took_ms"`
		}{app.SchemaVersion, o.format, map[bool]string{false: o.table}[o.format == "sql"], rows, d.Milliseconds()})
	}
	what := query.Count(rows, "row") + " imported into " + app.OneLine(o.table)
	if o.format == "sql" {
		what = query.Count(rows, "statement") + " run"
	}
	_, err := fmt.Fprintf(app.Notes(c), "%s in %s\n", what, query.Took(d))
	return err
}
