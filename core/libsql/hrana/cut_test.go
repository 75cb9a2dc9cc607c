package hrana

import "testing"

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
		statement, rest, complete := Cut(text)
		if statement != want.statement || rest != want.rest || complete != want.complete {
			t.Errorf("%q: %q, %q, %v", text, statement, rest, complete)
		}
	}
}
