package engine

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestCopyAndLoad(t *testing.T) {
	source, target := newDB(t, Options{}), newDB(t, Options{})
	from, to := newConn(t, source), newConn(t, target)
	mustRun(t, from, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
	mustRun(t, from, "CREATE VIRTUAL TABLE f USING fts5(a)")
	mustRun(t, from, "INSERT INTO t (a) VALUES ('x'), (NULL)")
	mustRun(t, from, "INSERT INTO f VALUES ('hello world')")
	mustRun(t, to, "CREATE TABLE gone (a)")
	if err := target.Copy(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	mustRun(t, from, "DELETE FROM t")
	for _, c := range []*Conn{to, newConn(t, target)} {
		if got := one(t, c, "SELECT count(*) || (SELECT count(*) FROM f WHERE f MATCH 'hello') FROM t"); got != "21" {
			t.Errorf("copy has %s", got)
		}
	}

	var dump bytes.Buffer
	if err := to.Dump(t.Context(), &dump); err != nil {
		t.Fatal(err)
	}
	loaded := newDB(t, Options{})
	if err := loaded.Load(t.Context(), dump.String()); err != nil {
		t.Fatal(err)
	}
	c := newConn(t, loaded)
	if got := one(t, c, "SELECT count(*) || (SELECT count(*) FROM f WHERE f MATCH 'hello') FROM t"); got != "21" {
		t.Errorf("loaded dump has %s", got)
	}
	for dump, want := range map[string]string{
		"CREATE TABLE x (a)":                                            ErrNoTransaction.Error(),
		"BEGIN; CREATE TABLE x (a)":                                     ErrNoCommit.Error(),
		"BEGIN; CREATE TABLE x (a); SELEC 1; COMMIT":                    "syntax error",
		"BEGIN; CREATE TABLE x (a); COMMIT; ATTACH '/tmp/zen.db' AS z;": "not authorized",
	} {
		db := newDB(t, Options{})
		if err := db.Load(t.Context(), dump); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", dump, err, want)
		}
		if strings.Contains(dump, "COMMIT; ") {
			continue
		}
		if _, err := newConn(t, db).Run(t.Context(), Query{SQL: "SELECT * FROM x"}, FullAccess, discard{}); !errors.As(err, new(*Error)) {
			t.Errorf("%s: the table of the failed dump exists", dump)
		}
	}
}
