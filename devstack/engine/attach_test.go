package engine

import (
	"errors"
	"testing"
)

func TestAttach(t *testing.T) {
	other := newDB(t, Options{})
	mustRun(t, newConn(t, other), "CREATE TABLE theirs AS SELECT 42 AS a")
	mustRun(t, newConn(t, other), "CREATE VIEW v AS SELECT a FROM theirs")
	refused := errors.New("refused")
	find := func(name string) (*DB, error) {
		if name == "other-db" {
			return other, nil
		}
		return nil, refused
	}
	alice, bob := FullAccess.Attaching("alice", find), FullAccess.Attaching("bob", find)
	narrow := NewRights(false, []Permission{{Tables: []string{"own"}, Actions: []Action{DataRead}}}).Attaching("alice", find)

	c, err := newDB(t, Options{}).Conn(t.Context())
	must(t, err)
	mustRun(t, c, "CREATE TABLE own AS SELECT 1 AS a")
	mustRun(t, c, "CREATE TABLE secret AS SELECT 2 AS a")
	for _, tt := range []struct {
		rights *Rights
		sql    string
		want   string
	}{
		{FullAccess, "ATTACH 'other-db' AS x", "unsupported"},
		{alice, "ATTACH '/etc/passwd' AS x", "refused"},
		{alice, "ATTACH 'other-db' || '' AS x", "unsupported"},
		{alice, "ATTACH 'other-db' AS main", "unsupported"},
		{alice, "SELECT * FROM x.theirs", "no such table"},
		{alice, "ATTACH DATABASE \"other-db\" AS X", "runs"},
		{alice, "SELECT * FROM x.theirs", "runs"},
		{alice, "SELECT * FROM x.v JOIN own", "runs"},
		{alice, "PRAGMA x.table_info(theirs)", "runs"},
		{narrow, "SELECT * FROM x.theirs JOIN own", "runs"},
		{narrow, "SELECT * FROM x.theirs JOIN secret", "denied"},
		{alice, "INSERT INTO x.theirs VALUES (1)", "denied"},
		{alice, "DELETE FROM x.theirs", "denied"},
		{alice, "CREATE TABLE x.t (a)", "denied"},
		{alice, "DROP TABLE x.theirs", "denied"},
		{alice, "ALTER TABLE x.theirs ADD COLUMN b", "denied"},
		{alice, "CREATE INDEX x.i ON theirs (a)", "denied"},
		{alice, "PRAGMA x.user_version = 5", "denied"},
		{bob, "SELECT * FROM x.theirs", "denied"},
		{bob, "SELECT * FROM theirs", "denied"},
		{FullAccess, "SELECT * FROM x.v", "denied"},
		{alice, "SELECT * FROM theirs", "runs"},
		{alice, "DETACH x", "runs"},
		{alice, "SELECT * FROM x.theirs", "no such table"},
	} {
		var got string
		_, err := c.Run(t.Context(), Query{SQL: tt.sql}, tt.rights, discard{})
		var e *Error
		switch {
		case err == nil:
			got = "runs"
		case errors.Is(err, refused):
			got = "refused"
		case errors.As(err, &e) && e.Primary() == 1 && !e.Syntax():
			got = "no such table"
		default:
			got = string(outcomeOf(t, err))
		}
		if got != tt.want {
			t.Errorf("%s: %s (%v), want %s", tt.sql, got, err, tt.want)
		}
	}
	// An attached table doesn't replace a dropped table of the same name for another
	// holder of rights.
	run := func(rights *Rights, sql string) error {
		_, err := c.Run(t.Context(), Query{SQL: sql}, rights, discard{})
		return err
	}
	must(t, run(alice, "ATTACH 'other-db' AS x"))
	must(t, run(bob, "CREATE TABLE theirs (a)"))
	must(t, run(bob, "SELECT * FROM theirs"))
	must(t, run(bob, "DROP TABLE main.theirs"))
	must(t, run(alice, "SELECT * FROM theirs"))
	if err := run(bob, "SELECT * FROM theirs"); err == nil {
		t.Error("bob can read what alice attached")
	}
	// Its name is the main database's as soon as that has it.
	for _, step := range []struct {
		sql  string
		want int64
	}{{"SELECT 1", 42}, {"CREATE TABLE main.theirs AS SELECT 1 AS a", 1}, {"DROP TABLE main.theirs", 42}, {"CREATE TABLE main.theirs AS SELECT 2 AS a", 2}} {
		must(t, run(alice, step.sql))
		tab := &table{}
		_, err := c.Run(t.Context(), Query{SQL: "SELECT a FROM theirs"}, alice, tab)
		if err != nil || len(tab.rows) != 1 || tab.rows[0][0].Int != step.want {
			t.Errorf("after %s: %v, %v, want %d", step.sql, tab.rows, err, step.want)
		}
	}
	c.Close()
	// The connection's next user doesn't get the attachment.
	d := newConn(t, c.db)
	if _, err := d.Run(t.Context(), Query{SQL: "SELECT * FROM x.theirs"}, alice, discard{}); err == nil {
		t.Error("still attached in another stream")
	}
}

func FuzzParseAttach(f *testing.F) {
	for _, seed := range []string{"ATTACH a AS b", `attach database "a b" as [x]`, "ATTACH 'x", "ATTACH /* */ 'a' -- \n as b;", "ATTACH a AS b; SELECT 1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		a, ok := parseAttach(sql)
		if ok && (a.name == "" || a.alias == "") {
			t.Errorf("%q: parseAttach = %+v", sql, a)
		}
	})
}
