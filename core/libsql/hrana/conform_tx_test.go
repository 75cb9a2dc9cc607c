package hrana_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/zen-auth/zen/core/libsql/hrana"
)

func TestTransactions(t *testing.T) {
	conform(t, func(db *sql.DB, requests *bearer) map[string]func() error {
		bg := t.Context()
		return map[string]func() error{
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
			"Rollback undoes writes": func() error {
				tx, err := db.Begin()
				if err == nil {
					_, err = tx.Exec("DELETE FROM t")
				}
				if err == nil {
					err = tx.Rollback()
				}
				return errors.Join(err, counts(db, 3))
			},
			"only the transaction sees its writes": func() error {
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
			"a canceled context rolls back": func() error {
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
					return fmt.Errorf("the duplicate: %v, want ErrUnique", wrong)
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
			"an isolation level that SQLite lacks": func() error {
				if tx, err := db.BeginTx(bg, &sql.TxOptions{Isolation: sql.LevelReadUncommitted}); err == nil {
					return errors.Join(errors.New("the transaction began"), tx.Rollback())
				}
				return nil
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
				return errors.Join(err, counts(db, 3)) // closing the connection rolled its transaction back
			},
		}
	})
}
