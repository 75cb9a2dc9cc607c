package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/internal/sqlite"
)

// oneToken hands out one token.
type oneToken struct{ token provider.Token }

func (s oneToken) Token(context.Context) (provider.Token, error)                 { return s.token, nil }
func (s oneToken) Renew(context.Context, provider.Token) (provider.Token, error) { return s.token, nil }

// counted counts requests.
type counted struct {
	http.RoundTripper
	n atomic.Int64
}

func (c *counted) RoundTrip(req *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.RoundTripper.RoundTrip(req)
}

// remote opens the stack's database, and counts the requests to it.
func remote(t *testing.T) (database, *counted) {
	t.Helper()
	stack := devstacktest.Start(t, devstack.Options{})
	token := devstacktest.Token(t, stack, "alice@example.test", devstack.Template)
	base := &counted{RoundTripper: http.DefaultTransport}
	db, err := libsql.Open(t.Context(), libsql.Options{
		Target: provider.Target{URL: stack.DatabaseURL(), DatabaseID: stack.DatabaseID()},
		Source: oneToken{provider.Token{Value: provider.NewSecret(token)}}, Base: base, TimesAsText: true,
	})
	must(t, err)
	conn, err := db.Conn(t.Context())
	must(t, err)
	t.Cleanup(func() { conn.Close(); db.Close() })
	return database{db: db, conn: conn}, base
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func rowsIn(t *testing.T, conn *sql.Conn, table string) (n int) {
	t.Helper()
	must(t, conn.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}

// An import takes one request per chunk.
func TestImportSendsChunks(t *testing.T) {
	d, sent := remote(t)
	_, err := d.conn.ExecContext(t.Context(), "CREATE TABLE n (id INTEGER PRIMARY KEY, v TEXT)")
	must(t, err)
	var file strings.Builder
	file.WriteString("\ufeffid,v\n")
	for i := range 2500 {
		fmt.Fprintf(&file, "%d,\"value\n%d\"\n", i, i)
	}
	sent.n.Store(0)
	rows, err := d.load(t.Context(), strings.NewReader(file.String()), importOptions{format: "csv", table: "n", chunk: 1000}, func(int64) {})
	must(t, err)
	if n := sent.n.Load(); rows != 2500 || n != 4 { // one for the columns, three for the chunks
		t.Errorf("%d rows in %d requests, want 2500 in 4", rows, n)
	}
	script := "BEGIN;\n" + strings.Repeat("INSERT INTO n (v) VALUES ('x');\n", 600) + "COMMIT;\n"
	sent.n.Store(0)
	rows, err = d.load(t.Context(), strings.NewReader(script), importOptions{format: "sql"}, func(int64) {})
	must(t, err)
	if n := sent.n.Load(); rows != 602 || n != 1 || rowsIn(t, d.conn, "n") != 3100 {
		t.Errorf("%d statements in %d requests, %d rows, want 602, 1, 3100", rows, n, rowsIn(t, d.conn, "n"))
	}
}

func TestImportResumesAfterAnError(t *testing.T) {
	d, _ := remote(t)
	_, err := d.conn.ExecContext(t.Context(), "CREATE TABLE n (id INTEGER PRIMARY KEY, v TEXT CHECK (v <> 'bad'))")
	must(t, err)
	file := "v\na\nb\nc\nbad\ne\n"
	o := importOptions{format: "csv", table: "n", chunk: 2}
	_, err = d.load(t.Context(), strings.NewReader(file), o, func(int64) {})
	if !errors.Is(err, hrana.ErrCheck) || !strings.HasPrefix(err.Error(), "line 5: ") || !strings.Contains(provider.Hint(err), "--skip 2") || rowsIn(t, d.conn, "n") != 2 {
		t.Errorf("import with a bad row: %v, hint %q, %d rows", err, provider.Hint(err), rowsIn(t, d.conn, "n"))
	}
	o.skip = 2
	rows, err := d.load(t.Context(), strings.NewReader(strings.Replace(file, "bad", "good", 1)), o, func(int64) {})
	if err != nil || rows != 3 || rowsIn(t, d.conn, "n") != 5 {
		t.Errorf("%v, %d more rows, %d in total, want 3 and 5", err, rows, rowsIn(t, d.conn, "n"))
	}
	// All or nothing.
	o = importOptions{format: "csv", table: "n", chunk: int(^uint(0) >> 1)}
	if _, err = d.load(t.Context(), strings.NewReader(file), o, func(int64) {}); err == nil || rowsIn(t, d.conn, "n") != 5 {
		t.Errorf("import in one chunk: %v, %d rows", err, rowsIn(t, d.conn, "n"))
	}
}

func TestImportRefuses(t *testing.T) {
	d, _ := remote(t)
	_, err := d.conn.ExecContext(t.Context(), "CREATE TABLE n (id INTEGER PRIMARY KEY, v)")
	must(t, err)
	for _, test := range []struct{ format, file, want string }{
		{"csv", "", "line 1: the file is empty"},
		{"csv", "id,id\n", "line 1: column 2"},
		{"csv", "id,\n", "line 1: column 2"},
		{"csv", "id,x\n1,2\n", `no column "x", but id, v`},
		{"csv", "id,v\n1\n", "line 2: it has 1 values"},
		{"csv", "id,v\n1,\"x\n", "line 2: "},
		{"csv", "id,v\n1,\xff\n", "line 2: value 2 is not UTF-8"},
		{"jsonl", "{\"id\":1}\nx\n", "line 2: it is not one JSON object"},
		{"jsonl", "{\"id\":1} {}\n", "line 1: it is not one JSON object"},
		{"jsonl", "[1]\n", "line 1: it is not one JSON object"},
		{"jsonl", "{}\n", "line 1: the object has no member"},
		{"jsonl", "{\"x\":1}\n", `line 1: table n has no column "x"`},
		{"jsonl", "{\"id\":1,\"v\":1e999}\n", `line 1: "v"`},
		{"sql", "INSERT INTO n (v) VALUES (1);\nnonsense;\n", "line 2: "},
		{"sql", "BEGIN; INSERT INTO n (v) VALUES (1);", "left open, and is rolled back"},
	} {
		chunk := 1000
		if test.format == "sql" {
			chunk = 0
		}
		_, err := d.load(t.Context(), strings.NewReader(test.file), importOptions{format: test.format, table: "n", chunk: chunk}, func(int64) {})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("import of %s %q: %v, want %q", test.format, test.file, err, test.want)
		}
	}
}

// A dump restores to an identical database.
func TestDump(t *testing.T) {
	d, _ := remote(t)
	_, err := d.conn.ExecContext(t.Context(), `CREATE TABLE "a ""b""" (id INTEGER PRIMARY KEY AUTOINCREMENT, v, g AS (v || 'x'));
		INSERT INTO "a ""b""" (v) VALUES (NULL), (1), (1.5), (9e999), (-9e999), ('it''s'), (char(65, 0, 66)), (x'00ff'), ('ünï😀'), (9223372036854775807);
		CREATE TABLE w (k PRIMARY KEY) WITHOUT ROWID; INSERT INTO w VALUES ('k');
		CREATE VIRTUAL TABLE f USING fts5(t); INSERT INTO f VALUES ('hello world');
		CREATE INDEX i ON "a ""b""" (v); CREATE VIEW vw AS SELECT v FROM "a ""b""";
		CREATE TRIGGER tr AFTER INSERT ON w BEGIN SELECT 1; SELECT 2; END`)
	must(t, err)
	first := dumpOf(t, d)
	again, _ := remote(t)
	_, err = again.load(t.Context(), strings.NewReader(first), importOptions{format: "sql"}, func(int64) {})
	must(t, err)
	if second := dumpOf(t, again); second != first {
		t.Errorf("second dump:\n%s\nfirst dump:\n%s", second, first)
	}
	var n int
	must(t, again.conn.QueryRowContext(t.Context(), "SELECT count(*) FROM f WHERE f MATCH 'hello'").Scan(&n))
	if n != 1 {
		t.Errorf("%d rows match, want 1", n)
	}
	if one := (&dump{conn: d.conn, tables: []string{"nosuch"}, schema: true, told: func(int64) {}}); !errors.Is(one.write(t.Context(), io.Discard), provider.ErrConfig) {
		t.Error("dumping a missing table didn't fail with ErrConfig")
	}
}

func dumpOf(t *testing.T, d database) string {
	t.Helper()
	var out strings.Builder
	one := &dump{conn: d.conn, schema: true, data: true, note: func(text string) { t.Error(text) }, told: func(int64) {}}
	must(t, one.write(t.Context(), &out))
	return out.String()
}

// FuzzSQLFile checks that a script is split into the same statements as by the driver,
// wherever its lines break.
func FuzzSQLFile(f *testing.F) {
	f.Add("BEGIN;\nINSERT INTO t VALUES ('a;\nb'); -- c;\nCOMMIT")
	f.Add("CREATE TRIGGER a AFTER INSERT ON b BEGIN\nSELECT 1;\nEND;\n/* ; */ SELECT 2;;")
	f.Fuzz(func(t *testing.T, text string) {
		want, err := sqlite.Statements(text)
		if err != nil || strings.HasPrefix(text, "\ufeff") {
			return
		}
		in := newSQLFile(strings.NewReader(text), false)
		var got []string
		for {
			r, err := in.next()
			if err == io.EOF {
				break
			}
			must(t, err)
			got = append(got, r.SQL)
		}
		if strings.Join(got, "\x00") != strings.Join(want, "\x00") {
			t.Fatalf("%q was split into %q, want %q", text, got, want)
		}
	})
}
