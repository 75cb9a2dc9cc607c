package hrana_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestRows(t *testing.T) {
	conform(t, func(db *sql.DB, requests *bearer) map[string]func() error {
		bg := t.Context()
		return map[string]func() error{
			"rows that are closed early": func() error {
				for range 5 {
					rows, err := db.Query("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 20000) SELECT n FROM c")
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
			"a deadline while rows are read": func() error {
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
					return fmt.Errorf("got %v, want the deadline", err)
				}
				return counts(db, 3)
			},
			"a query without a row": func() error {
				var n int
				if err := db.QueryRow("SELECT id FROM t WHERE id = 99").Scan(&n); !errors.Is(err, sql.ErrNoRows) {
					return fmt.Errorf("got %v, want no rows", err)
				}
				return nil
			},
			"RETURNING": func() error {
				rows, err := db.Query("INSERT INTO t (name) VALUES (?), (?) RETURNING id, name", "four", "five")
				if err != nil {
					return err
				}
				got, err := texts(rows)
				return errors.Join(err, same(fmt.Sprint(got), "[4 four 5 five]"))
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
		}
	})
}
