package db

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/internal/text"
)

const shellHelp = `.help              this
.tables [PATTERN]  the tables and views (of a name LIKE it)
.schema [TABLE]    how the tables, or one, were created
.mode FORMAT       print rows as table, csv, line or json
.timing on|off     say how long each statement takes
.read FILE         run the SQL of a file
.quit              leave, as Ctrl-D does
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
		if arg == "" {
			arg = "%"
		}
		return sh.list(ctx, `SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')
			AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name LIKE ? ORDER BY name`, "", arg)
	case ".schema":
		if arg == "" {
			return sh.list(ctx, `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL
				AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY tbl_name, type DESC, name`, ";")
		}
		return sh.list(ctx, `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL
			AND (tbl_name = ?1 COLLATE NOCASE OR name = ?1 COLLATE NOCASE) ORDER BY type DESC, name`, ";", arg)
	case ".mode":
		if rowFormats[arg] == nil {
			return fmt.Errorf(".mode %q is not table, csv, line or json", arg)
		}
		sh.format = arg
		return nil
	case ".timing":
		if arg != "on" && arg != "off" {
			return fmt.Errorf(".timing %q is not on or off", arg)
		}
		sh.timing = arg == "on"
		return nil
	case ".read":
		if arg == "" {
			return errors.New(".read which file?")
		}
		text, err := readSQLFile(arg)
		if err != nil {
			return err
		}
		return sh.script(ctx, text, nil)
	}
	return fmt.Errorf("there is no %s: .help lists what there is", name)
}

// list prints a column of text, a value a line.
func (sh *shell) list(ctx context.Context, query, end string, args ...any) error {
	rows, err := sh.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return libsql.Explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		fmt.Fprintln(sh.out, text.Lines(line)+end)
	}
	if err := rows.Err(); err != nil {
		return libsql.Explain(err)
	}
	return sh.out.Flush()
}
