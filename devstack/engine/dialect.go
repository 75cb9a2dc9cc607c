package engine

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// What libSQL's SQL and SQLite's are to each other. libsql-server 0.24.33 is built on
// SQLite 3.47.0, with additions of its own; the engine is a newer SQLite without them.

// LackingError is returned for what libSQL has and the engine lacks.
type LackingError struct{ What string }

func (e *LackingError) Error() string {
	return "the local stack lacks " + e.What + ", which libSQL has"
}

// libsqlVersion is the answer of sqlite_version().
const libsqlVersion = "3.47.0"

// newer are the functions and table-valued functions that came after 3.47.
var newer = map[string]bool{
	"if": true, "unistr": true, "unistr_quote": true, "jsonb_each": true, "jsonb_tree": true, "carray": true,
	"json_array_insert": true, "jsonb_array_insert": true, "percentile": true, "median": true,
	"percentile_cont": true, "percentile_disc": true,
}

// lackingNames are libSQL's functions, tables and modules that the engine has nothing
// for.
var lackingNames = map[string]string{
	"libsql_vector_idx": "vector indexes", "vector_top_k": "vector indexes", "libsql_vector_meta_shadow": "vector indexes",
	"vector_slice": "vector_slice()", "libsql_wasm_func_table": "functions in WebAssembly",
}

var unknownName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^no such (?:function|table|module): (\w+)$`) })

// lacks recognizes the errors that the engine makes of what libSQL has.
func lacks(sql string, err *Error) error {
	if m := unknownName().FindStringSubmatch(err.Message); m != nil {
		if what, ok := lackingNames[strings.ToLower(m[1])]; ok {
			return &LackingError{what}
		}
	}
	if err.Syntax() && firstTokens(sql, "CREATE") && strings.EqualFold(tail(sql, 2), "random rowid") {
		return &LackingError{"RANDOM ROWID"}
	}
	return err
}

// firstTokens reports whether sql begins with tokens of these kinds; "" stands for any.
func firstTokens(sql string, kinds ...string) bool {
	at := 0
	for _, kind := range kinds {
		t, err := nextToken(sql, at)
		if err != nil || t.kind == "" || kind != "" && t.kind != kind {
			return false
		}
		at = t.end
	}
	return true
}

// tail returns the last n tokens of a statement, with a space between them.
func tail(sql string, n int) string {
	var words []string
	for at := 0; ; {
		t, err := nextToken(sql, at)
		if err != nil || t.kind == "" {
			break
		}
		if at = t.end; t.kind != "SEMI" {
			words = append(words, sql[t.start:t.end])
		}
	}
	return strings.Join(words[max(0, len(words)-n):], " ")
}

// translated returns sql as SQLite knows it, of the same length. BEGIN READONLY keeps
// no one from writing in libsql-server either.
func translated(sql string) string {
	if !firstTokens(sql, "BEGIN", "READONLY") {
		return sql
	}
	begin, _ := nextToken(sql, 0)
	readonly, _ := nextToken(sql, begin.end)
	return sql[:readonly.start] + strings.Repeat(" ", readonly.end-readonly.start) + sql[readonly.end:]
}

// newerError returns what 3.47 says of a function that it doesn't know.
func newerError(sql, name string) error {
	e := &Error{Code: lib.SQLITE_ERROR, Message: "no such function: " + name, Offset: -1}
	for at := 0; ; {
		t, err := nextToken(sql, at)
		if err != nil || t.kind == "" {
			return e
		}
		if strings.EqualFold(sql[t.start:t.end], name) {
			e.Offset, e.Message = t.start, "no such function: "+sql[t.start:t.end]
			return e
		}
		at = t.end
	}
}

// function is one that libSQL has and SQLite lacks, or has differently.
type function struct {
	name string
	args int32
	call uintptr
}

var functions = []function{
	{"sqlite_version", 0, funcPointer(versionFunction)},
}

func versionFunction(tls *libc.TLS, ctx uintptr, _ int32, _ uintptr) {
	resultText(tls, ctx, libsqlVersion)
}

// transient has SQLite copy a result.
const transient = ^uintptr(0)

func resultText(tls *libc.TLS, ctx uintptr, s string) {
	p, err := cstring(tls, s)
	if err != nil {
		lib.Xsqlite3_result_error_nomem(tls, ctx)
		return
	}
	defer freeC(tls, p)
	lib.Xsqlite3_result_text(tls, ctx, p, int32(len(s)), transient)
}

// extend gives the connection libSQL's functions.
func (c *Conn) extend() error {
	for _, f := range functions {
		name, err := cstring(c.tls, f.name)
		if err != nil {
			return err
		}
		const flags = lib.SQLITE_UTF8 | lib.SQLITE_DETERMINISTIC | lib.SQLITE_INNOCUOUS
		rc := lib.Xsqlite3_create_function_v2(c.tls, c.handle, name, f.args, flags, 0, f.call, 0, 0, 0)
		freeC(c.tls, name)
		if err := c.lastError(rc); err != nil {
			return fmt.Errorf("function %s: %w", f.name, err)
		}
	}
	return nil
}
