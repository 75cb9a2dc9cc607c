package sqlite

import (
	"slices"
	"strings"
	"testing"
)

func TestParseScript(t *testing.T) {
	tests := map[string][]string{
		"":                               nil,
		" ;; -- x\n ; /* ; */ ":          nil,
		"SELECT 1":                       {"SELECT 1"},
		" SELECT 1 ; ":                   {" SELECT 1 ; "}, // a single statement stays as written
		"A;B":                            {"A", "B"},
		"A ; -- c;\n B /* ; */ C;":       {"A", "B /* ; */ C"},
		"SELECT ';', \";\", `;`, [;]; B": {"SELECT ';', \";\", `;`, [;]", "B"},
		"SELECT 'it''s; '; B":            {"SELECT 'it''s; '", "B"},
		"SELECT 'open; B":                {"SELECT 'open; B"},
		"SELECT /*/ ; */ 1; B":           {"SELECT /*/ ; */ 1", "B"},
		"SELECT 1 -- ; ?":                {"SELECT 1 -- ; ?"},
		"SELECT a->>'$.b;'; B":           {"SELECT a->>'$.b;'", "B"},
		"\ufeffA; B":                     {"A", "B"},

		"CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END; B":                        {"CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END", "B"},
		"create temp trigger t begin select case when 1 then 2 end; end; B":                          {"create temp trigger t begin select case when 1 then 2 end; end", "B"},
		"CREATE TRIGGER t BEGIN SELECT 1; /* c */ END /* d */ ; B":                                   {"CREATE TRIGGER t BEGIN SELECT 1; /* c */ END", "B"},
		"EXPLAIN QUERY PLAN CREATE TEMPORARY TRIGGER IF NOT EXISTS t BEGIN DELETE FROM a; END; B":    {"EXPLAIN QUERY PLAN CREATE TEMPORARY TRIGGER IF NOT EXISTS t BEGIN DELETE FROM a; END", "B"},
		"CREATE TRIGGER t BEGIN SELECT 1; SELECT \"end\"; end":                                       {"CREATE TRIGGER t BEGIN SELECT 1; SELECT \"end\"; end"},
		"CREATE TABLE trigger_log(x); B":                                                             {"CREATE TABLE trigger_log(x)", "B"},
		"BEGIN; INSERT INTO a VALUES(1); END; B":                                                     {"BEGIN", "INSERT INTO a VALUES(1)", "END", "B"},
		"CREATE TABLE \"CREATE TRIGGER\"(x); CREATE INDEX i ON \"CREATE TRIGGER\"(x); SELECT ':a;?'": {"CREATE TABLE \"CREATE TRIGGER\"(x)", "CREATE INDEX i ON \"CREATE TRIGGER\"(x)", "SELECT ':a;?'"},
	}
	for sql, want := range tests {
		stmts, err := Parse(sql)
		if err != nil {
			t.Errorf("Parse(%q): %v", sql, err)
		}
		var got []string
		for _, s := range stmts {
			got = append(got, s.SQL)
		}
		if len(want) == 1 {
			want[0] = sql
		}
		if !slices.Equal(got, want) {
			t.Errorf("Parse(%q) =\n%q, want\n%q", sql, got, want)
		}
	}
}

func TestParams(t *testing.T) {
	tests := []struct {
		sql        string
		count      int
		names      string
		positional bool
	}{
		{"SELECT 1", 0, "", false},
		{"SELECT ?, ?", 2, "", true},
		{"SELECT ?2, ?", 3, "", true},
		{"SELECT ?5", 5, "", true},
		{"SELECT ?1, ?1, ?01", 1, "", true},
		{"SELECT :a, @b, $c, :a", 3, ":a @b $c", false},
		{"SELECT :a, @a, $a", 3, ":a @a $a", false},
		{"SELECT :a, ?", 2, ":a", true},
		{"SELECT ?, :a, ?", 3, ":a", true},
		{"SELECT :é, :_1, :1", 3, ":é :_1 :1", false},
		{"SELECT $ns::a, $arr(x), @b::c(d)", 3, "$ns::a $arr(x) @b::c(d)", false},
		{"SELECT $a(b c)", 0, "", false}, // SQLite calls this an illegal token
		{"SELECT ':a', \":b\", `?`, [?], 'it''s ?' -- ?\n /* :c */", 0, "", false},
		{"SELECT a$b, x'ab', 1.5e+3, a:b", 1, ":b", false},
		{"SELECT a FROM t WHERE b=:b AND c<>:c", 2, ":b :c", false},
		{"SELECT j->>'$.x', j->$p", 1, "$p", false},
		{"SELECT : a, ::, @", 0, "", false},
	}
	for _, test := range tests {
		stmts, err := Parse(test.sql)
		if err != nil || len(stmts) != 1 {
			t.Errorf("%q: %d statements, %v", test.sql, len(stmts), err)
			continue
		}
		p := stmts[0].Params
		if got := strings.Join(p.names, " "); p.count != test.count || got != test.names || p.positional != test.positional {
			t.Errorf("%q has %d parameters, names %q, positional %t; want %d, %q, %t",
				test.sql, p.count, got, p.positional, test.count, test.names, test.positional)
		}
	}
	for _, sql := range []string{"SELECT ?0", "SELECT ?32767", "SELECT ?99999999999999999999", "SELECT 1\x00; DROP TABLE t", "SELECT '\xff'"} {
		if _, err := Parse(sql); err == nil {
			t.Errorf("Parse(%q) returned no error", sql)
		}
	}
}

func TestVerb(t *testing.T) {
	tests := map[string]Verb{
		"SELECT 1": Read, "values (1)": Read,
		"EXPLAIN DELETE FROM t": Read, "EXPLAIN QUERY PLAN DELETE FROM t": Read,
		"EXPLAIN PRAGMA user_version = 1":                           Write,
		"WITH a AS (SELECT 1) SELECT * FROM a":                      Read,
		"WITH RECURSIVE a(x) AS (VALUES(1)) SELECT x FROM a":        Read,
		"WITH a AS (SELECT 1) DELETE FROM t":                        Write,
		"WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a":        Write,
		"WITH a AS (SELECT 1), b AS (SELECT 2) UPDATE t SET x=1":    Write,
		"WITH a AS MATERIALIZED (SELECT 1) REPLACE INTO t SELECT 1": Write,
		"WITH":                       Write,
		"PRAGMA table_info(t)":       Read,
		"PRAGMA Table_List":          Read,
		"PRAGMA user_version":        Write,
		"PRAGMA table_info = t":      Write,
		"PRAGMA optimize":            Write,
		"INSERT INTO t VALUES (1)":   Write,
		"DELETE FROM t RETURNING *":  Write,
		"BEGIN":                      Begin,
		"begin immediate":            Begin,
		"SAVEPOINT x":                Begin,
		"COMMIT":                     Commit,
		"END TRANSACTION":            Commit,
		"ROLLBACK":                   Rollback,
		"ROLLBACK TRANSACTION":       Rollback,
		"ROLLBACK TO x":              Write,
		"ROLLBACK TRANSACTION TO x":  Write,
		"RELEASE x":                  Write,
		"/* SELECT */ DELETE FROM t": Write,
		"\"SELECT\" 1":               Write,
		"ATTACH 'x' AS y":            Write,
	}
	for sql, want := range tests {
		stmts, err := Parse(sql)
		if err != nil || len(stmts) != 1 {
			t.Errorf("%q: %d statements, %v", sql, len(stmts), err)
			continue
		}
		if got := stmts[0].Verb; got != want {
			t.Errorf("%q has verb %d, want %d", sql, got, want)
		}
	}
}

// FuzzParseScript checks that parsing loses nothing, and that each statement is the same when
// it is parsed alone.
func FuzzParseScript(f *testing.F) {
	for _, s := range []string{"A; B ?1 :x", "CREATE TRIGGER t BEGIN SELECT ';'; END; C", "/* x", "'", "[", "$a(", "-- \n;", "a$b::c", "?99"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		stmts, err := Parse(sql)
		if err != nil {
			return
		}
		rest := sql
		for _, s := range stmts {
			_, after, found := strings.Cut(rest, s.SQL)
			if !found || s.SQL == "" {
				t.Fatalf("%q is not in the rest of the text, %q", s.SQL, rest)
			}
			rest = after
			if s.Params.count < len(s.Params.names) {
				t.Fatalf("%q: %d parameters with %d names", s.SQL, s.Params.count, len(s.Params.names))
			}
			again, err := Parse(s.SQL)
			if err != nil || len(again) != 1 {
				t.Fatalf("%q alone is %d statements, %v", s.SQL, len(again), err)
			}
			if a := again[0]; a.Verb != s.Verb || a.Params.count != s.Params.count {
				t.Fatalf("%q alone: verb %d, %d parameters; in the script %d, %d",
					s.SQL, a.Verb, a.Params.count, s.Verb, s.Params.count)
			}
		}
	})
}

func TestResults(t *testing.T) {
	const rows, changes = 1, 2
	for sql, want := range map[string]int{
		"SELECT 1": rows, "values (1)": rows, "EXPLAIN DELETE FROM t": rows, "PRAGMA user_version": rows, "SELEC 1": rows, "": rows,
		"WITH a AS (SELECT 1) SELECT * FROM a": rows,
		"INSERT INTO t VALUES ('returning')":   changes, "insert into t values (1) -- returning": changes,
		"INSERT INTO t (returning) VALUES (1)":                    changes,
		"WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a":      changes,
		"DELETE FROM t RETURNING *":                               rows | changes,
		"WITH a AS (SELECT 1) UPDATE t SET x = 1 RETURNING id":    rows | changes,
		"CREATE TABLE t (a)":                                      0,
		"/* all */ DROP TABLE t":                                  0,
		"BEGIN":                                                   0,
		"CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END;": 0,
	} {
		got := 0
		if r, c := Results(sql); r {
			got = rows
			if c {
				got |= changes
			}
		} else if c {
			got = changes
		}
		if got != want {
			t.Errorf("%q: %d, want %d", sql, got, want)
		}
	}
}

func TestRepeats(t *testing.T) {
	for statement, want := range map[string]bool{
		"SELECT 1": true, " -- c\n/* c */ select 1": true, "VALUES (1)": true, "WITH a AS (SELECT 1) DELETE FROM b": true,
		"INSERT INTO a VALUES (1)": true, "replace INTO a VALUES (1)": true, "UPDATE a SET b = 1": true, "DELETE FROM a": true,
		"PRAGMA cache_size = 1": false, "EXPLAIN SELECT 1": false, "BEGIN": false, "CREATE TABLE a (b)": false, "ATTACH 'a' AS b": false, "(SELECT 1)": false, "": false,
	} {
		if Repeats(statement) != want {
			t.Errorf("%q: want %v", statement, want)
		}
	}
}
