//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"database/sql/driver"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// More statements than are kept run as any, and no more are kept than there is room for, nor
// the text of a long one, nor one that somebody has.
func TestFewStatementsAreKept(t *testing.T) {
	d, err := openDatabase(filepath.Join(t.TempDir(), "x.db"), openReadWrite|openCreate, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	c := &conn{d: d}
	defer c.Close()
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
