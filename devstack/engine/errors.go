package engine

import (
	"errors"
	"fmt"
	"strings"

	lib "modernc.org/sqlite/lib"
)

var (
	// ErrNoStatement is returned for SQL that holds only space and comments.
	ErrNoStatement = errors.New("sql: no statement")
	// ErrManyStatements is returned where one statement is expected and more are given.
	ErrManyStatements = errors.New("sql: more than one statement")
	// ErrBlocked is returned for a statement that would write with rights that only read.
	ErrBlocked = errors.New("sql: write forbidden")
	// ErrTransactionTimeout is returned by the first call on a connection whose
	// transaction was rolled back because another one waited for its write lock.
	ErrTransactionTimeout = errors.New("sql: transaction timed out")
	// ErrClosed is returned by a database that was closed.
	ErrClosed = errors.New("sql: database is closed")

	errNoMemory = errors.New("sql: out of memory")
)

// Error is an error of SQLite.
type Error struct {
	Code    int    // extended result code
	Message string // as sqlite3_errmsg has it
	Offset  int    // of the offending token in the statement, in bytes; -1 if unknown
}

func (e *Error) Error() string { return "sqlite: " + e.Message }

// Primary returns the primary result code, such as SQLITE_CONSTRAINT (19).
func (e *Error) Primary() int { return e.Code & 0xff }

// Busy reports whether another connection held a lock for too long.
func (e *Error) Busy() bool { return e.Primary() == lib.SQLITE_BUSY }

// Syntax reports whether the statement could not be parsed, whatever the schema.
func (e *Error) Syntax() bool {
	return e.Primary() == lib.SQLITE_ERROR &&
		(strings.HasSuffix(e.Message, ": syntax error") ||
			strings.HasPrefix(e.Message, "unrecognized token") ||
			e.Message == "incomplete input")
}

// UnsupportedError is returned for a statement that Turso does not run.
type UnsupportedError struct{ SQL string }

func (e *UnsupportedError) Error() string { return "unsupported statement: " + e.SQL }

// ArgumentError is returned when the arguments do not fit the parameters.
type ArgumentError struct{ Reason string }

func (e *ArgumentError) Error() string { return e.Reason }

func argumentErrorf(format string, a ...any) error {
	return &ArgumentError{Reason: fmt.Sprintf(format, a...)}
}
