package hrana

import (
	"fmt"
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
			t.Errorf("%q: %q, %q, %v", text, statement, rest, complete)
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
			t.Errorf("%q: %s", statement, got)
		}
	}
}
