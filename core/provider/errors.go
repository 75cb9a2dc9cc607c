package provider

import (
	"errors"
	"time"
)

// The classes of failure. A provider wraps the one that fits; the host maps each
// to an exit code. A service or method that a provider doesn't have is
// errors.ErrUnsupported.
var (
	// ErrNoCredential: there is no sign-in, or nothing is stored.
	ErrNoCredential = errors.New("not signed in")
	// ErrTokenExpired: the token is past its exp claim.
	ErrTokenExpired = errors.New("token expired")
	// ErrTokenInvalid: wrong signature, issuer, algorithm or shape.
	ErrTokenInvalid = errors.New("token invalid")
	// ErrRejected: the server refused the credential or token (a 4xx other than
	// 429). Nothing is deleted for it: an outage can look like a rejection.
	ErrRejected = errors.New("rejected by the server")
	// ErrPermission: valid, but not for this database or action, or a token
	// without database claims.
	ErrPermission = errors.New("not permitted")
	// ErrUnavailable: network, 5xx, 429, or a provider that crashed or timed out.
	ErrUnavailable = errors.New("unavailable")
	// ErrConfig: a missing or wrong setting.
	ErrConfig = errors.New("wrong configuration")
	// ErrNoProvider: no such provider, or one that may not run.
	ErrNoProvider = errors.New("no such provider")
)

// failureKinds are the sentinels in their order of precedence, each with its name.
var failureKinds = []struct {
	kind error
	name string
}{
	{ErrPermission, "permission"},
	{ErrNoCredential, "no_credential"},
	{ErrTokenExpired, "token_expired"},
	{ErrTokenInvalid, "token_invalid"},
	{ErrRejected, "rejected"},
	{ErrConfig, "config"},
	{ErrNoProvider, "no_provider"},
	{ErrUnavailable, "unavailable"},
}

// Kinds lists the sentinels in their order of precedence: an error may be of two
// classes, as a refusal is whose renewal failed for want of a network. What the user has
// to do comes before what only waiting helps.
func Kinds() []error {
	all := make([]error, len(failureKinds))
	for i, k := range failureKinds {
		all[i] = k.kind
	}
	return all
}

// KindName returns the name of an error's class in what programs read, such as
// "no_credential", or "" if it has none.
func KindName(err error) string {
	for _, k := range failureKinds {
		if errors.Is(err, k.kind) {
			return k.name
		}
	}
	return ""
}

// Error is a failure with its class and what to do about it. Kind, Message, Hint
// and RetryAfter cross the process boundary; Err stays on its side.
type Error struct {
	// Kind is one of the sentinels, or nil if none fits.
	Kind error
	// Message is the whole text: lower case, no full stop, no secret. Empty means
	// the text of Kind.
	Message string
	// Hint says what the user can do: a command, a setting. Optional.
	Hint string
	// RetryAfter is the wait that the server asked for. Zero means that it is unknown. Only with
	// ErrUnavailable.
	RetryAfter time.Duration
	// Err is the cause. Optional.
	Err error
}

// Error returns Message, or the text of Kind.
func (e *Error) Error() string {
	if e.Message == "" && e.Kind != nil {
		return e.Kind.Error()
	}
	return e.Message
}

// Unwrap makes errors.Is see both the class and the cause.
func (e *Error) Unwrap() []error {
	var errs []error
	if e.Kind != nil {
		errs = append(errs, e.Kind)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

// Kind returns the sentinel that err is or wraps, the first in the order of Kinds, or
// nil.
func Kind(err error) error {
	for _, k := range failureKinds {
		if errors.Is(err, k.kind) {
			return k.kind
		}
	}
	return nil
}

// Hint returns the first hint in err and what it wraps, or "".
func Hint(err error) string {
	hint := ""
	walk(err, func(e *Error) bool { hint = e.Hint; return hint != "" })
	return hint
}

// RetryAfter returns the first wait in err and what it wraps, or zero.
func RetryAfter(err error) time.Duration {
	var wait time.Duration
	walk(err, func(e *Error) bool { wait = e.RetryAfter; return wait > 0 })
	return wait
}

// walk calls found with each Error in the tree of err, in the order of errors.Is, until
// it returns true, which walk then returns.
func walk(err error, found func(*Error) bool) bool {
	if e, ok := err.(*Error); ok && found(e) {
		return true
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return walk(e.Unwrap(), found)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if walk(inner, found) {
				return true
			}
		}
	}
	return false
}
