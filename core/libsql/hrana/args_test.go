package hrana

import (
	"database/sql"
	"database/sql/driver"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

type valuer struct{}

func (valuer) Value() (driver.Value, error) { return int64(5), nil }

// TestValues sends every kind of argument and reads it back.
func TestValues(t *testing.T) {
	f := newFake(t)
	db := f.open()
	n := int64(9)
	tests := []struct{ in, want any }{
		{nil, nil},
		{int64(math.MaxInt64), int64(math.MaxInt64)},
		{int64(math.MinInt64), int64(math.MinInt64)},
		{uint8(7), int64(7)},
		{&n, int64(9)},
		{(*int64)(nil), nil},
		{valuer{}, int64(5)},
		{sql.NullString{}, nil},
		{true, int64(1)},
		{false, int64(0)},
		{1.5, 1.5},
		{float64(1), float64(1)},
		{math.Copysign(0, -1), math.Copysign(0, -1)},
		{math.MaxFloat64, math.MaxFloat64},
		{math.SmallestNonzeroFloat64, math.SmallestNonzeroFloat64},
		{0.1, 0.1},
		{"", ""},
		{"2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"},
		{"a\x00b\n\t\"\\/\u2028é😀\x7f", "a\x00b\n\t\"\\/\u2028é😀\x7f"},
		{strings.Repeat("long \"é\" ", 5000), strings.Repeat("long \"é\" ", 5000)},
		{[]byte{}, []byte{}},
		{[]byte(nil), nil},
		{[]byte{0, 1, 2, 0xff}, []byte{0, 1, 2, 0xff}},
		{[]byte{0xff}, []byte{0xff}},
		{time.Date(2024, 2, 3, 4, 5, 6, 7000, time.FixedZone("", 3600)), "2024-02-03 03:05:06.000007+00:00"},
	}
	for _, test := range tests {
		var got any
		if err := db.QueryRow("ECHO ?", test.in).Scan(&got); err != nil {
			t.Errorf("%.40v: %v", test.in, err)
		} else if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%.40v came back as %T %.40v, want %T %.40v", test.in, got, got, test.want, test.want)
		}
	}
	f.took()
	for _, bad := range []any{math.NaN(), math.Inf(1), math.Inf(-1), uint64(math.MaxUint64), "\xff",
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), struct{}{}, sql.Out{Dest: new(int)}} {
		if _, err := db.Exec("ECHO ?", bad); err == nil {
			t.Errorf("%v was sent", bad)
		}
	}
	if n := f.took(); n != 0 {
		t.Errorf("%d requests for arguments that can't be sent", n)
	}
}

func TestArguments(t *testing.T) {
	f := newFake(t)
	db := f.open()
	tests := []struct {
		sql  string
		args []any
		want []any // nil if the call must fail
	}{
		{"ECHO ?, ?", []any{1, 2}, []any{int64(1), int64(2)}},
		{"ECHO ?2, ?1", []any{1, 2}, []any{int64(1), int64(2)}},
		{"ECHO ?3", []any{1, 2, 3}, []any{int64(1), int64(2), int64(3)}},
		{"ECHO :a, @b, $c", []any{sql.Named("c", 3), sql.Named("a", 1), sql.Named("b", 2)}, []any{int64(1), int64(2), int64(3)}},
		{"ECHO $1", []any{7}, []any{int64(7)}},
		{"ECHO $2, :1", []any{1, 2}, []any{int64(2), int64(1)}},
		{"ECHO @1, $1", []any{5}, []any{int64(5), int64(5)}},
		{"ECHO $2", []any{1, 2}, []any{int64(2)}},
		{"ECHO $1", nil, nil},
		{"ECHO $1", []any{1, 2}, nil},
		{"ECHO $2", []any{1}, nil},
		{"ECHO $0", []any{1}, nil},
		{"ECHO $1, :a", []any{1, 2}, nil},
		{"ECHO $1, ?", []any{1, 2}, nil},
		{"ECHO $1", []any{sql.Named("a", 1)}, nil},
		{"ECHO :a, :a", []any{sql.Named("a", 1)}, []any{int64(1)}},
		{"ECHO :a, $a", []any{sql.Named("a", 1)}, []any{int64(1), int64(1)}},
		{"ECHO ?", nil, nil},
		{"ECHO ?", []any{1, 2}, nil},
		{"ECHO ?2", []any{1}, nil},
		{"ECHO", []any{1}, nil},
		{"ECHO", []any{sql.Named("a", 1)}, nil},
		{"ECHO :a", nil, nil},
		{"ECHO :a", []any{1}, nil},
		{"ECHO :a, :b", []any{sql.Named("a", 1)}, nil},
		{"ECHO :a", []any{sql.Named("a", 1), sql.Named("b", 2)}, nil},
		{"ECHO :a", []any{sql.Named("a", 1), sql.Named("a", 2)}, nil},
		{"ECHO :a", []any{sql.Named("A", 1)}, nil},
		{"ECHO :a, :b", []any{sql.Named("a", 1), 2}, nil},
		{"ECHO :a, ?", []any{1, 2}, nil},
		{"ECHO :a, ?", []any{sql.Named("a", 1), 2}, nil},
		{"ECHO ?", []any{sql.Named("a", 1)}, nil},
	}
	for _, test := range tests {
		f.took()
		got, err := echo(db, test.sql, test.args)
		if test.want == nil {
			if err == nil || f.took() != 0 {
				t.Errorf("%s with %v was sent", test.sql, test.args)
			} else if !strings.HasPrefix(err.Error(), "hrana: ") {
				t.Errorf("the error doesn't begin with the package's name: %v", err)
			}
		} else if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s with %v = %v, %v; want %v", test.sql, test.args, got, err, test.want)
		}
	}
}

// echo returns the row of arguments as the server saw them.
func echo(db *sql.DB, query string, args []any) ([]any, error) {
	rows, err := db.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, dest := make([]any, len(names)), make([]any, len(names))
	for i := range dest {
		dest[i] = &values[i]
	}
	rows.Next()
	return values, rows.Scan(dest...)
}
