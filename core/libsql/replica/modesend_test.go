//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql/hrana"
)

// TestTransactionThatEnded checks that after SQLite has rolled back a transaction by itself,
// no further statement runs outside of it, none of its writes stay, and Commit returns an
// error.
func TestTransactionThatEnded(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		exec(t, db, "CREATE TABLE t (a INTEGER PRIMARY KEY)")
		for name, end := range map[string]func(*sql.Tx) error{
			"conflict": func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), "INSERT OR ROLLBACK INTO t VALUES (1)")
				return err
			},
			"interrupted write": func(tx *sql.Tx) error {
				for patience := 100 * time.Millisecond; ; patience *= 2 {
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					_, err := tx.ExecContext(ctx, "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n")
					cancel()
					if patience > time.Minute || tx.QueryRowContext(t.Context(), "SELECT 1").Scan(new(int)) != nil {
						return err
					} // or its time was over before it began
				}
			},
			"statement": func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), "ROLLBACK")
				return errors.Join(err, errors.New("as requested"))
			},
		} {
			tx, err := db.BeginTx(t.Context(), nil)
			must(t, err)
			stmt, err := tx.PrepareContext(t.Context(), "INSERT INTO t VALUES (?)")
			must(t, err)
			_, err = stmt.ExecContext(t.Context(), 1)
			must(t, err)
			if err := end(tx); err == nil {
				t.Fatalf("%s: no error", name)
			}
			if _, err := stmt.ExecContext(t.Context(), 2); err == nil {
				t.Errorf("%s: a prepared statement ran outside of the transaction", name)
			}
			if _, err := tx.ExecContext(t.Context(), "INSERT INTO t VALUES (3)"); err == nil {
				t.Errorf("%s: a statement ran outside of the transaction", name)
			}
			if rows, err := tx.QueryContext(t.Context(), "INSERT INTO t VALUES (4) RETURNING a"); err == nil {
				t.Errorf("%s: a query ran outside of the transaction", name)
				rows.Close()
			}
			if err := tx.Commit(); err == nil || errors.Is(err, sql.ErrTxDone) {
				t.Errorf("%s: Commit says %v", name, err)
			}
			sees(t, db, "SELECT count(*) FROM t", 0)
		}
		exec(t, db, "INSERT INTO t VALUES (5)")
		sees(t, db, "SELECT a FROM t", 5)

		// The same holds for a read-only transaction, which leaves nothing behind on its
		// connection.
		db.SetMaxOpenConns(1)
		tx, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
		must(t, err)
		_, _ = tx.ExecContext(t.Context(), "ROLLBACK")
		_ = tx.Rollback()
		exec(t, db, "INSERT INTO t VALUES (6)")
	})
}

// TestErrorOfATransactionThatEnded wants the remote driver's error in each mode.
func TestErrorOfATransactionThatEnded(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		exec(t, db, "CREATE TABLE t (a INTEGER PRIMARY KEY)")
		tx, err := db.BeginTx(t.Context(), nil)
		must(t, err)
		_, err = tx.ExecContext(t.Context(), "INSERT INTO t VALUES (1)")
		must(t, err)
		_, err = tx.ExecContext(t.Context(), "INSERT OR ROLLBACK INTO t VALUES (1)")
		if !errors.Is(err, hrana.ErrConstraint) {
			t.Errorf("the statement that conflicts: %v, want ErrConstraint", err)
		}
		if _, err := tx.ExecContext(t.Context(), "INSERT INTO t VALUES (2)"); !errors.Is(err, hrana.ErrNoTransaction) {
			t.Errorf("the next statement: %v, want ErrNoTransaction", err)
		}
		must(t, tx.Rollback())
	})
}
