package engine

import (
	"errors"
	"testing"

	lib "modernc.org/sqlite/lib"
)

// outcome is how a statement ends.
type outcome string

const (
	runs        outcome = "runs"
	isBlocked   outcome = "blocked"     // a write with read-only rights
	isDenied    outcome = "denied"      // by a permission
	unsupported outcome = "unsupported" // to everyone
)

func outcomeOf(t *testing.T, err error) outcome {
	t.Helper()
	var e *Error
	switch {
	case err == nil:
		return runs
	case errors.Is(err, ErrBlocked):
		return isBlocked
	case errors.As(err, &e) && e.Primary() == lib.SQLITE_AUTH:
		return isDenied
	case errors.As(err, new(*UnsupportedError)):
		return unsupported
	}
	t.Fatalf("unexpected error: %v", err)
	return ""
}

const shopSchema = `
	CREATE TABLE shop (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);
	CREATE TABLE secret (pin TEXT);
	CREATE TABLE log (what TEXT);
	INSERT INTO shop (name) VALUES ('a'), ('b');
	INSERT INTO secret VALUES ('1234');
	CREATE VIEW all_pins AS SELECT pin FROM secret;
	CREATE VIEW shops AS SELECT name FROM shop;
	CREATE TRIGGER logged AFTER UPDATE ON shop BEGIN INSERT INTO log VALUES ('u'); END;
	CREATE VIRTUAL TABLE docs USING fts5(body);
	INSERT INTO docs VALUES ('hello world');
`

func TestRights(t *testing.T) {
	all := func(actions ...Action) []Permission { return []Permission{{Actions: actions}} }
	on := func(table string, actions ...Action) []Permission {
		return []Permission{{Tables: []string{table}, Actions: actions}}
	}
	rw := func(p []Permission) *Rights { return NewRights(false, p) }
	ro := func(p []Permission) *Rights { return NewRights(true, p) }

	tests := []struct {
		name   string
		rights *Rights
		sql    string
		want   outcome
	}{
		{"full reads", FullAccess, "SELECT * FROM secret", runs},
		{"full writes", FullAccess, "INSERT INTO secret VALUES ('x')", runs},
		{"full changes the schema", FullAccess, "ALTER TABLE shop ADD COLUMN x", runs},
		{"read-only reads", ro(nil), "SELECT * FROM shop", runs},
		{"read-only inserts", ro(nil), "INSERT INTO shop (name) VALUES ('c')", isBlocked},
		{"read-only inserts with RETURNING", ro(nil), "INSERT INTO shop (name) VALUES ('c') RETURNING id", isBlocked},
		{"read-only deletes in a CTE", ro(nil), "WITH x AS (SELECT 1) DELETE FROM shop", isBlocked},
		{"read-only creates", ro(nil), "CREATE TABLE t (a)", isBlocked},
		{"read-only begins", ro(nil), "BEGIN IMMEDIATE", runs},
		{"read-only sets a pragma", ro(nil), "PRAGMA foreign_keys = ON", isBlocked},
		{"read-only reads a schema pragma", ro(nil), "PRAGMA table_info(shop)", runs},
		{"read-only explains a write", ro(nil), "EXPLAIN DELETE FROM shop", runs},
		{"read permission on the table", rw(on("shop", DataRead)), "SELECT * FROM shop", runs},
		{"names without regard to case", rw(on("SHOP", DataRead)), "SELECT * FROM Shop", runs},
		{"read permission on another", rw(on("shop", DataRead)), "SELECT * FROM secret", isDenied},
		{"count needs it too", rw(on("shop", DataRead)), "SELECT count(*) FROM secret", isDenied},
		{"no table at all", rw(on("shop", DataRead)), "SELECT 1 + 1", runs},
		{"another table in a subquery", rw(on("shop", DataRead)), "SELECT (SELECT pin FROM secret) FROM shop", isDenied},
		{"another table in a CTE", rw(on("shop", DataRead)), "WITH p AS (SELECT pin FROM secret) SELECT * FROM p", isDenied},
		{"another table in a join", rw(on("shop", DataRead)), "SELECT name FROM shop JOIN secret ON 1", isDenied},
		{"behind a view", rw(on("all_pins", DataRead)), "SELECT * FROM all_pins", isDenied},
		{"a view and its table", rw([]Permission{{Tables: []string{"shop", "shops"}, Actions: []Action{DataRead}}}), "SELECT * FROM shops", runs},
		{"the schema table", rw(on("shop", DataRead)), "SELECT name FROM sqlite_schema", runs},
		{"add on the table", rw(on("shop", DataAdd)), "INSERT INTO shop (name) VALUES ('c')", runs},
		{"add returns what it may not read", rw(on("shop", DataAdd)), "INSERT INTO shop (name) VALUES ('c') RETURNING name", isDenied},
		{"add only cannot delete", rw(on("shop", DataAdd, DataRead)), "DELETE FROM shop", isDenied},
		{"replace deletes", rw(on("shop", DataAdd)), "INSERT INTO shop (id, name) VALUES (1, 'c') ON CONFLICT DO UPDATE SET name = 'c'", isDenied},
		{"add from a table it may not read", rw(on("shop", DataAdd)), "INSERT INTO shop (name) SELECT pin FROM secret", isDenied},
		{"a trigger writes elsewhere", rw(on("shop", DataUpdate)), "UPDATE shop SET name = 'z'", isDenied},
		{"a trigger with rights of its own", rw([]Permission{{Tables: []string{"shop"}, Actions: []Action{DataUpdate}}, {Tables: []string{"log"}, Actions: []Action{DataAdd}}}), "UPDATE shop SET name = 'z'", runs},
		{"delete all", rw(all(DataDelete)), "DELETE FROM shop", runs},
		{"delete by a column it may not read", rw(all(DataDelete)), "DELETE FROM shop WHERE name = 'a'", isDenied},
		{"data is not schema", rw(all(DataRead, DataAdd, DataUpdate, DataDelete)), "CREATE TABLE t (a)", isDenied},
		{"schema_add creates", rw(all(SchemaAdd)), "CREATE TABLE t (a)", runs},
		{"schema_add indexes", rw(on("shop", SchemaAdd, DataRead)), "CREATE INDEX i ON shop (name)", runs},
		{"schema_add does not alter", rw(all(SchemaAdd)), "ALTER TABLE shop ADD COLUMN x", isDenied},
		{"schema_update alters", rw(all(SchemaUpdate)), "ALTER TABLE shop RENAME TO store", runs},
		{"schema_delete drops, without data_delete", rw(on("shop", SchemaDelete)), "DROP TABLE shop", runs},
		{"schema_delete drops another", rw(on("shop", SchemaDelete)), "DROP TABLE secret", isDenied},
		{"drop needs it", rw(all(DataDelete)), "DROP TABLE shop", isDenied},
		{"create as select", rw(all(SchemaAdd)), "CREATE TABLE t AS SELECT pin FROM secret", isDenied},
		{"full text table", rw(on("docs", DataRead)), "SELECT body FROM docs WHERE docs MATCH 'hello'", runs},
		{"a full text table's shadow table", rw(on("docs", DataRead)), "SELECT * FROM docs_content", isDenied},
		{"a table of its own", rw(on("mine", SchemaAdd, DataAdd, DataRead)), "CREATE TABLE mine (a)", runs},
		{"a virtual table over another", rw(on("mine", SchemaAdd, DataAdd, DataRead)), "CREATE VIRTUAL TABLE mine USING fts5(pin, content='secret')", isDenied},
		{"a virtual table of a reader of all", rw(all(SchemaAdd, DataAdd, DataRead)), "CREATE VIRTUAL TABLE mine USING fts5(pin, content='secret')", runs},
		{"the pages of the file", rw(on("shop", DataRead)), "SELECT data FROM sqlite_dbpage", unsupported},
		{"the pages of the file, counted", FullAccess, "SELECT count(*) FROM sqlite_dbpage", unsupported},
		{"the pages under another name", FullAccess, "CREATE VIRTUAL TABLE mine USING sqlite_dbpage", unsupported},
		{"the pages, written", FullAccess, "UPDATE sqlite_dbpage SET data = data", unsupported},
		{"read-only comes first", ro(all(DataRead)), "DELETE FROM shop", isBlocked},
		{"read-only and narrowed", ro(on("shop", DataRead)), "SELECT * FROM secret", isDenied},
		{"attach", FullAccess, "ATTACH '/tmp/x.db' AS x", unsupported},
		{"vacuum into", FullAccess, "/* */ VACUUM INTO '/tmp/x.db'", unsupported},
		{"vacuum behind a byte order mark", FullAccess, "\uFEFFVACUUM INTO '/tmp/x.db'", unsupported},
		{"temporary table", FullAccess, "CREATE TEMP TABLE t (a)", unsupported},
		{"journal mode", FullAccess, "PRAGMA journal_mode = DELETE", unsupported},
		{"writable schema", FullAccess, "PRAGMA writable_schema = ON", unsupported},
		{"unknown pragma", FullAccess, "PRAGMA nothing_like_it", unsupported},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newConn(t, newDB(t, Options{}))
			if err := c.Script(t.Context(), shopSchema, FullAccess); err != nil {
				t.Fatal(err)
			}
			_, err := c.Run(t.Context(), Query{SQL: tt.sql}, tt.rights, discard{})
			if got := outcomeOf(t, err); got != tt.want {
				t.Errorf("%s: outcomeOf = %s (%v), want %s", tt.sql, got, err, tt.want)
			}
		})
	}
}

// One connection is used with several tokens in turn.
func TestRightsArePerCall(t *testing.T) {
	c := newConn(t, newDB(t, Options{}))
	if err := c.Script(t.Context(), shopSchema, FullAccess); err != nil {
		t.Fatal(err)
	}
	narrow := NewRights(false, []Permission{{Tables: []string{"shop"}, Actions: []Action{DataRead}}})
	for range 2 {
		for rights, want := range map[*Rights]outcome{FullAccess: runs, narrow: isDenied} {
			_, err := c.Run(t.Context(), Query{SQL: "SELECT * FROM secret"}, rights, discard{})
			if got := outcomeOf(t, err); got != want {
				t.Errorf("outcomeOf = %s, want %s", got, want)
			}
		}
	}
}

// A view that is redefined after a statement was compiled must not let it read
// what the permission does not allow.
func TestRightsSurviveSchemaChange(t *testing.T) {
	db := newDB(t, Options{})
	owner, guest := newConn(t, db), newConn(t, db)
	if err := owner.Script(t.Context(), shopSchema, FullAccess); err != nil {
		t.Fatal(err)
	}
	narrow := NewRights(false, []Permission{{Tables: []string{"shop", "shops"}, Actions: []Action{DataRead}}})
	q := Query{SQL: "SELECT * FROM shops"}
	if _, err := guest.Run(t.Context(), q, narrow, discard{}); err != nil {
		t.Fatal(err)
	}
	if err := owner.Script(t.Context(), "DROP VIEW shops; CREATE VIEW shops AS SELECT pin FROM secret", FullAccess); err != nil {
		t.Fatal(err)
	}
	_, err := guest.Run(t.Context(), q, narrow, discard{})
	if got := outcomeOf(t, err); got != isDenied {
		t.Errorf("outcomeOf = %s (%v), want denied", got, err)
	}
	if err := owner.Script(t.Context(), "DROP VIEW shops; CREATE VIEW shops AS SELECT id, name FROM shop", FullAccess); err != nil {
		t.Fatal(err)
	}
	var tab table
	if _, err := guest.Run(t.Context(), q, narrow, &tab); err != nil || len(tab.cols) != 2 {
		t.Errorf("view of a readable table: %v, columns %v", err, tab.cols)
	}
}
