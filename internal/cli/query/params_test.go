package query

import (
	"database/sql"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLiteral(t *testing.T) {
	for text, want := range map[string]any{
		"NULL":                 nil,
		"null":                 nil,
		"0":                    int64(0),
		"-42":                  int64(-42),
		"9223372036854775807":  int64(math.MaxInt64),
		"-9223372036854775808": int64(math.MinInt64),
		"9223372036854775808":  "9223372036854775808",
		"007":                  "007",
		"+5":                   "+5",
		"-0":                   "-0",
		"1_000":                "1_000",
		"0x10":                 "0x10",
		"1.5":                  1.5,
		"-0.25":                -0.25,
		"1.5e300":              1.5e300,
		"1.5e999":              "1.5e999",
		"1e3":                  "1e3",
		"01.5":                 "01.5",
		".5":                   ".5",
		"1.2.3":                "1.2.3",
		"0x1.8p1":              "0x1.8p1",
		"NaN":                  "NaN",
		"Inf":                  "Inf",
		"x'00fF'":              []byte{0, 0xff},
		"X''":                  []byte{},
		"x'0":                  "x'0",
		"'NULL'":               "NULL",
		"'it''s'":              "it's",
		"''":                   "",
		"'":                    "'",
		"'a'b'":                "'a'b'",
		"":                     "",
		"it's":                 "it's",
		"@alice":               "@alice",
	} {
		got, err := literal(text)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("literal(%q) = %#v, %v, want %#v", text, got, err, want)
		}
	}
	for _, text := range []string{"x'0'", "x'zz'"} {
		if got, err := literal(text); err == nil {
			t.Errorf("literal(%q) = %#v, want an error", text, got)
		}
	}
}

func TestBind(t *testing.T) {
	file := filepath.Join(t.TempDir(), "blob")
	if err := os.WriteFile(file, []byte{1, 2}, 0o600); err != nil {
		t.Fatal(err)
	}
	args, err := bind("SELECT ?, ?, ?", []param{{literalParam, "1"}, {textParam, "1"}, {blobParam, file}})
	if want := []any{int64(1), "1", []byte{1, 2}}; err != nil || !cmp.Equal(args, want) {
		t.Errorf("positional parameters: bound %#v, %v", args, err)
	}
	args, err = bind("SELECT :a, $b, @c", []param{{literalParam, "a=x=1"}, {textParam, "$b=NULL"}, {blobParam, "c=" + file}})
	if want := []any{sql.Named("a", "x=1"), sql.Named("b", "NULL"), sql.Named("c", []byte{1, 2})}; err != nil || !cmp.Equal(args, want, cmp.AllowUnexported(sql.NamedArg{})) {
		t.Errorf("named parameters: bound %#v, %v", args, err)
	}
	for statement, p := range map[string]param{
		"SELECT :a": {literalParam, "a"},
		"SELECT ?":  {blobParam, file + ".missing"},
		"SELECT 2":  {blobParam, os.DevNull}, // not a regular file, so that its size isn't known
		"SELECT ?0": {literalParam, "1"},
	} {
		if args, err := bind(statement, []param{p}); err == nil {
			t.Errorf("%s: bound %v, want an error", statement, args)
		}
	}
}
