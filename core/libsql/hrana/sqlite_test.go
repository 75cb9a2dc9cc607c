package hrana

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
)

func TestSQLiteCodes(t *testing.T) {
	for _, test := range []struct {
		err               Error
		primary, extended int
		is                []error
	}{
		{Error{Code: "SQLITE_CONSTRAINT", Message: "SQLite error: UNIQUE constraint failed: t.a"}, 19, 2067, []error{ErrConstraint, ErrUnique}},
		{Error{Code: "SQLITE_CONSTRAINT", Message: "NOT NULL constraint failed: t.a"}, 19, 1299, []error{ErrConstraint, ErrNotNull}},
		{Error{Code: "SQLITE_CONSTRAINT", Message: "SQLite error: CHECK constraint failed: a > 0"}, 19, 275, []error{ErrConstraint, ErrCheck}},
		{Error{Code: "SQLITE_CONSTRAINT", Message: "SQLite error: FOREIGN KEY constraint failed"}, 19, 787, []error{ErrConstraint, ErrForeignKey}},
		{Error{Code: "SQLITE_CONSTRAINT", Message: "SQLite error: cannot store TEXT value in INTEGER column t.a"}, 19, 3091, []error{ErrConstraint}},
		{Error{Code: "SQLITE_CONSTRAINT", Message: "SQLite error: a trigger says: UNIQUE constraint failed: t.a"}, 19, 19, []error{ErrConstraint}},
		{Error{Code: "SQLITE_CONSTRAINT_PRIMARYKEY", Message: "UNIQUE constraint failed: t.id"}, 19, 1555, []error{ErrConstraint, ErrUnique, ErrPrimaryKey}},
		{Error{Code: "SQLITE_BUSY", Message: "database is locked"}, 5, 5, nil},
		{Error{Code: "SQLITE_BUSY_SNAPSHOT", Message: "database is locked"}, 5, 5, nil},
		{Error{Code: "SQL_INPUT_ERROR", Message: "no such table"}, 1, 1, nil},
		{Error{Code: "SQLITE_UNKNOWN", Message: "no such table"}, 1, 1, nil},
		{Error{Code: "BLOCKED", Message: "UNIQUE constraint failed: t.a"}, 0, 0, nil},
		{Error{Code: "SQLITE_NONSENSE"}, 0, 0, nil},
		{Error{}, 0, 0, nil},
	} {
		if primary, extended := test.err.SQLite(); primary != test.primary || extended != test.extended {
			t.Errorf("SQLite codes of %v = %d, %d", &test.err, primary, extended)
		}
		wrapped := fmt.Errorf("insert: %w", &test.err)
		for _, target := range []error{ErrConstraint, ErrUnique, ErrPrimaryKey, ErrForeignKey, ErrNotNull, ErrCheck} {
			want := false
			for _, is := range test.is {
				want = want || is == target
			}
			if errors.Is(wrapped, target) != want {
				t.Errorf("errors.Is(%v, %v) = %v", &test.err, target, !want)
			}
		}
	}
}

func TestPlace(t *testing.T) {
	const sql = "SELECT 1\n  FRM x"
	for message, want := range map[string]int{
		"SQL input error: no such column: foo (at offset 7)":                              7,
		"SQL input error: no such column: (at offset 1) (at offset 2)":                    2,
		"SQL input error: no such column: foo (at offset 70)":                             -1,
		"SQL input error: no such column: foo (at offset x)":                              -1,
		"SQL string could not be parsed: syntax error around L2:7: `x`":                   15,
		"SQL string could not be parsed: syntax error around L1:1: `SELECT`":              0,
		"SQL string could not be parsed: syntax error around L1:7: `SELECT`":              0,
		"SQL string could not be parsed: syntax error around L3:1: `x`":                   -1,
		"SQL string could not be parsed: syntax error around L0:1: `x`":                   -1,
		"SQL string could not be parsed: syntax error around L2:9999999999999999999: `x`": -1,
		`near "FRM": syntax error`:                                                        11,
		`near "1": syntax error`:                                                          7,
		`near " ": syntax error`:                                                          -1, // there are several spaces
		`near "": syntax error`:                                                           -1,
		"no such table: x":                                                                -1,
	} {
		offset, ok := (&Error{Message: message}).Place(sql)
		if ok != (want >= 0) || ok && offset != want {
			t.Errorf("Place with %s = %d, %v", message, offset, ok)
		}
	}
}

// GORM's dialector reads the codes from an error's JSON where it doesn't know the type:
// https://github.com/go-gorm/sqlite/blob/v1.6.0/error_translator.go.
func TestErrorAsJSON(t *testing.T) {
	b, err := json.Marshal(error(&Error{Code: "SQLITE_CONSTRAINT", Message: "SQLite error: UNIQUE constraint failed: t.a"}))
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Code, ExtendedCode, SystemErrno int
	}
	if err := json.Unmarshal(b, &read); err != nil || read.Code != 19 || read.ExtendedCode != 2067 {
		t.Errorf("%s was read as %+v, %v, want the codes 19 and 2067", b, read, err)
	}
}

// FuzzPlace checks that the place is within the text, whatever the server says.
func FuzzPlace(f *testing.F) {
	f.Add("no such column: foo (at offset 7)", "SELECT foo")
	f.Add("syntax error around L2:7: `x`", "SELECT 1\n  FRM x")
	f.Add(`near "FRM": syntax error`, "SELECT 1 FRM x")
	f.Add("syntax error around L9223372036854775807:9223372036854775807: `", "\n\n")
	f.Add("syntax error around L3:9223372036854775807: `", "\n\n")
	f.Fuzz(func(t *testing.T, message, sql string) {
		if offset, ok := (&Error{Message: message}).Place(sql); ok && (offset < 0 || offset > len(sql)) {
			t.Errorf("offset %d in %q", offset, sql)
		}
	})
}
