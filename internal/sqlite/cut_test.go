package sqlite

import (
	"fmt"
	"slices"
	"testing"
)

func TestCut(t *testing.T) {
	for text, want := range map[string]struct {
		statement, rest string
		complete        bool
	}{
		"":                                {},
		" -- nothing; at all":             {},
		";; ;":                            {},
		"SELECT 1":                        {statement: "SELECT 1"},
		"SELECT 1;":                       {"SELECT 1", "", true},
		" ; SELECT 1 ; SELECT 2":          {"SELECT 1", " SELECT 2", true},
		"SELECT ';":                       {statement: "SELECT ';"},
		"SELECT 1 /* ;":                   {statement: "SELECT 1"},
		"SELECT 1 -- ;":                   {statement: "SELECT 1"},
		"SELECT ?0; x":                    {"SELECT ?0", " x", true},
		"SELECT \x00;":                    {"SELECT \x00", "", true},
		"CREATE TRIGGER a BEGIN SELECT 1": {statement: "CREATE TRIGGER a BEGIN SELECT 1"},
		"CREATE TRIGGER a BEGIN SELECT 1; END; y": {"CREATE TRIGGER a BEGIN SELECT 1; END", " y", true},
		"CREATE TRIGGER a BEGIN SELECT 1;":        {statement: "CREATE TRIGGER a BEGIN SELECT 1"},
	} {
		from, to, next, complete := Cut(text)
		statement, rest := text[from:to], text[next:]
		if statement != want.statement || rest != want.rest || complete != want.complete {
			t.Errorf("Cut(%q) = %q, %q, %v", text, statement, rest, complete)
		}
	}
}

func TestParameters(t *testing.T) {
	for statement, want := range map[string]string{
		"SELECT 1":                    "[] 0 <nil>",
		"SELECT ?, ?":                 "[] 2 <nil>",
		"SELECT ?3 -- :no":            "[] 3 <nil>",
		"SELECT :a, @b, $c, :a, ':d'": "[:a @b $c] 3 <nil>",
		"SELECT ?0":                   "[] 0 parameter ?NNN: number must be between 1 and 32766",
	} {
		names, count, err := Parameters(statement)
		if got := fmt.Sprint(names, count, err); got != want {
			t.Errorf("Parameters(%q) = %s, want %s", statement, got, want)
		}
	}
}

// FuzzCut checks that repeated cutting stays within the text and uses it up, and that each
// part is one statement.
func FuzzCut(f *testing.F) {
	for _, text := range []string{"", ";", "SELECT 1; SELECT ';' -- x\n;", "CREATE TRIGGER a BEGIN SELECT 1; END; y", "/* ; */ [;", "$a(;", "\xff;\x00;"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for rest := text; rest != ""; {
			from, to, next, complete := Cut(rest)
			if from < 0 || to < from || next < to || next > len(rest) || complete && next == to || !complete && next != len(rest) {
				t.Fatalf("Cut(%q) = %d, %d, %d, %v", rest, from, to, next, complete)
			}
			if one, err := Statements(rest[from:to]); err == nil && complete && len(one) != 1 {
				t.Fatalf("%q is cut into %q", rest[from:to], one)
			}
			if !complete {
				break
			}
			rest = rest[next:]
		}
	})
}

func TestStatements(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                   {},
		" ; -- nothing\n;":                   {},
		"SELECT 1":                           {"SELECT 1"},
		"-- first\nSELECT 1; /* x */ BEGIN;": {"SELECT 1", "BEGIN"},
		"INSERT INTO t VALUES (';'); SELECT \";\" FROM t -- end":           {"INSERT INTO t VALUES (';')", "SELECT \";\" FROM t"},
		"CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; END; SELECT 2": {"CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; END", "SELECT 2"},
	} {
		got, err := Statements(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("Statements(%q) = %q, %v", text, got, err)
		}
	}
	if _, err := Statements("SELECT '\x00'"); err == nil {
		t.Error("a NUL byte is accepted")
	}
}
