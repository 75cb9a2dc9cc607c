package hrana

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/sqlite"
)

var (
	// ErrProtocol reports an answer that is not Hrana: broken JSON, results
	// missing, values out of range. Whether the statement ran is not known.
	ErrProtocol error = protocolBroken{}

	// ErrStreamExpired reports that the server no longer knows the stream of a
	// transaction: it was idle too long (10 s at sqld), or the server restarted.
	// The transaction is rolled back.
	ErrStreamExpired = errors.New("hrana: stream expired, transaction rolled back")

	// ErrNoTransaction reports a statement that was not run, because the server
	// had ended the transaction it belongs to: a conflict clause ROLLBACK, a
	// full disk, the server's time limit, or a COMMIT sent as a statement.
	ErrNoTransaction = errors.New("hrana: statement not run: the transaction is no longer open")

	// ErrReadOnly reports a statement that was not sent, because it may write
	// and the transaction was begun with sql.TxOptions.ReadOnly.
	ErrReadOnly = errors.New("hrana: statement not run: it may write in a read-only transaction")

	// ErrClosed reports use of a [Connector] after Close.
	ErrClosed = errors.New("hrana: connector is closed")

	// ErrTimeout reports that the server was silent for longer than
	// Config.Timeout. Whether the statement ran is not known.
	ErrTimeout error = timeoutError{}
)

// protocolBroken is the type of ErrProtocol.
type protocolBroken struct{}

func (protocolBroken) Error() string { return "hrana: server broke the Hrana protocol" }

// Is reports the class: what answers is not the database.
func (protocolBroken) Is(target error) bool { return target == provider.ErrUnavailable }

// timeoutError is a net.Error.
type timeoutError struct{}

func (timeoutError) Error() string   { return "hrana: no answer from the server in time" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

// Is reports the class.
func (timeoutError) Is(target error) bool { return target == provider.ErrUnavailable }

// ArgumentError reports arguments that don't fit a statement's parameters. Nothing
// was sent.
type ArgumentError = sqlite.ArgumentError

// Error is a statement's failure as the database reports it, inside a
// successful HTTP exchange.
type Error struct {
	// Code is the server's, such as SQLITE_CONSTRAINT, SQL_INPUT_ERROR,
	// ARGS_INVALID, TRANSACTION_TIMEOUT, BLOCKED or RESPONSE_TOO_LARGE; empty
	// when it gave none. Some servers send SQLite's extended codes, such as
	// SQLITE_CONSTRAINT_UNIQUE, most the primary ones: compare with errors.Is.
	Code    string
	Message string
	// Statement counts from 1 which statement of several failed, 0 if there
	// was only one.
	Statement int
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Statement > 0 {
		fmt.Fprintf(&b, "statement %d: ", e.Statement)
	}
	b.WriteString(e.Message)
	if e.Code != "" {
		fmt.Fprintf(&b, " (%s)", e.Code)
	}
	return b.String()
}

// Is makes errors.Is(err, &hrana.Error{Code: "SQLITE_BUSY"}) true for that code and
// its extended forms. [ErrConstraint], [ErrUnique] and so on are such errors. It matches
// provider.ErrPermission for what the token, or the organization's plan, doesn't allow.
func (e *Error) Is(target error) bool {
	if target == provider.ErrPermission {
		return e.Code == "BLOCKED" || e.Is(&Error{Code: "SQLITE_AUTH"})
	}
	t, ok := target.(*Error)
	if !ok || t.Message != "" || t.Code == "" {
		return false
	}
	code := e.extended()
	if t == ErrUnique && code == "SQLITE_CONSTRAINT_PRIMARYKEY" {
		return true
	}
	rest, ok := strings.CutPrefix(code, t.Code)
	return ok && (rest == "" || rest[0] == '_')
}

// MarshalJSON writes SQLite's codes under the names that mattn/go-sqlite3's error has.
// GORM's SQLite dialector (gorm.io/driver/sqlite) decides by them what to make
// gorm.ErrDuplicatedKey and gorm.ErrForeignKeyViolated of.
func (e *Error) MarshalJSON() ([]byte, error) {
	primary, extended := e.SQLite()
	return json.Marshal(struct {
		Code         int
		ExtendedCode int
		SystemErrno  int
		Message      string
	}{primary, extended, 0, e.Message})
}

// HTTPError is an answer with a status other than 200: what the server or
// something before it (a gateway, the token check) said instead of running the
// request. It never holds a header.
type HTTPError struct {
	Status int
	// Code and Message are the body's where it is JSON with code, message or
	// error; else Message is the beginning of the body's text.
	Code, Message string
	// RetryAfter is the wait that the server asks for, zero if it didn't.
	RetryAfter time.Duration

	streamLost bool
}

func (e *HTTPError) Error() string {
	var b strings.Builder
	if e.streamLost {
		b.WriteString(ErrStreamExpired.Error() + ": ")
	} else {
		b.WriteString("hrana: ")
	}
	fmt.Fprintf(&b, "server answered %d", e.Status)
	if e.Message != "" {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, " (%s)", e.Code)
	}
	return b.String()
}

// Is matches [ErrStreamExpired] if the answer says so, and otherwise the class of the
// status: provider.ErrPermission for 403, ErrConfig for 404, where no database is, and
// ErrUnavailable for 429, 5xx and a redirect.
func (e *HTTPError) Is(target error) bool {
	switch {
	case e.streamLost:
		return target == ErrStreamExpired
	case e.Status == http.StatusForbidden:
		return target == provider.ErrPermission
	case e.Status == http.StatusNotFound:
		return target == provider.ErrConfig
	case e.Status/100 == 3, e.Status == http.StatusTooManyRequests, e.Status >= 500:
		return target == provider.ErrUnavailable
	}
	return false
}

// exchangeError is an HTTP exchange that failed. Its text leaves out the URL
// that a *url.Error in the chain would print, because a URL may hold a user or
// a query; the chain stays whole.
type exchangeError struct {
	err   error
	cause error // why the context ended, if it did
}

func (e *exchangeError) Error() string {
	text := e.err.Error()
	switch e.err { // net/http has no words for a connection that was cut
	case io.EOF:
		text = "the connection was cut before the answer"
	case io.ErrUnexpectedEOF:
		text = "the connection was cut in the middle of the answer"
	}
	if u := (*url.Error)(nil); errors.As(e.err, &u) {
		text = strings.ReplaceAll(text, u.Error(), u.Err.Error())
	}
	return "hrana: " + text
}

// Timeout and Temporary make it a net.Error, as an http.Client's *url.Error is one
// whatever the transport says.
func (e *exchangeError) Timeout() bool {
	var inner net.Error
	return errors.Is(e.cause, context.DeadlineExceeded) || errors.As(e.err, &inner) && inner.Timeout()
}

// Temporary is false: no one can know.
func (e *exchangeError) Temporary() bool { return false }

// Is matches provider.ErrUnavailable, unless the caller gave up or the transport's error
// has a class of its own.
func (e *exchangeError) Is(target error) bool {
	return target == provider.ErrUnavailable && !errors.Is(e.cause, context.Canceled) && provider.Kind(e.err) == nil
}

func (e *exchangeError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.err}
	}
	return []error{e.err, e.cause}
}

func protocolError(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrProtocol}, args...)...)
}

// Interface guards
var (
	_ net.Error = timeoutError{}
	_ net.Error = (*exchangeError)(nil)
)
