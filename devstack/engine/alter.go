package engine

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	lib "modernc.org/sqlite/lib"
)

// alteration is libSQL's ALTER TABLE … ALTER COLUMN … TO …, which gives a column
// another type and other constraints without a look at the rows. SQLite has the means
// for it: the text of the table in the schema is changed.
type alteration struct{ table, column, definition string }

// parseAlteration takes the statement apart, if it is one.
func parseAlteration(sql string) (a alteration, ok bool, err error) {
	if !firstTokens(sql, "ALTER", "TABLE", "") {
		return a, false, nil
	}
	var tokens []token
	for at := 0; ; {
		t, lex := nextToken(sql, at)
		if lex != nil || t.kind == "" || t.kind == "SEMI" {
			break
		}
		tokens, at = append(tokens, t), t.end
	}
	text := func(t token) string { return sql[t.start:t.end] }
	at := 3
	if len(tokens) > 4 && tokens[3].kind == "DOT" {
		at = 5
	}
	if len(tokens) < at+5 || tokens[at].kind != "ALTER" || tokens[at+1].kind != "COLUMNKW" || tokens[at+3].kind != "TO" {
		return a, false, nil
	}
	from, to := text(tokens[at+2]), text(tokens[at+4])
	a = alteration{unquote(text(tokens[at-1])), unquote(from), sql[tokens[at+4].start:tokens[len(tokens)-1].end]}
	if !strings.EqualFold(from, to) {
		err = &Error{Code: lib.SQLITE_ERROR, Offset: -1, Message: fmt.Sprintf("UPDATE cannot also rename column: %q to %q. Use ALTER TABLE RENAME instead", from, to)}
	}
	return a, true, err
}

// compileAlteration returns a statement whose run is an alteration.
func (c *Conn) compileAlteration(a alteration, rights *Rights) (*stmt, error) {
	if rights.narrowed() && !rights.allow(SchemaUpdate, a.table) {
		return nil, &Error{Code: lib.SQLITE_AUTH, Message: "not authorized", Offset: -1}
	}
	if _, err := c.altered(a); err != nil {
		return nil, err
	}
	text, err := cstring(c.tls, "SELECT 1 LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer freeC(c.tls, text)
	s, _, err := c.compileOnce(text, nil, "", rights.holder)
	if err != nil {
		return nil, err
	}
	s.alters, s.writes, s.readOnly, s.columns, s.row = &a, true, false, nil, nil
	return s, nil
}

// altered returns the table's new text.
func (c *Conn) altered(a alteration) (string, error) {
	var sql string
	q := Query{
		SQL:        "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE",
		Positional: []Value{{Kind: Text, Bytes: []byte(a.table)}},
	}
	_, err := c.run(q, FullAccess, eachRow(func(row []Value) error {
		sql = string(row[0].Bytes)
		return nil
	}))
	if err != nil {
		return "", err
	}
	failure := func(format string, args ...any) error {
		return &Error{Code: lib.SQLITE_ERROR, Message: fmt.Sprintf(format, args...), Offset: -1}
	}
	if sql == "" {
		return "", failure("no such table: %s", a.table)
	}
	if firstTokens(sql, "CREATE", "VIRTUAL") {
		return "", failure("error in adding %s to %s: Only ordinary tables can be altered, not virtual tables", a.definition, a.table)
	}
	from, to, ok := definitionOf(sql, a.column)
	if !ok {
		return "", failure("no such column: %q", a.column)
	}
	for _, constraint := range []string{"PRIMARY", "UNIQUE", "GENERATED"} {
		if hasToken(sql[from:to], constraint) != hasToken(a.definition, constraint) {
			if constraint == "PRIMARY" {
				constraint = "PRIMARY KEY"
			}
			return "", failure("error in adding %s to %s: %s constraint cannot be altered", a.definition, a.table, constraint)
		}
	}
	return sql[:from] + a.definition + sql[to:], nil
}

// definitionOf returns where the definition of a column is in the text of a table.
func definitionOf(sql, column string) (from, to int, ok bool) {
	depth, starts := 0, false
	for at := 0; ; {
		t, lex := nextToken(sql, at)
		if lex != nil || t.kind == "" {
			return 0, 0, false
		}
		at = t.end
		switch {
		case t.kind == "LP":
			depth++
			starts = depth == 1
		case t.kind == "COMMA" && depth == 1, t.kind == "RP" && depth == 1:
			if ok {
				return from, to, true
			}
			starts = t.kind == "COMMA"
			if t.kind == "RP" {
				return 0, 0, false
			}
		case t.kind == "RP":
			depth--
			to = t.end
		default:
			if starts && strings.EqualFold(unquote(sql[t.start:t.end]), column) {
				from, ok = t.start, true
			}
			starts, to = false, t.end
		}
	}
}

func hasToken(sql, kind string) bool {
	for at := 0; ; {
		t, lex := nextToken(sql, at)
		if lex != nil || t.kind == "" {
			return false
		}
		if t.kind == kind {
			return true
		}
		at = t.end
	}
}

// alter changes the schema, or leaves it as it is.
func (c *Conn) alter(a alteration) (err error) {
	if err := c.exec("SAVEPOINT alter_column"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.exec("ROLLBACK TO alter_column"))
		}
		err = errors.Join(err, c.exec("RELEASE alter_column"))
	}()
	sql, err := c.altered(a)
	if err != nil {
		return err
	}
	var version int64
	_, err = c.run(Query{SQL: "PRAGMA schema_version"}, FullAccess, eachRow(func(row []Value) error {
		version = row[0].Int
		return nil
	}))
	if err != nil {
		return err
	}
	lib.Xsqlite3_set_authorizer(c.tls, c.handle, 0, 0)
	defer lib.Xsqlite3_set_authorizer(c.tls, c.handle, authorizePointer, c.handle)
	if err := c.configure(lib.SQLITE_DBCONFIG_DEFENSIVE, 0); err != nil {
		return err
	}
	name, text := literal(Value{Kind: Text, Bytes: []byte(a.table)}), literal(Value{Kind: Text, Bytes: []byte(sql)})
	err = c.exec("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = " + text + " WHERE type = 'table' AND name = " + name +
		" COLLATE NOCASE; PRAGMA schema_version = " + strconv.FormatInt(version+1, 10))
	err = errors.Join(err, c.exec("PRAGMA writable_schema = OFF"), c.configure(lib.SQLITE_DBCONFIG_DEFENSIVE, 1))
	if err != nil {
		return err
	}
	return c.exec("SELECT * FROM " + quote(a.table) + " LIMIT 0") // parses it
}
