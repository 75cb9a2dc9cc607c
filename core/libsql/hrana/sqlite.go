package hrana

import (
	"fmt"
	"slices"
	"strings"
)

// The constraints that a statement may violate, for errors.Is. ErrUnique is also a
// primary key's: SQLite's text is the same for both, and only servers that send
// extended codes tell ErrPrimaryKey from it.
var (
	ErrConstraint error = &Error{Code: "SQLITE_CONSTRAINT"}
	ErrUnique     error = &Error{Code: "SQLITE_CONSTRAINT_UNIQUE"}
	ErrPrimaryKey error = &Error{Code: "SQLITE_CONSTRAINT_PRIMARYKEY"}
	ErrForeignKey error = &Error{Code: "SQLITE_CONSTRAINT_FOREIGNKEY"}
	ErrNotNull    error = &Error{Code: "SQLITE_CONSTRAINT_NOTNULL"}
	ErrCheck      error = &Error{Code: "SQLITE_CONSTRAINT_CHECK"}
)

// SQLite returns SQLite's primary and extended result codes, such as 19 and 2067 for
// a violated UNIQUE constraint; https://sqlite.org/rescode.html lists them. Without
// an extended code both are the same, and 1 is an error of the SQL itself. Both are
// 0 for what is not SQLite's, such as BLOCKED or TRANSACTION_TIMEOUT.
func (e *Error) SQLite() (primary, extended int) {
	name := e.extended()
	switch name {
	case "SQLITE_UNKNOWN", "SQL_PARSE_ERROR", "SQL_INPUT_ERROR": // how servers name SQLITE_ERROR
		return 1, 1
	}
	rest, ok := strings.CutPrefix(name, "SQLITE_")
	if !ok {
		return 0, 0
	}
	word, detail, _ := strings.Cut(rest, "_")
	primary = slices.Index(primaryCodes[:], word) + 1
	extended = primary
	if word == "CONSTRAINT" {
		extended |= (slices.Index(constraintCodes[:], detail) + 1) << 8
	}
	return primary, extended
}

// CodeName returns the name of a result code as servers send it: SQLITE_BUSY, or for
// constraints the extended SQLITE_CONSTRAINT_UNIQUE.
func CodeName(code int) string {
	low, high := code&0xff, code>>8
	if low <= 0 || low > len(primaryCodes) {
		return fmt.Sprintf("SQLITE_%d", code)
	}
	name := "SQLITE_" + primaryCodes[low-1]
	if primaryCodes[low-1] == "CONSTRAINT" && high > 0 && high <= len(constraintCodes) {
		name += "_" + constraintCodes[high-1]
	}
	return name
}

// extended returns the most exact code there is. Servers tell constraints apart in the
// text alone, which is SQLite's own (sqlite3UniqueConstraint in insert.c and others).
func (e *Error) extended() string {
	if e.Code != "SQLITE_CONSTRAINT" {
		return e.Code
	}
	message := strings.TrimPrefix(e.Message, "SQLite error: ")
	for _, known := range [...]struct{ begins, detail string }{
		{"UNIQUE constraint failed: ", "_UNIQUE"},
		{"FOREIGN KEY constraint failed", "_FOREIGNKEY"},
		{"NOT NULL constraint failed: ", "_NOTNULL"},
		{"CHECK constraint failed", "_CHECK"},
		{"cannot store ", "_DATATYPE"},
	} {
		if strings.HasPrefix(message, known.begins) {
			return e.Code + known.detail
		}
	}
	return e.Code
}

// primaryCodes are the names of SQLite's codes from 1 on.
var primaryCodes = [...]string{
	"ERROR", "INTERNAL", "PERM", "ABORT", "BUSY", "LOCKED", "NOMEM", "READONLY", "INTERRUPT",
	"IOERR", "CORRUPT", "NOTFOUND", "FULL", "CANTOPEN", "PROTOCOL", "EMPTY", "SCHEMA", "TOOBIG",
	"CONSTRAINT", "MISMATCH", "MISUSE", "NOLFS", "AUTH", "FORMAT", "RANGE", "NOTADB",
}

// constraintCodes are the extended codes of SQLITE_CONSTRAINT, from 1<<8 on.
var constraintCodes = [...]string{
	"CHECK", "COMMITHOOK", "FOREIGNKEY", "FUNCTION", "NOTNULL", "PRIMARYKEY", "TRIGGER",
	"UNIQUE", "VTAB", "ROWID", "PINNED", "DATATYPE",
}
