package engine

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Dump writes SQL that makes the database anew, as libsql-server's exporter and the
// sqlite3 shell do, but for rowids that no one can name.
func (c *Conn) Dump(ctx context.Context, w io.Writer) (err error) {
	d := &dumper{ctx: ctx, conn: c, w: bufio.NewWriter(w)}
	if err := d.run("BEGIN", nil); err != nil {
		return fmt.Errorf("dump: %w", err)
	}
	defer c.rollbackNow()
	fmt.Fprint(d.w, "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n")
	if err := d.tables(); err != nil {
		return fmt.Errorf("dump: %w", err)
	}
	err = d.run("SELECT sql FROM sqlite_schema WHERE sql NOT NULL AND type IN ('index', 'trigger', 'view') ORDER BY rowid", func(row []Value) error {
		_, err := fmt.Fprintf(d.w, "%s;\n", row[0].Bytes)
		return err
	})
	if err != nil {
		return fmt.Errorf("dump: %w", err)
	}
	if d.writableSchema {
		fmt.Fprintln(d.w, "PRAGMA writable_schema=OFF;")
	}
	fmt.Fprintln(d.w, "COMMIT;")
	return d.w.Flush()
}

func (c *Conn) rollbackNow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rollback()
}

type dumper struct {
	ctx            context.Context
	conn           *Conn
	w              *bufio.Writer
	writableSchema bool // on, for what reads the dump
}

// eachRow is a Sink of rows alone.
type eachRow func([]Value) error

func (eachRow) Columns([]Column) error { return nil }

func (f eachRow) Row(row []Value) error {
	if f == nil {
		return nil
	}
	return f(row)
}

func (d *dumper) run(sql string, row eachRow) error {
	_, err := d.conn.Run(d.ctx, Query{SQL: sql}, FullAccess, row)
	return err
}

func (d *dumper) tables() error {
	type entry struct{ name, sql string }
	var tables []entry
	const all = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql NOT NULL ORDER BY tbl_name = 'sqlite_sequence', rowid"
	err := d.run(all, func(row []Value) error {
		tables = append(tables, entry{string(row[0].Bytes), string(row[1].Bytes)})
		return nil
	})
	for _, t := range tables {
		if err != nil {
			break
		}
		err = d.table(t.name, t.sql)
	}
	return err
}

func (d *dumper) table(name, sql string) error {
	rest, isTable := strings.CutPrefix(sql, "CREATE TABLE ")
	switch {
	case name == "sqlite_sequence":
		fmt.Fprintln(d.w, "DELETE FROM sqlite_sequence;")
	case hasSQLitePrefix(name):
		return nil
	case strings.HasPrefix(sql, "CREATE VIRTUAL TABLE"):
		if !d.writableSchema {
			fmt.Fprintln(d.w, "PRAGMA writable_schema=ON;")
			d.writableSchema = true
		}
		text := literal(Value{Kind: Text, Bytes: []byte(name)})
		_, err := fmt.Fprintf(d.w, "INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES('table',%s,%[1]s,0,%s);\n",
			text, literal(Value{Kind: Text, Bytes: []byte(sql)}))
		return err // its rows are in its shadow tables
	case isTable:
		fmt.Fprintf(d.w, "CREATE TABLE IF NOT EXISTS %s;\n", rest)
	default:
		fmt.Fprintf(d.w, "%s;\n", sql)
	}
	// Generated columns can't be inserted into.
	var columns []string
	err := d.run("SELECT name FROM pragma_table_info("+quote(name)+")", func(row []Value) error {
		columns = append(columns, quote(string(row[0].Bytes)))
		return nil
	})
	if err != nil {
		return err
	}
	list := strings.Join(columns, ",")
	return d.run("SELECT "+list+" FROM "+quote(name), func(row []Value) error {
		fmt.Fprintf(d.w, "INSERT INTO %s(%s) VALUES(", quote(name), list)
		for i, v := range row {
			if i > 0 {
				d.w.WriteByte(',')
			}
			d.w.WriteString(literal(v))
		}
		_, err := d.w.WriteString(");\n")
		return err
	})
}

// quote makes an identifier of a name.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal writes a value as SQL that has just this value.
func literal(v Value) string {
	switch v.Kind {
	case Integer:
		if v.Int == math.MinInt64 {
			return "(-9223372036854775807-1)" // the literal would be a float
		}
		return strconv.FormatInt(v.Int, 10)
	case Float:
		switch {
		case math.IsInf(v.Float, 1):
			return "1e999"
		case math.IsInf(v.Float, -1):
			return "-1e999"
		}
		s := strconv.FormatFloat(v.Float, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	case Text:
		if bytes.IndexByte(v.Bytes, 0) >= 0 {
			return fmt.Sprintf("CAST(X'%x' AS TEXT)", v.Bytes)
		}
		return "'" + strings.ReplaceAll(string(v.Bytes), "'", "''") + "'"
	case Blob:
		return fmt.Sprintf("X'%x'", v.Bytes)
	}
	return "NULL"
}
