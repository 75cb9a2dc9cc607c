package hrana_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/zen-auth/zen/core/libsql/hrana"
)

func TestPlainStatements(t *testing.T) {
	conform(t, func(db *sql.DB, requests *bearer) map[string]func() error {
		bg := t.Context()
		return map[string]func() error{
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
					return errors.New("a closed statement still runs")
				}
				return nil
			},
			"bad SQL is an error of Prepare": func() error {
				for query, want := range map[string]string{
					"SELEC 1": "syntax error", "SELECT nope FROM t": "no such column: nope", "SELECT * FROM nope": "no such table: nope",
				} {
					if stmt, err := db.Prepare(query); err == nil || !strings.Contains(err.Error(), want) {
						return fmt.Errorf("%s: %v, %v", query, stmt, err)
					}
				}
				return nil
			},
			"a statement for a table of its transaction can be prepared": func() error {
				tx, err := db.Begin()
				if err != nil {
					return err
				}
				defer tx.Rollback()
				if _, err := tx.Exec("CREATE TABLE u (a)"); err != nil {
					return err
				}
				stmt, err := tx.Prepare("INSERT INTO u VALUES (?)")
				if err != nil {
					return err
				}
				_, err = stmt.Exec(1)
				return err
			},
			"a PRAGMA applies to its connection alone, even in the pool": func() error {
				conn, err := db.Conn(bg)
				if err != nil {
					return err
				}
				defer conn.Close()
				exec := func(on interface {
					ExecContext(context.Context, string, ...any) (sql.Result, error)
				}, statements ...string) error {
					for _, s := range statements {
						if _, err := on.ExecContext(bg, s); err != nil {
							return fmt.Errorf("%s: %w", s, err)
						}
					}
					return nil
				}
				const orphan = "INSERT INTO u VALUES (99)"
				// The way to rebuild a table:
				// https://sqlite.org/lang_altertable.html#otheralter.
				if err := exec(conn, "CREATE TABLE u (t INTEGER REFERENCES t (id))", "PRAGMA foreign_keys=OFF", orphan, "PRAGMA foreign_keys"); err != nil {
					return err
				}
				tx, err := conn.BeginTx(bg, nil)
				if err != nil {
					return err
				}
				if err := errors.Join(exec(tx, orphan), tx.Commit(), exec(conn, "BEGIN", orphan, "COMMIT", orphan)); err != nil {
					return err
				}
				if err := exec(conn, "PRAGMA foreign_keys(1)", orphan); !errors.Is(err, hrana.ErrForeignKey) {
					return fmt.Errorf("with foreign keys on again: %w", err)
				}
				if err := exec(conn, "PRAGMA foreign_keys=OFF"); err != nil {
					return err
				}
				if err := exec(db, orphan); !errors.Is(err, hrana.ErrForeignKey) {
					return fmt.Errorf("the setting of another connection applies: %w", err)
				}
				if err := conn.Raw(func(any) error { return driver.ErrBadConn }); !errors.Is(err, driver.ErrBadConn) { // closes it
					return err
				}
				return exec(db, "PRAGMA foreign_keys=OFF", orphan, "PRAGMA foreign_keys=ON")
			},
			"a prepared statement takes one request": func() error {
				stmt, err := db.Prepare("INSERT INTO t (name) VALUES (?)")
				if err != nil {
					return err
				}
				defer stmt.Close()
				requests.requests()
				for i := range 3 {
					if _, err := stmt.Exec(fmt.Sprint("n", i)); err != nil {
						return err
					}
				}
				return same(requests.requests(), 3)
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
			"named parameters are bound by name": func() error {
				var got string
				err := db.QueryRow("SELECT :b || @a || $c || :b", sql.Named("a", "A"), sql.Named("b", "B"), sql.Named("c", "C")).Scan(&got)
				return errors.Join(err, same(got, "BACB"))
			},
			"numbered parameters are bound by number": func() error {
				var got string
				err := db.QueryRow("SELECT ?2 || ?1 || ?2", "A", "B").Scan(&got)
				return errors.Join(err, same(got, "BAB"))
			},
			"each constraint has its own error": func() error {
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
						return fmt.Errorf("%s: %v, want %v", query, err, want)
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
			"Ping sends a request": func() error {
				requests.requests()
				return errors.Join(db.Ping(), same(requests.requests(), 1))
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
		}
	})
}
