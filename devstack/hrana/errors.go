package hrana

import (
	"errors"
	"fmt"
	"net/http"

	lib "modernc.org/sqlite/lib"

	"github.com/zen-auth/zen/devstack/engine"
)

// SQLError is an in-band error: the request failed, but the stream stays open.
type SQLError struct{ Message, Code string }

func (e *SQLError) Error() string { return e.Code + ": " + e.Message }

// Blocked is Turso Cloud's refusal of operations, which are "read" or "write", and
// says why. It does so for a token without the right, and for a plan without the
// means.
func Blocked(operations, reason string) error {
	return &SQLError{"Operation was blocked: SQL " + operations + " operations are forbidden (" + reason + ")", "BLOCKED"}
}

var (
	errArgsBoth         = &SQLError{"Specifying both positional and named arguments is not supported", "ARGS_BOTH_POSITIONAL_AND_NAMED"}
	errResponseTooLarge = &SQLError{"Response is too large", "RESPONSE_TOO_LARGE"}
	errTimedOut         = &SQLError{"Transaction timed out", "TRANSACTION_TIMEOUT"}
)

// protocolErrorf returns an error for requests that a correct client never sends. It ends
// the stream.
func protocolErrorf(format string, a ...any) error {
	return &StatusError{Status: http.StatusBadRequest, Body: fmt.Sprintf(format, a...), Origin: "*"}
}

// internal is libsql-server's response to unexpected failures.
func internal(text string) error {
	return &StatusError{Status: http.StatusInternalServerError, Body: errorBody{"Internal Error: `" + text + "`"}, Origin: "*"}
}

// lacking returns the answer where libsql-server has something that this server lacks.
func lacking(what string) error {
	return &StatusError{Status: http.StatusNotImplemented, Body: errorBody{"the local stack lacks " + what + ", which libsql-server has"}, Origin: "*"}
}

// ErrNotAllowed is Turso Cloud's answer to a token for something else.
var ErrNotAllowed = &StatusError{Status: http.StatusUnauthorized, Body: errorBody{
	"Unauthorized: `unauthorized access attempt on database: token does not have the permissions to access the database`"}}

var errTooManyStreams = &StatusError{Status: http.StatusTooManyRequests, Body: errorBody{"Too many requests"}, Origin: "*"}

// ErrStreamExpired is the error for a request after the stream's timeout.
var ErrStreamExpired = &StatusError{
	Status: http.StatusBadRequest,
	Body: struct {
		Message string `json:"message"`
		Code    string `json:"code"`
	}{"The stream has expired due to inactivity", "STREAM_EXPIRED"},
	Origin: "*",
}

var errBlocked = Blocked("write", "current session doesn't have write permission")

// asSQLError says what a client is told about an error of the engine. No error, the
// server's own fault and the client's breach of the protocol stay what they are.
func asSQLError(err error, sql string) error {
	var (
		sqlite      *engine.Error
		lacking     *engine.LackingError
		syntax      *engine.SyntaxError
		unsupported *engine.UnsupportedError
		argument    *engine.ArgumentError
	)
	switch {
	case errors.As(err, &sqlite):
		return fromSQLite(sqlite)
	case errors.As(err, &lacking):
		return &SQLError{lacking.Error(), "NOT_IMPLEMENTED"}
	case errors.As(err, &syntax):
		return &SQLError{"SQL string could not be parsed: " + syntax.Text, "SQL_PARSE_ERROR"}
	case errors.As(err, &unsupported):
		return &SQLError{"SQL string could not be parsed: unsupported statement: " + sql, "SQL_PARSE_ERROR"}
	case errors.As(err, &argument):
		return &SQLError{"Arguments do not match SQL parameters: " + argument.Reason, "ARGS_INVALID"}
	case errors.Is(err, engine.ErrNoStatement):
		return &SQLError{"SQL string does not contain any statement", "SQL_NO_STATEMENT"}
	case errors.Is(err, engine.ErrManyStatements):
		return &SQLError{"SQL string contains more than one statement", "SQL_MANY_STATEMENTS"}
	case errors.Is(err, engine.ErrBlocked):
		return errBlocked
	case errors.Is(err, engine.ErrTransactionTimeout):
		return errTimedOut
	}
	return err
}

// fromSQLite renders an error as libsql-server's StmtError does: with the offset
// where SQLite knows one.
func fromSQLite(e *engine.Error) *SQLError {
	if e.Primary() == lib.SQLITE_ERROR && e.Offset >= 0 {
		return &SQLError{fmt.Sprintf("SQL input error: %s (at offset %d)", e.Message, e.Offset), "SQL_INPUT_ERROR"}
	}
	return &SQLError{"SQLite error: " + e.Message, codeName(e.Primary())}
}

// codeName returns the code of a result code of SQLite. SQLITE_ERROR itself is unknown.
func codeName(primary int) string {
	if name, ok := codeNames[primary]; ok {
		return name
	}
	return "SQLITE_UNKNOWN"
}

var codeNames = map[int]string{
	lib.SQLITE_INTERNAL:   "SQLITE_INTERNAL",
	lib.SQLITE_PERM:       "SQLITE_PERM",
	lib.SQLITE_ABORT:      "SQLITE_ABORT",
	lib.SQLITE_BUSY:       "SQLITE_BUSY",
	lib.SQLITE_LOCKED:     "SQLITE_LOCKED",
	lib.SQLITE_NOMEM:      "SQLITE_NOMEM",
	lib.SQLITE_READONLY:   "SQLITE_READONLY",
	lib.SQLITE_INTERRUPT:  "SQLITE_INTERRUPT",
	lib.SQLITE_IOERR:      "SQLITE_IOERR",
	lib.SQLITE_CORRUPT:    "SQLITE_CORRUPT",
	lib.SQLITE_NOTFOUND:   "SQLITE_NOTFOUND",
	lib.SQLITE_FULL:       "SQLITE_FULL",
	lib.SQLITE_CANTOPEN:   "SQLITE_CANTOPEN",
	lib.SQLITE_PROTOCOL:   "SQLITE_PROTOCOL",
	lib.SQLITE_SCHEMA:     "SQLITE_SCHEMA",
	lib.SQLITE_TOOBIG:     "SQLITE_TOOBIG",
	lib.SQLITE_CONSTRAINT: "SQLITE_CONSTRAINT",
	lib.SQLITE_MISMATCH:   "SQLITE_MISMATCH",
	lib.SQLITE_MISUSE:     "SQLITE_MISUSE",
	lib.SQLITE_NOLFS:      "SQLITE_NOLFS",
	lib.SQLITE_AUTH:       "SQLITE_AUTH",
	lib.SQLITE_RANGE:      "SQLITE_RANGE",
	lib.SQLITE_NOTADB:     "SQLITE_NOTADB",
}
