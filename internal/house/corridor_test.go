package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// function is a function of the project: its file, and the names that it calls.
type function struct {
	file  string
	calls map[string]bool
}

// functions returns the functions that a file declares, by name.
func functions(t *testing.T, file string) map[string]function {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join("../..", file), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]function{}
	for _, d := range parsed.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		calls := map[string]bool{}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				switch f := n.Fun.(type) {
				case *ast.Ident:
					calls[f.Name] = true
				case *ast.SelectorExpr:
					calls[f.Sel.Name] = true
				}
			case *ast.SelectorExpr: // a method value
				if _, ok := n.X.(*ast.ParenExpr); ok {
					calls[n.Sel.Name] = true
				}
			}
			return true
		})
		all[f.Name.Name] = function{file, calls}
	}
	return all
}

// stop is a row of a table in the page: files, and the functions in them that a request
// passes through.
type stop struct {
	files     []string
	functions []string
}

// The two paths of a token request in docs/architecture.md have at most 15 files each, none
// twice. A function calls only what is in its own file or further down.
func TestTheCorridorIsAsDrawn(t *testing.T) {
	page, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## A token request\n")
	section, _, _ = strings.Cut(section, "\n## ")
	tables := strings.Split(section, "| file | function | does |")[1:]
	if !found || len(tables) != 2 {
		t.Fatalf("docs/architecture.md has %d tables of a token request, want 2", len(tables))
	}
	quoted := regexp.MustCompile("`([^`]+)`")
	for _, table := range tables {
		var corridor []stop
		seen := map[string]bool{}
		for line := range strings.Lines(table) {
			cells := strings.Split(line, "|")
			if len(cells) != 5 || !strings.Contains(line, "`") {
				continue
			}
			var s stop
			for _, m := range quoted.FindAllStringSubmatch(cells[1], -1) {
				file := m[1]
				if !strings.Contains(file, "/") {
					file = filepath.ToSlash(filepath.Join(filepath.Dir(s.files[0]), file))
				}
				if seen[file] {
					t.Errorf("%s is entered twice", file)
				}
				seen[file] = true
				s.files = append(s.files, file)
			}
			for _, m := range quoted.FindAllStringSubmatch(cells[2], -1) {
				s.functions = append(s.functions, m[1])
			}
			corridor = append(corridor, s)
		}
		if len(seen) > 15 || len(corridor) < 5 {
			t.Errorf("%d files in %d rows", len(seen), len(corridor))
		}
		passed := map[string]bool{} // called by the functions so far
		row := map[string]int{}     // the row of each function
		var called []map[string]bool
		for i, s := range corridor {
			declared := map[string]function{}
			for _, file := range s.files {
				for name, f := range functions(t, file) {
					declared[name] = f
				}
			}
			calls := map[string]bool{}
			for _, name := range s.functions {
				f, ok := declared[name]
				if !ok {
					t.Errorf("%v has no function %s", s.files, name)
				}
				for name := range f.calls {
					calls[name], passed[name] = true, true
				}
				row[name] = i
			}
			for _, name := range s.functions {
				if i > 0 && !passed[name] {
					t.Errorf("%v: no earlier row of the table calls %s", s.files, name)
				}
			}
			called = append(called, calls)
		}
		for i, calls := range called {
			for name := range calls {
				if to, ok := row[name]; ok && to < i {
					t.Errorf("%v calls %s, which is above it", corridor[i].files, name)
				}
			}
		}
	}
}

// The session is five files. A function calls only those in its own file and in later ones.
func TestTheSessionGoesDown(t *testing.T) {
	order := []string{"face.go", "login.go", "issue.go", "exchange.go", "cache.go"}
	files, err := filepath.Glob("../session/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var code []string
	for _, f := range files {
		if !strings.HasSuffix(f, "_test.go") {
			code = append(code, filepath.Base(f))
		}
	}
	if want := slices.Sorted(slices.Values(order)); !slices.Equal(code, want) {
		t.Fatalf("the files of the session are %v, want %v", code, want)
	}
	above := map[string]string{} // unexported functions of the files above
	for i, file := range order {
		declared := functions(t, "internal/session/"+file)
		for name, f := range declared {
			for called := range f.calls {
				if up := above[called]; up != "" {
					t.Errorf("%s: %s calls %s of %s, which is above it", file, name, called, up)
				}
			}
		}
		if i == len(order)-1 && len(above) < 20 {
			t.Errorf("only %d functions were checked", len(above))
		}
		for name := range declared {
			if !ast.IsExported(name) {
				above[name] = file
			}
		}
	}
}
