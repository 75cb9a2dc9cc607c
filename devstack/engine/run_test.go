package engine

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	lib "modernc.org/sqlite/lib"
)

func text(s string) Value { return Value{Kind: Text, Bytes: []byte(s)} }

func TestValuesComeBackAsStored(t *testing.T) {
	c := newConn(t, newDB(t, Options{}))
	mustRun(t, c, "CREATE TABLE v (x)")
	tests := map[string]struct{ in, want Value }{
		"null":       {Value{}, Value{}},
		"largest":    {Value{Kind: Integer, Int: math.MaxInt64}, Value{Kind: Integer, Int: math.MaxInt64}},
		"smallest":   {Value{Kind: Integer, Int: math.MinInt64}, Value{Kind: Integer, Int: math.MinInt64}},
		"float":      {Value{Kind: Float, Float: 1}, Value{Kind: Float, Float: 1}},
		"infinity":   {Value{Kind: Float, Float: math.Inf(-1)}, Value{Kind: Float, Float: math.Inf(-1)}},
		"nan":        {Value{Kind: Float, Float: math.NaN()}, Value{}}, // SQLite has none
		"date":       {text("2024-01-02T03:04:05Z"), text("2024-01-02T03:04:05Z")},
		"number":     {text("42"), text("42")},
		"empty text": {text(""), text("")},
		"nul":        {text("a\x00b"), text("a\x00b")},
		"blob":       {Value{Kind: Blob, Bytes: []byte{0, 255}}, Value{Kind: Blob, Bytes: []byte{0, 255}}},
		"empty blob": {Value{Kind: Blob}, Value{Kind: Blob}},
		"large":      {text(strings.Repeat("é", 1<<20)), text(strings.Repeat("é", 1<<20))},
	}
	for name, tt := range tests {
		mustRun(t, c, "DELETE FROM v")
		mustRun(t, c, "INSERT INTO v VALUES (?)", tt.in)
		tab, _ := mustRun(t, c, "SELECT x FROM v")
		got := tab.rows[0][0]
		if got.Kind != tt.want.Kind || got.Int != tt.want.Int || got.Float != tt.want.Float || !bytes.Equal(got.Bytes, tt.want.Bytes) {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestResult(t *testing.T) {
	c := newConn(t, newDB(t, Options{}))
	tests := []struct {
		sql      string
		affected int64
		inserted bool
		id       int64
	}{
		{"CREATE TABLE t (a INTEGER PRIMARY KEY, b)", 0, false, 0},
		{"INSERT INTO t (b) VALUES (1), (2), (3)", 3, true, 3},
		{"SELECT * FROM t", 0, false, 0},
		{"UPDATE t SET b = 0 WHERE a > 1", 2, false, 0},
		{"REPLACE INTO t (a, b) VALUES (7, 7)", 1, true, 7},
		{"WITH x AS (SELECT 9 AS n) INSERT INTO t (b) SELECT n FROM x RETURNING a", 1, true, 8},
		{"DELETE FROM t", 5, false, 0},
		{"EXPLAIN DELETE FROM t", 0, false, 0},
		{"CREATE TABLE u AS SELECT 1", 0, false, 0},
		{"DROP TABLE t", 0, false, 0},
	}
	for _, tt := range tests {
		_, res := mustRun(t, c, tt.sql)
		if res.Affected != tt.affected || res.Inserted != tt.inserted || tt.inserted && res.LastInsertID != tt.id {
			t.Errorf("%s: mustRun = %+v, want affected %d, inserted %v, id %d", tt.sql, res, tt.affected, tt.inserted, tt.id)
		}
	}
}

func TestArguments(t *testing.T) {
	c := newConn(t, newDB(t, Options{}))
	one, two := Value{Kind: Integer, Int: 1}, Value{Kind: Integer, Int: 2}
	tests := []struct {
		q    Query
		want string // sum of a row, or the error
	}{
		{Query{SQL: "SELECT ? * 10 + ?", Positional: []Value{one, two}}, "12"},
		{Query{SQL: "SELECT ?2 * 10 + ?1", Positional: []Value{one, two}}, "21"},
		{Query{SQL: "SELECT :a * 10 + $b", Named: []NamedValue{{":a", one}, {"b", two}}}, "12"},
		{Query{SQL: "SELECT @a", Named: []NamedValue{{"a", two}, {"@a", one}}}, "too many parameters, expected 1 found 2"},
		{Query{SQL: "SELECT ?", Positional: nil}, "value for parameter 1 not found"},
		{Query{SQL: "SELECT :a", Positional: []Value{one}}, "value for parameter :a not found"},
		{Query{SQL: "SELECT 1", Positional: []Value{one}}, "too many parameters, expected 0 found 1"},
		{Query{SQL: "EXPLAIN SELECT ?"}, ""},
	}
	for _, tt := range tests {
		var tab table
		_, err := c.Run(t.Context(), tt.q, FullAccess, &tab)
		got := ""
		if err != nil {
			got = err.Error()
			if !errors.As(err, new(*ArgumentError)) {
				t.Errorf("%s: %v is no ArgumentError", tt.q.SQL, err)
			}
		} else if tt.want != "" {
			got = string(appendInt(tab.rows[0][0].Int))
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.q.SQL, got, tt.want)
		}
	}
}

func appendInt(i int64) []byte {
	if i < 10 {
		return []byte{byte('0' + i)}
	}
	return append(appendInt(i/10), byte('0'+i%10))
}

func TestStatementErrors(t *testing.T) {
	c := newConn(t, newDB(t, Options{}))
	for sql, want := range map[string]error{
		"":                   ErrNoStatement,
		" ; -- nothing\n /*": ErrNoStatement,
		"SELECT 1; SELECT 2": ErrManyStatements,
		"SELECT 1; -- end":   nil,
		";SELECT 1;;":        nil,
	} {
		if _, err := c.Run(t.Context(), Query{SQL: sql}, FullAccess, discard{}); !errors.Is(err, want) {
			t.Errorf("%q: Run = %v, want %v", sql, err, want)
		}
	}
	for sql, want := range map[string]Error{
		"SELECT nope":     {Code: lib.SQLITE_ERROR, Message: "no such column: nope", Offset: 7},
		"  SELECT nope":   {Code: lib.SQLITE_ERROR, Message: "no such column: nope", Offset: 9},
		"SELECT if(1, 2)": {Code: lib.SQLITE_ERROR, Message: "no such function: if", Offset: 7}, // of SQLite 3.48
	} {
		_, err := c.Run(t.Context(), Query{SQL: sql}, FullAccess, discard{})
		var e *Error
		if !errors.As(err, &e) || *e != want {
			t.Errorf("%q: Run = %#v, want %#v", sql, err, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	c := newConn(t, newDB(t, Options{}))
	mustRun(t, c, "CREATE TABLE t (a VARCHAR(10), b)")
	d, err := c.Describe(t.Context(), "SELECT a, a AS a, b + 1 FROM t WHERE b = :b OR b = ?", FullAccess)
	if err != nil {
		t.Fatal(err)
	}
	if !d.ReadOnly || d.Explain || len(d.Params) != 2 || d.Params[0] != ":b" || d.Params[1] != "" {
		t.Errorf("Describe = %+v", d)
	}
	if len(d.Columns) != 3 || d.Columns[1] != (Column{"a", "VARCHAR(10)"}) || d.Columns[2] != (Column{"b + 1", ""}) {
		t.Errorf("columns %+v", d.Columns)
	}
	if d, err = c.Describe(t.Context(), "EXPLAIN INSERT INTO t VALUES (1, 2)", FullAccess); err != nil || !d.Explain || d.ReadOnly {
		t.Errorf("Describe = %+v, %v", d, err)
	}
}

func TestScript(t *testing.T) {
	c := newConn(t, newDB(t, Options{}))
	count := func(table string) int64 {
		tab, _ := mustRun(t, c, "SELECT count(*) FROM sqlite_schema WHERE name = ?", text(table))
		return tab.rows[0][0].Int
	}
	const script = `CREATE TABLE a (x); -- it's fine; really
		CREATE TRIGGER tr AFTER INSERT ON a BEGIN DELETE FROM a WHERE x = ';'; SELECT 1; END;
		INSERT INTO a VALUES ('one;two'), ('/*')`
	if err := c.Script(t.Context(), script, FullAccess); err != nil {
		t.Fatal(err)
	}
	if tab, _ := mustRun(t, c, "SELECT count(*) FROM a"); tab.rows[0][0].Int != 2 || count("tr") != 1 {
		t.Errorf("rows %v", tab.rows)
	}
	if err := c.Script(t.Context(), "CREATE TABLE b (x); INSERT INTO b VALUES (1); SELEC 1", FullAccess); err == nil || count("b") != 0 {
		t.Errorf("syntax error at the end: %v; table b made %d times", err, count("b"))
	}
	if err := c.Script(t.Context(), "CREATE TABLE d (x); INSERT INTO nope VALUES (1); CREATE TABLE e (x)", FullAccess); err == nil || count("d") != 1 || count("e") != 0 {
		t.Errorf("error in the middle: %v", err)
	}
	if err := c.Script(t.Context(), " ; ", FullAccess); err != nil {
		t.Errorf("empty script: %v", err)
	}
}

func TestCacheStaysBounded(t *testing.T) {
	c := newConn(t, newDB(t, Options{}))
	for i := range 3 * maxCached {
		mustRun(t, c, "SELECT "+string(appendInt(int64(i))))
	}
	if len(c.stmts) > maxCached {
		t.Errorf("%d statements cached", len(c.stmts))
	}
}

func TestManyWriters(t *testing.T) {
	db := newDB(t, Options{})
	mustRun(t, newConn(t, db), "CREATE TABLE n (i)")
	const writers, each = 8, 25
	errs := make(chan error, writers)
	for range writers {
		c := newConn(t, db)
		go func() {
			for i := range each {
				if _, err := c.Run(t.Context(), Query{SQL: "INSERT INTO n VALUES (?)", Positional: []Value{{Kind: Integer, Int: int64(i)}}}, FullAccess, discard{}); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range writers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if tab, _ := mustRun(t, newConn(t, db), "SELECT count(*) FROM n"); tab.rows[0][0].Int != writers*each {
		t.Errorf("%v rows", tab.rows[0][0].Int)
	}
}
