package hrana_test

import (
	"database/sql"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

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
		{at, new(any), "2026-01-03 03:05:06.000000007+00:00"},
		{sql.NullString{String: "x", Valid: true}, new(any), "x"},
		{sql.NullString{}, new(any), nil},
		{new(int64(5)), new(sql.NullInt64), sql.NullInt64{Int64: 5, Valid: true}},
		{(*string)(nil), new(*string), (*string)(nil)},
	} {
		err := db.QueryRow("SELECT ?", test.bind).Scan(test.into)
		if _, raw := test.into.(*sql.RawBytes); raw {
			if err == nil {
				t.Error("QueryRow scanned into sql.RawBytes, which is invalid after the row")
			}
			continue
		}
		if got := reflect.ValueOf(test.into).Elem().Interface(); err != nil || !cmp.Equal(got, test.want) {
			t.Errorf("%#v was scanned as %#v, %v", test.bind, got, err)
		}
	}
	for _, wrong := range []any{struct{}{}, make(chan int), "\xff", sql.Out{Dest: new(int)}, uint64(1 << 63), []int{1}} {
		if err := db.QueryRow("SELECT ?", wrong).Scan(new(any)); err == nil {
			t.Errorf("%#v was accepted as an argument", wrong)
		}
	}
}
