package db

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/query"
	"github.com/zen-auth/zen/internal/text"
)

const shellHelp = `.help                this
.tables [PATTERN]    the tables and views (of a name LIKE it)
.indexes [TABLE]     the indexes
.schema [TABLE]      how the tables, or one, were created
.dump [TABLE]        SQL that makes the database, or one table, anew
.import FILE [TABLE] read SQL, CSV or JSON lines, by the file's ending
.read FILE           run the SQL of a file
.mode FORMAT         print rows as table, csv, line or json
.headers on|off      begin tables and CSV with the columns' names
.timing on|off       say how long each statement takes
.quit                leave, as exit, quit and Ctrl-D do
`

// dot runs a command of the shell's own.
func (sh *shell) dot(ctx context.Context, line string) error {
	name, arg, _ := strings.Cut(line, " ")
	arg = strings.TrimSpace(arg)
	switch name {
	case ".help":
		_, err := fmt.Fprint(sh.c.App.Writer, shellHelp)
		return err
	case ".quit", ".exit":
		sh.quit = true
		return nil
	case ".tables":
		arg = cmp.Or(arg, "%")
		return sh.list(ctx, `SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')
			AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name LIKE ? ORDER BY name`, "", arg)
	case ".schema":
		if arg == "" {
			return sh.list(ctx, `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL
				AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY tbl_name, type DESC, name`, ";")
		}
		return sh.list(ctx, `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL
			AND (tbl_name = ?1 COLLATE NOCASE OR name = ?1 COLLATE NOCASE) ORDER BY type DESC, name`, ";", arg)
	case ".indexes", ".indices":
		arg = cmp.Or(arg, "%")
		return sh.list(ctx, "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name LIKE ? ORDER BY name", "", arg)
	case ".dump":
		one := &dump{conn: sh.conn, schema: true, data: true, told: func(int64) {}, note: func(text string) {
			fmt.Fprintf(app.Notes(sh.c), "zen: %s\n", text)
		}}
		if arg != "" {
			one.tables = []string{arg}
		}
		err := one.write(ctx, sh.Out)
		return errors.Join(err, sh.Out.Flush()) // what was written before an error isn't the next statement's
	case ".import":
		return sh.load(ctx, arg)
	case ".headers", ".header":
		on, err := onOff(name, arg)
		sh.NoHeader = err == nil && !on
		return err
	case ".mode":
		if !query.IsFormat(arg) {
			return fmt.Errorf(".mode %q is not table, csv, line or json", arg)
		}
		sh.Format = arg
		return nil
	case ".timing":
		on, err := onOff(name, arg)
		sh.Timing = err == nil && on
		return err
	case ".read":
		if arg == "" {
			return errors.New(".read which file?")
		}
		text, err := query.ReadSQL(sh.c, arg, arg)
		if err != nil {
			return err
		}
		return sh.Script(ctx, text, nil)
	}
	return fmt.Errorf("there is no %s: .help lists what there is", name)
}

func onOff(name, arg string) (bool, error) {
	if arg != "on" && arg != "off" {
		return false, fmt.Errorf("%s %q is not on or off", name, arg)
	}
	return arg == "on", nil
}

// load is zen db import, for a file whose ending says what is in it.
func (sh *shell) load(ctx context.Context, arg string) error {
	name, table, _ := strings.Cut(arg, " ")
	base := filepath.Base(name)
	o := importOptions{format: importFormats[strings.ToLower(filepath.Ext(base))], table: strings.TrimSpace(table)}
	switch {
	case name == "":
		return errors.New(".import which file?")
	case o.format == "":
		return fmt.Errorf(".import %q: its ending is none of .sql, .csv, .tsv and .jsonl", base)
	case o.table == "":
		o.table = strings.TrimSuffix(base, filepath.Ext(base))
	}
	if open, _ := hrana.Transaction(sh.conn); o.format != "sql" && !open {
		o.chunk = defaultChunk
	}
	file, err := app.Open(ctx, name)
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	defer file.Close()
	started := time.Now()
	rows, err := database{conn: sh.conn}.load(ctx, file, o, func(int64) {})
	if err != nil {
		return err
	}
	return reportImport(sh.c, o, rows, time.Since(started))
}

// list prints a column of text, a value a line.
func (sh *shell) list(ctx context.Context, statement, end string, args ...any) error {
	rows, err := sh.conn.QueryContext(ctx, statement, args...)
	if err != nil {
		return libsql.Explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		fmt.Fprintln(sh.Out, text.Lines(line)+end)
	}
	if err := rows.Err(); err != nil {
		return libsql.Explain(err)
	}
	return sh.Out.Flush()
}
