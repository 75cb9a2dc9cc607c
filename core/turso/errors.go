package turso

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/internal/text"
)

var (
	// ErrBadToken: the API token could not be put on a request.
	ErrBadToken = errors.New("bad API token")
	// ErrBadArgument: a name that can't be part of a path, or options that make no
	// sense. Nothing was sent.
	ErrBadArgument = errors.New("bad argument")
)

// Error is a failed call.
type Error struct {
	// Op is the operation that failed: "create database token".
	Op string
	// Status is the HTTP status; 0 if there was no answer.
	Status int
	// Message is the API's own text, on one line and at most 200 bytes long.
	Message string
	// Code is the API's machine-readable code, where it gave one.
	Code string
	// RetryAfter is the wait that the API asked for, zero if it didn't.
	RetryAfter time.Duration
	// Err is the cause, if there was no answer or nothing was sent.
	Err error
}

// Error returns "turso: op: message (status 401)".
func (e *Error) Error() string {
	text := "turso: " + e.Op
	if e.Message != "" {
		text += ": " + e.Message
	}
	switch {
	case e.Status != 0:
		text += " (status " + strconv.Itoa(e.Status) + ")"
	case e.Err != nil && e.Message == "":
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// WrongTokenKind reports whether the API said that the token is a JWT, but not an
// API token: a token for a database, for instance. There is no code for it.
func (e *Error) WrongTokenKind() bool {
	return strings.Contains(e.Message, "could not parse jwt id")
}

// responseError reads {"error": any, "code": "..."}, and anything else that a
// server or a proxy may answer.
func responseError(op string, resp *http.Response, body []byte, token string) error {
	e := &Error{Op: op, Status: resp.StatusCode, RetryAfter: httpclient.RetryAfter(resp.Header)}
	var answer struct {
		Error   any
		Message string
		Code    string
	}
	if json.Unmarshal(body, &answer) == nil {
		switch value := answer.Error.(type) {
		case string:
			e.Message = value
		case map[string]any:
			e.Message, _ = value["message"].(string)
		}
		e.Message = cmp.Or(e.Message, answer.Message)
		e.Code = clean(answer.Code, token)
	}
	e.Message = cmp.Or(clean(e.Message, token), strings.ToLower(http.StatusText(resp.StatusCode)))
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		e.Message = "the API redirects, which it never does: is the base URL right?"
	}
	return e
}

const maxMessage = 200

// clean makes a foreign text fit for one line of a terminal, without secrets.
func clean(message, token string) string {
	message = cutJWTs(strings.ReplaceAll(message, token, "[redacted]"))
	message = text.Line(message, len(message))
	return text.Cut(strings.Join(strings.Fields(message), " "), maxMessage)
}

// cutJWTs replaces everything that begins like the JOSE header of a JWT, {" in
// base64url.
func cutJWTs(text string) string {
	var b strings.Builder
	for {
		start := strings.Index(text, "eyJ")
		if start < 0 {
			return b.String() + text
		}
		rest := strings.TrimLeft(text[start:], alphanumeric+"-_.")
		b.WriteString(text[:start] + "[redacted]")
		text = rest
	}
}
