package hrana_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// bearer puts a token on requests, and counts them.
type bearer struct {
	token string
	mu    sync.Mutex
	count int // guarded by mu
}

func (b *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	b.mu.Lock()
	b.count++
	b.mu.Unlock()
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(req)
}

func (b *bearer) requests() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.count
	b.count = 0
	return n
}

// database is a real SQL engine behind a real server.
func database(t *testing.T) (*sql.DB, *bearer) {
	t.Helper()
	db, b, _ := databaseOf(t)
	return db, b
}

func databaseOf(t *testing.T) (*sql.DB, *bearer, *devstack.Stack) {
	t.Helper()
	stack := devstacktest.Start(t, devstack.Options{TokenLifetime: time.Hour})
	u, err := url.Parse(stack.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	b := &bearer{token: devstacktest.Token(t, stack, "alice@example.test", devstack.Template)}
	connector, err := hrana.NewConnector(hrana.Config{URL: u, Transport: b})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, b, stack
}

func must(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// TestDatabaseSQL is a table of what package database/sql promises and what
// applications expect of a driver, against a real engine. Each row begins with the
// table t (id INTEGER PRIMARY KEY, name TEXT UNIQUE) of one to three.
func TestDatabaseSQL(t *testing.T) {
	db, requests := database(t)
	bg := t.Context()
	for name, try := range map[string]func() error{
		"a prepared statement on several connections": func() error {
			stmt, err := db.Prepare("SELECT name FROM t WHERE id = ?")
			if err != nil {
				return err
			}
			defer stmt.Close()
			var all sync.WaitGroup
			failed := make([]error, 16)
			for i := range failed {
				all.Go(func() {
					var got string
					if err := stmt.QueryRow(i%3 + 1).Scan(&got); err != nil || got != []string{"one", "two", "three"}[i%3] {
						failed[i] = fmt.Errorf("%d: %q, %v", i, got, err)
					}
				})
			}
			all.Wait()
			return errors.Join(failed...)
		},
		"a prepared statement after its Close": func() error {
			stmt, err := db.Prepare("SELECT 1")
			if err == nil {
				err = stmt.Close()
			}
			if err != nil {
				return err
			}
			if _, err := stmt.Query(); err == nil {
				return errors.New("it runs")
			}
			return nil
		},
		"one request a prepared statement": func() error {
			requests.requests()
			stmt, err := db.Prepare("INSERT INTO t (name) VALUES (?)")
			if err != nil {
				return err
			}
			defer stmt.Close()
			for i := range 3 {
				if _, err := stmt.Exec(fmt.Sprint("n", i)); err != nil {
					return err
				}
			}
			return same(requests.requests(), 3)
		},
		"a transaction after Commit": func() error {
			tx, err := db.Begin()
			if err == nil {
				_, err = tx.Exec("DELETE FROM t")
			}
			if err == nil {
				err = tx.Commit()
			}
			if err != nil {
				return err
			}
			_, exec := tx.Exec("DELETE FROM t")
			_, query := tx.Query("SELECT 1")
			for _, err := range []error{exec, query, tx.Commit(), tx.Rollback()} {
				if !errors.Is(err, sql.ErrTxDone) {
					return fmt.Errorf("error %v, want sql.ErrTxDone", err)
				}
			}
			return nil
		},
		"Rollback undoes": func() error {
			tx, err := db.Begin()
			if err == nil {
				_, err = tx.Exec("DELETE FROM t")
			}
			if err == nil {
				err = tx.Rollback()
			}
			return errors.Join(err, counts(db, 3))
		},
		"a transaction sees its own writes, others don't": func() error {
			tx, err := db.Begin()
			if err != nil {
				return err
			}
			defer tx.Rollback()
			if _, err := tx.Exec("INSERT INTO t (name) VALUES ('four')"); err != nil {
				return err
			}
			return errors.Join(counts(tx, 4), counts(db, 3))
		},
		"a context that ends rolls back": func() error {
			ctx, cancel := context.WithCancel(bg)
			tx, err := db.BeginTx(ctx, nil)
			if err == nil {
				_, err = tx.Exec("DELETE FROM t")
			}
			cancel()
			if err != nil {
				return err
			}
			if err := tx.Commit(); !errors.Is(err, context.Canceled) && !errors.Is(err, sql.ErrTxDone) {
				return fmt.Errorf("commit: %v", err)
			}
			return counts(db, 3)
		},
		"an error leaves the transaction open": func() error {
			tx, err := db.Begin()
			if err != nil {
				return err
			}
			_, first := tx.Exec("INSERT INTO t (name) VALUES ('four')")
			_, wrong := tx.Exec("INSERT INTO t (name) VALUES ('four')")
			_, last := tx.Exec("INSERT INTO t (name) VALUES ('five')")
			if !errors.Is(wrong, hrana.ErrUnique) {
				return fmt.Errorf("the same again: %v", wrong)
			}
			return errors.Join(first, last, tx.Commit(), counts(db, 5))
		},
		"a statement of the database in a transaction": func() error {
			stmt, err := db.Prepare("INSERT INTO t (name) VALUES (?)")
			if err != nil {
				return err
			}
			defer stmt.Close()
			tx, err := db.Begin()
			if err == nil {
				_, err = tx.Stmt(stmt).Exec("four")
			}
			if err == nil {
				err = tx.Rollback()
			}
			return errors.Join(err, counts(db, 3))
		},
		"a read-only transaction": func() error {
			tx, err := db.BeginTx(bg, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelSerializable})
			if err != nil {
				return err
			}
			defer tx.Rollback()
			if _, err := tx.Exec("DELETE FROM t"); !errors.Is(err, hrana.ErrReadOnly) {
				return fmt.Errorf("delete: %v", err)
			}
			return counts(tx, 3)
		},
		"an isolation that SQLite hasn't": func() error {
			if tx, err := db.BeginTx(bg, &sql.TxOptions{Isolation: sql.LevelReadUncommitted}); err == nil {
				return errors.Join(errors.New("it begins"), tx.Rollback())
			}
			return nil
		},
		"rows that are closed early": func() error {
			for range 20 {
				rows, err := db.Query("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100000) SELECT n FROM c")
				if err != nil {
					return err
				}
				if !rows.Next() {
					return rows.Err()
				}
				if err := rows.Close(); err != nil {
					return err
				}
				if rows.Next() {
					return errors.New("a row after Close")
				}
			}
			return same(db.Stats().InUse, 0)
		},
		"a deadline in the middle of rows": func() error {
			ctx, cancel := context.WithTimeout(bg, 100*time.Millisecond)
			defer cancel()
			rows, err := db.QueryContext(ctx, "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c")
			if err == nil {
				defer rows.Close()
				for rows.Next() {
				}
				err = rows.Err()
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			return counts(db, 3)
		},
		"a row that isn't there": func() error {
			var n int
			if err := db.QueryRow("SELECT id FROM t WHERE id = 99").Scan(&n); !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			return nil
		},
		"LastInsertId and RowsAffected": func() error {
			res, err := db.Exec("INSERT INTO t (id, name) VALUES (?, ?)", 1<<40, "big")
			if err != nil {
				return err
			}
			id, err := res.LastInsertId()
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err == nil {
				err = errors.Join(same(id, 1<<40), same(n, 1))
			}
			if err != nil {
				return err
			}
			if res, err = db.Exec("UPDATE t SET name = name || '!'"); err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return errors.Join(err, same(n, 4))
		},
		"RETURNING": func() error {
			rows, err := db.Query("INSERT INTO t (name) VALUES (?), (?) RETURNING id, name", "four", "five")
			if err != nil {
				return err
			}
			got, err := texts(rows)
			return errors.Join(err, same(fmt.Sprint(got), "[4 four 5 five]"))
		},
		"wrong numbers of arguments are refused before a request": func() error {
			requests.requests()
			var wrong *hrana.ArgumentError
			for query, args := range map[string][]any{
				"SELECT ?, ?":  {1},
				"SELECT ?":     {1, 2},
				"SELECT 1":     {1},
				"SELECT ?5":    {1, 2},
				"SELECT :a":    {1},
				"SELECT :a, ?": {1, 2},
				"SELECT @a":    {sql.Named("b", 1)},
			} {
				if rows, err := db.Query(query, args...); !errors.As(err, &wrong) {
					if err == nil {
						rows.Close()
					}
					return fmt.Errorf("%s: %v", query, err)
				}
			}
			return same(requests.requests(), 0)
		},
		"named parameters go by name": func() error {
			var got string
			err := db.QueryRow("SELECT :b || @a || $c || :b", sql.Named("a", "A"), sql.Named("b", "B"), sql.Named("c", "C")).Scan(&got)
			return errors.Join(err, same(got, "BACB"))
		},
		"numbered parameters go by number": func() error {
			var got string
			err := db.QueryRow("SELECT ?2 || ?1 || ?2", "A", "B").Scan(&got)
			return errors.Join(err, same(got, "BAB"))
		},
		"several result sets": func() error {
			rows, err := db.Query("SELECT 1; SELECT 'a', 'b'; DELETE FROM t WHERE id = 3; SELECT count(*) FROM t")
			if err != nil {
				return err
			}
			defer rows.Close()
			var columns []int
			for {
				names, err := rows.Columns()
				if err != nil {
					return err
				}
				columns = append(columns, len(names))
				for rows.Next() {
				}
				if !rows.NextResultSet() {
					break
				}
			}
			return errors.Join(rows.Err(), same(fmt.Sprint(columns), "[1 2 0 1]"))
		},
		"constraints are told apart": func() error {
			must(t, db, "CREATE TABLE u (id INTEGER PRIMARY KEY, n INTEGER NOT NULL CHECK (n > 0), p REFERENCES t (id))")
			for query, want := range map[string]error{
				"INSERT INTO t (name) VALUES ('one')":                               hrana.ErrUnique,
				"INSERT INTO t (id) VALUES (1)":                                     hrana.ErrUnique,
				"INSERT INTO u (n) VALUES (NULL)":                                   hrana.ErrNotNull,
				"INSERT INTO u (n) VALUES (0)":                                      hrana.ErrCheck,
				"PRAGMA foreign_keys = ON; INSERT INTO u (n, p) VALUES (1, 'nope')": hrana.ErrForeignKey,
			} {
				_, err := db.Exec(query)
				if !errors.Is(err, want) || !errors.Is(err, hrana.ErrConstraint) {
					return fmt.Errorf("%s: %v is not %v", query, err, want)
				}
				var e *hrana.Error
				if primary, extended := 0, 0; errors.As(err, &e) {
					if primary, extended = e.SQLite(); primary != 19 || extended <= 255 {
						return fmt.Errorf("%s: codes %d and %d", query, primary, extended)
					}
				}
			}
			return nil
		},
		"Ping asks the server": func() error {
			requests.requests()
			return errors.Join(db.Ping(), same(requests.requests(), 1))
		},
		"BEGIN on a connection": func() error {
			conn, err := db.Conn(bg)
			if err != nil {
				return err
			}
			for _, query := range []string{"BEGIN", "DELETE FROM t", "SAVEPOINT a", "ROLLBACK TO a", "RELEASE a"} {
				if _, err := conn.ExecContext(bg, query); err != nil {
					return fmt.Errorf("%s: %w", query, err)
				}
			}
			open, err := hrana.Transaction(conn)
			err = errors.Join(err, same(open, true), counts(conn, 0), conn.Close())
			return errors.Join(err, counts(db, 3)) // given back in a transaction, it is rolled back
		},
		"column types": func() error {
			rows, err := db.Query("SELECT id, name, 1 + 1 FROM t")
			if err != nil {
				return err
			}
			defer rows.Close()
			types, err := rows.ColumnTypes()
			if err != nil {
				return err
			}
			return same(fmt.Sprint(types[0].DatabaseTypeName(), types[1].DatabaseTypeName(), types[2].DatabaseTypeName()), "INTEGERTEXT")
		},
		"rows stay open while others are read": func() error {
			rows, err := db.Query("SELECT id FROM t ORDER BY id")
			if err != nil {
				return err
			}
			defer rows.Close()
			n := 0
			for ; rows.Next(); n++ {
				if err := counts(db, 3); err != nil {
					return err
				}
			}
			return errors.Join(rows.Err(), same(n, 3))
		},
		"the server's version": func() error {
			conn, err := db.Conn(bg)
			if err != nil {
				return err
			}
			defer conn.Close()
			version, err := hrana.Version(bg, conn)
			return errors.Join(err, same(strings.HasPrefix(version, "sqld"), true))
		},
	} {
		must(t, db, "DROP TABLE IF EXISTS u", "DROP TABLE IF EXISTS t", "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)",
			"INSERT INTO t (name) VALUES ('one'), ('two'), ('three')")
		if err := try(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// database/sql rolls back in the background when a context ends.
		for end := time.Now().Add(10 * time.Second); db.Stats().InUse != 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: %d connections are still in use", name, db.Stats().InUse)
			}
		}
	}
}

func same[T comparable](got, want T) error {
	if got != want {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	return nil
}

// counts says whether t has n rows.
func counts(q interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}, n int) error {
	var got int
	err := q.QueryRowContext(context.Background(), "SELECT count(*) FROM t").Scan(&got)
	return errors.Join(err, same(got, n))
}

func texts(rows *sql.Rows) (all []string, err error) {
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values := make([]string, len(columns))
		pointers := make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			return all, err
		}
		all = append(all, values...)
	}
	return all, rows.Err()
}

// TestScan reads each kind of value into each kind of destination that fits.
func TestScan(t *testing.T) {
	db, _ := database(t)
	at := time.Date(2026, 1, 3, 4, 5, 6, 7, time.FixedZone("x", 3600))
	for _, test := range []struct{ bind, into, want any }{
		{nil, new(any), nil},
		{nil, new(sql.NullString), sql.NullString{}},
		{nil, new([]byte), []byte(nil)},
		{int64(math.MinInt64), new(int64), int64(math.MinInt64)},
		{int64(math.MaxInt64), new(any), int64(math.MaxInt64)},
		{uint8(7), new(int), 7},
		{7, new(string), "7"},
		{7, new(float64), 7.0},
		{true, new(bool), true},
		{false, new(any), int64(0)},
		{1.5, new(float64), 1.5},
		{2.0, new(any), 2.0},
		{1e300, new(any), 1e300},
		{"2026-01-03", new(any), "2026-01-03"},
		{"2026-01-03 04:05:06", new(string), "2026-01-03 04:05:06"},
		{"a\x00b", new(any), "a\x00b"},
		{"", new(any), ""},
		{"é漢🎉\"\\\n\u2028", new(string), "é漢🎉\"\\\n\u2028"},
		{"text", new([]byte), []byte("text")},
		{"raw", new(sql.RawBytes), sql.RawBytes(nil)},
		{[]byte{0, 255}, new(any), []byte{0, 255}},
		{[]byte{}, new(any), []byte{}},
		{[]byte(nil), new(any), nil},
		{at, new(any), "2026-01-03T03:05:06.000000007Z"},
		{sql.NullString{String: "x", Valid: true}, new(any), "x"},
		{sql.NullString{}, new(any), nil},
		{new(int64(5)), new(sql.NullInt64), sql.NullInt64{Int64: 5, Valid: true}},
		{(*string)(nil), new(*string), (*string)(nil)},
	} {
		err := db.QueryRow("SELECT ?", test.bind).Scan(test.into)
		if _, raw := test.into.(*sql.RawBytes); raw {
			if err == nil {
				t.Error("sql.RawBytes outlives its row")
			}
			continue
		}
		if got := reflect.ValueOf(test.into).Elem().Interface(); err != nil || !cmp.Equal(got, test.want) {
			t.Errorf("%#v: %#v, %v", test.bind, got, err)
		}
	}
	for _, wrong := range []any{struct{}{}, make(chan int), "\xff", sql.Out{Dest: new(int)}, uint64(1 << 63), []int{1}} {
		if err := db.QueryRow("SELECT ?", wrong).Scan(new(any)); err == nil {
			t.Errorf("%#v went through", wrong)
		}
	}
}
