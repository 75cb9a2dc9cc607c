package engine

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Loading a dump recreates the database, whose dump is then the same text.
func TestDump(t *testing.T) {
	c := newConn(t, newDB(t, Options{}))
	must(t, c.Script(t.Context(), `
		CREATE TABLE "odd ""name" (id INTEGER PRIMARY KEY AUTOINCREMENT, "limit" TEXT, v, twice AS (id * 2));
		CREATE INDEX "by limit" ON "odd ""name" ("limit");
		CREATE VIEW seen AS SELECT id FROM "odd ""name";
		CREATE TABLE log (a) ;
		CREATE TRIGGER logged AFTER DELETE ON log BEGIN INSERT INTO log VALUES ('deleted; really'); END;
		INSERT INTO "odd ""name" ("limit", v) VALUES ('it''s
two lines', NULL), ('', 9223372036854775807), (NULL, -9223372036854775807 - 1), ('2024-01-02', 1.0), ('é', 1e999),
			('x', -1e999), ('x', 0.1), ('x', x'00ff'), ('x', x''), ('x', CAST(x'610062' AS TEXT)), ('x', 1e300);
		DELETE FROM "odd ""name" WHERE id = 11;
	`, FullAccess))
	var first, second strings.Builder
	must(t, c.Dump(t.Context(), &first))
	if !c.Autocommit() {
		t.Error("still in a transaction")
	}
	copied := newConn(t, newDB(t, Options{}))
	must(t, copied.Script(t.Context(), first.String(), FullAccess))
	must(t, copied.Dump(t.Context(), &second))
	if d := cmp.Diff(first.String(), second.String()); d != "" {
		t.Errorf("-first +second\n%s", d)
	}
	const all = `SELECT *, typeof(v), hex(v), twice FROM "odd ""name"`
	want, _ := mustRun(t, c, all)
	got, _ := mustRun(t, copied, all)
	if d := cmp.Diff(want.rows, got.rows); d != "" || len(got.rows) != 10 {
		t.Errorf("-want +got\n%s", d)
	}
	// AUTOINCREMENT continues where it was.
	mustRun(t, copied, `INSERT INTO "odd ""name" (v) VALUES (1)`)
	if tab, _ := mustRun(t, copied, "SELECT max(id) FROM seen"); tab.rows[0][0].Int != 12 {
		t.Errorf("next id %d", tab.rows[0][0].Int)
	}
	mustRun(t, c, "CREATE VIRTUAL TABLE docs USING fts5(body)")
	first.Reset()
	must(t, c.Dump(t.Context(), &first))
	if !strings.Contains(first.String(), "VALUES('table','docs','docs',0,'CREATE VIRTUAL TABLE docs USING fts5(body)');") {
		t.Error(first.String())
	}
}
