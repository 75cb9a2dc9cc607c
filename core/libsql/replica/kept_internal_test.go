//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql/hrana"
)

// More statements than are kept run as any, and no more are kept than there is room for, nor
// the text of a long one, nor one that somebody has.
func TestFewStatementsAreKept(t *testing.T) {
	c := connTo(t, filepath.Join(t.TempDir(), "x.db"))
	d := c.d
	read := func(query string) driver.Rows {
		t.Helper()
		rows, err := c.QueryContext(t.Context(), query, nil)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	// All that are kept are in use, and there is no place for another.
	var open []driver.Rows
	for i := range maxKept {
		query := fmt.Sprintf("SELECT %d UNION SELECT -1", i)
		if err := read(query).Close(); err != nil {
			t.Fatal(err)
		}
		open = append(open, read(query))
	}
	for range 2 {
		for i := range 2 * maxKept {
			rows, value := read(fmt.Sprintf("SELECT %d", i)), make([]driver.Value, 1)
			if err := rows.Next(value); err != nil || value[0] != int64(i) {
				t.Errorf("%v, %v, want %d", value[0], err, i)
			}
			if err := rows.Next(value); err != io.EOF {
				t.Error(err)
			}
			if err := rows.Close(); err != nil {
				t.Fatal(err)
			}
			if len(d.kept) > maxKept {
				t.Fatalf("%d statements are kept", len(d.kept))
			}
		}
		for _, rows := range open {
			if err := rows.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, query := range []string{"SELECT '" + strings.Repeat("x", maxKeptText) + "'", "PRAGMA cache_size", "EXPLAIN SELECT 1"} {
		if err := read(query).Close(); err != nil {
			t.Fatal(err)
		}
		if d.kept[query] != nil {
			t.Errorf("%.20s is kept", query)
		}
	}
	if len(d.kept) != maxKept {
		t.Errorf("%d statements are kept", len(d.kept))
	}
}

// A batch grows where rows come quickly, and is a row where they come slowly.
func TestNextBatch(t *testing.T) {
	for _, test := range []struct {
		rows int
		took time.Duration
		want int
	}{
		{2, 0, 16}, {16, 99 * time.Microsecond, 128}, {128, 0, maxRows}, {maxRows, 0, maxRows},
		{16, time.Millisecond, 16}, {maxRows, 2 * time.Millisecond, maxRows / 8}, {2, time.Second, 1}, {1, time.Second, 1}, {1, 0, 8},
	} {
		if got := nextBatch(test.rows, test.took); got != test.want {
			t.Errorf("after %d rows in %s: %d, want %d", test.rows, test.took, got, test.want)
		}
	}
}

// An interrupt that comes before a statement's first step is not lost: SQLite forgets it then,
// if nothing else runs.
func TestInterruptBeforeTheFirstStep(t *testing.T) {
	c := connTo(t, ":memory:")
	const endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50000000) SELECT i FROM n"
	other, err := c.QueryContext(t.Context(), endless, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.prepare("SELECT count(*) FROM (" + endless + ")")
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stop := c.d.interruptible(ctx)
	for err == nil { // until it has come
		err = other.Next(make([]driver.Value, 1))
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.run(); !errors.Is(err, &hrana.Error{Code: "SQLITE_INTERRUPT"}) {
		t.Errorf("run: %v", err)
	}
	c.d.settle(stop)
}

// Rows and statements that are left when their connection closes read no more, and let go of the
// file when they are closed.
func TestClosedUnderRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	c := connTo(t, path)
	if _, err := c.ExecContext(t.Context(), "PRAGMA journal_mode = WAL; CREATE TABLE t AS SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3", nil); err != nil {
		t.Fatal(err)
	}
	const query = "SELECT * FROM t"
	value := make([]driver.Value, 1)
	read := func(ask func() (driver.Rows, error)) driver.Rows {
		rows, err := ask()
		if err == nil {
			err = rows.Next(value)
		}
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	var left []io.Closer
	for range 2 { // the second is of a text that is kept
		if len(left) > 0 {
			left[0].Close()
		}
		left = []io.Closer{read(func() (driver.Rows, error) { return c.QueryContext(t.Context(), query, nil) })}
	}
	prepared, err := c.PrepareContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	s := prepared.(*stmt)
	left = append(left, read(func() (driver.Rows, error) { return s.QueryContext(t.Context(), nil) }))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for _, rows := range left {
		if err := rows.(driver.Rows).Next(value); !errors.Is(err, driver.ErrBadConn) {
			t.Errorf("Next: %v", err)
		}
	}
	for _, closer := range append(left, s) {
		if err := closer.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if left, err := filepath.Glob(path + "-*"); err != nil || len(left) > 0 { // SQLite removes them with the last connection
		t.Errorf("%v, %v are left", left, err)
	}
}

func connTo(t *testing.T, path string) *conn {
	t.Helper()
	d, err := openDatabase(path, openReadWrite|openCreate, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	c := &conn{d: d}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
