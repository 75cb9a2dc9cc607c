package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// one returns the first value of the only row, as text.
func one(t *testing.T, c *Conn, sql string) string {
	t.Helper()
	tab, _ := mustRun(t, c, "SELECT CAST(("+sql+") AS TEXT)")
	return string(tab.rows[0][0].Bytes)
}

// TestLibSQLDialect checks features that libSQL has and SQLite lacks.
func TestLibSQLDialect(t *testing.T) {
	c := newConn(t, newDB(t, Options{}))
	for sql, want := range map[string]string{
		"SELECT sqlite_version()":                                               "3.47.0",
		"SELECT vector_extract(vector32('[1, 2.5,-3]'))":                        "[1,2.5,-3]",
		"SELECT vector_extract(vector64('[0.1]'))":                              "[0.1]",
		"SELECT hex(vector('[1]')) || hex(vector64('[1]'))":                     "0000803F" + "000000000000F03F02",
		"SELECT vector_distance_cos('[1,0]', '[0,1]')":                          "1.0",
		"SELECT vector_distance_l2(vector64('[0,0]'), vector64('[3,4]'))":       "5.0",
		"SELECT vector_extract(vector_extract(vector32(vector64('[1e10,2]'))))": "[1e+10,2]",
		// The results are those of libSQL 0.9.30's own library.
		"SELECT hex(vector1bit('[1,2,3,4,5,6,7,8,9]'))":                                                "FF01001703",
		"SELECT hex(vector1bit('[1,-1,2,-3,0.5]'))":                                                    "150B03",
		"SELECT vector_extract(vector1bit(vector8('[1,-1,2,-3,0.5]')))":                                "[1,-1,1,-1,1]",
		"SELECT hex(vector8('[1,-1,2,-3]'))":                                                           "CC66FF00A1A0A03C000040C0000004",
		"SELECT vector_extract(vector8('[0,0]'))":                                                      "[0,0]",
		"SELECT vector_extract(vector16('[5.96e-8,2.98e-8,65504,65520,-1e9,0.30001]'))":                "[5.96046e-08,0,65504,Inf,-Inf,0.300049]",
		"SELECT vector_extract(vectorb16('[-1.5837,1.3914,0.6351]'))":                                  "[-1.57813,1.39063,0.632813]",
		"SELECT vector_distance_cos(vector1bit('[1,-1,2,-3,0.5]'), vector1bit('[1,2,3,4,5]'))":         "2.0",
		"SELECT round(vector_distance_l2(vector8('[1,-1,2,-3,0.5]'), vector8('[1,2,3,4,5]')), 6)":      "8.894655",
		"SELECT round(vector_distance_cos(vectorb16('[1,-1,2,-3,0.5]'), vectorb16('[1,2,3,4,5]')), 6)": "1.15538",
	} {
		if got := one(t, c, sql); got != want {
			t.Errorf("%s: one = %s, want %s", sql, got, want)
		}
	}
	for sql, want := range map[string]string{
		"SELECT vector32('1')":                                            "vector: must start with '['",
		"SELECT vector32('[1,x]')":                                        "vector: invalid float at position 1: 'x'",
		"SELECT vector32(7)":                                              "vector: unexpected value type: got INTEGER, expected TEXT or BLOB",
		"SELECT vector_distance_l2('[1]', '[1,2]')":                       "same length: 1 != 2",
		"SELECT vector_distance_l2(vector1bit('[1]'), vector1bit('[1]'))": "l2 distance is not supported for float1bit vectors",
		"SELECT vector32(x'0003')":                                        "vector: unexpected data part size: type=1, dims=0, 2 != 0",
		"SELECT vector_extract(x'000004')":                                "vector: unexpected data part size: type=4",
		"SELECT vector_extract(x'07')":                                    "vector: unexpected binary type: 7",
		"SELECT * FROM vector_top_k('i', '[1]', 3)":                       "the local stack lacks vector indexes",
		"CREATE TABLE r (a) RANDOM ROWID":                                 "the local stack lacks RANDOM ROWID",
		"SELECT unistr('a')":                                              "no such function: unistr",
	} {
		if _, err := c.Run(t.Context(), Query{SQL: sql}, FullAccess, discard{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Run = %v, want %s", sql, err, want)
		}
	}
	mustRun(t, c, "CREATE TABLE v (e F32_BLOB(2))")
	if _, err := c.Run(t.Context(), Query{SQL: "CREATE INDEX i ON v (libsql_vector_idx(e))"}, FullAccess, discard{}); !errors.As(err, new(*LackingError)) {
		t.Errorf("vector index: %v", err)
	}
	mustRun(t, c, "BEGIN READONLY TRANSACTION")
	mustRun(t, c, "INSERT INTO v VALUES (vector('[1,2]'))") // as in libsql-server
	mustRun(t, c, "ROLLBACK")
}

func TestAlterColumn(t *testing.T) {
	db := newDB(t, Options{})
	c := newConn(t, db)
	mustRun(t, c, "CREATE TABLE t (id INTEGER PRIMARY KEY, \"a b\" DECIMAL(10,2) CHECK (\"a b\" IN (1, 2)), c TEXT, UNIQUE (c))")
	mustRun(t, c, "INSERT INTO t VALUES (1, 2, NULL)")
	other := newConn(t, db)
	mustRun(t, other, "SELECT * FROM t")
	mustRun(t, c, "ALTER TABLE t ALTER COLUMN \"a b\" TO \"a b\" TEXT NOT NULL DEFAULT ('x,y');")
	mustRun(t, c, "ALTER TABLE main.t ALTER COLUMN c TO c TEXT REFERENCES t (id)")
	const want = `CREATE TABLE t (id INTEGER PRIMARY KEY, "a b" TEXT NOT NULL DEFAULT ('x,y'), c TEXT REFERENCES t (id), UNIQUE (c))`
	for _, conn := range []*Conn{c, other} {
		if got := one(t, conn, "SELECT sql FROM sqlite_schema WHERE name = 't'"); got != want {
			t.Errorf("schema %s", got)
		}
		if _, err := conn.Run(t.Context(), Query{SQL: "INSERT INTO t VALUES (3, NULL, NULL)"}, FullAccess, discard{}); err == nil || !strings.Contains(err.Error(), "NOT NULL") {
			t.Errorf("the new constraint doesn't hold: %v", err)
		}
	}
	if got := one(t, c, "SELECT count(*) FROM t"); got != "1" {
		t.Errorf("rows: %s", got)
	}
	for sql, want := range map[string]string{
		"ALTER TABLE nope ALTER COLUMN a TO a TEXT":   "no such table: nope",
		"ALTER TABLE t ALTER COLUMN x TO x TEXT":      "no such column: \"x\"",
		"ALTER TABLE t ALTER COLUMN c TO d TEXT":      "Use ALTER TABLE RENAME",
		"ALTER TABLE t ALTER COLUMN id TO id INTEGER": "PRIMARY KEY constraint cannot be altered",
		"ALTER TABLE t ALTER COLUMN c TO c NOT":       "", // whatever SQLite says about it
	} {
		if _, err := c.Run(t.Context(), Query{SQL: sql}, FullAccess, discard{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Run = %v, want %s", sql, err, want)
		}
	}
	if got := one(t, c, "SELECT sql FROM sqlite_schema WHERE name = 't'"); got != want {
		t.Errorf("an error changed the schema: %s", got)
	}
	if _, err := c.Run(t.Context(), Query{SQL: "ALTER TABLE t ALTER COLUMN c TO c INTEGER"}, NewRights(true, nil), discard{}); !errors.Is(err, ErrBlocked) {
		t.Errorf("read only: %v", err)
	}
	if _, err := c.Run(t.Context(), Query{SQL: "UPDATE sqlite_schema SET sql = ''"}, FullAccess, discard{}); err == nil {
		t.Error("the schema can be written")
	}
}

// A statement is compiled with the current schema, whatever the connection read before.
func TestSchemaOfNow(t *testing.T) {
	db := newDB(t, Options{})
	first := newConn(t, db)
	mustRun(t, first, "CREATE TABLE t (a)")
	conns := make([]*Conn, 4)
	for i := range conns {
		conns[i] = newConn(t, db)
		mustRun(t, conns[i], "SELECT * FROM t")
	}
	mustRun(t, first, "DROP TABLE t")
	mustRun(t, first, "CREATE TABLE t (a, b)")
	for i, c := range conns {
		run := map[int]func() error{
			0: func() error {
				_, err := c.Run(context.Background(), Query{SQL: "INSERT INTO t VALUES (1, 2)"}, FullAccess, discard{})
				return err
			},
			1: func() error { return c.Script(context.Background(), "INSERT INTO t VALUES (1, 2)", FullAccess) },
			2: func() error {
				d, err := c.Describe(context.Background(), "SELECT * FROM t", FullAccess)
				if err == nil && len(d.Columns) != 2 {
					err = errors.New("columns of the table before")
				}
				return err
			},
			3: func() error {
				var tab table
				_, err := c.Run(context.Background(), Query{SQL: "SELECT * FROM t"}, FullAccess, &tab)
				if err == nil && len(tab.cols) != 2 {
					err = errors.New("columns of the table before")
				}
				return err
			},
		}[i]
		if err := run(); err != nil {
			t.Errorf("connection %d: %v", i, err)
		}
	}
}
