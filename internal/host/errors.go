package host

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/text"
)

// NotFoundError reports a provider that isn't installed. It is provider.ErrNoProvider.
type NotFoundError struct {
	Name string
	// Dirs are the directories that were searched.
	Dirs []string
	// Available names the providers in Dirs.
	Available []string
}

func (e *NotFoundError) Error() string {
	if len(e.Available) == 0 {
		return fmt.Sprintf("no provider %q: there is none at all", e.Name)
	}
	return fmt.Sprintf("no provider %q: there is %s", e.Name, strings.Join(e.Available, ", "))
}

func (e *NotFoundError) Unwrap() error {
	hint := fmt.Sprintf("put %s into %s", handshake.BinaryName(e.Name), strings.Join(e.Dirs, " or "))
	if near := text.Nearest(e.Name, e.Available); near != "" {
		hint = "did you mean " + near + "?"
	}
	return &provider.Error{Kind: provider.ErrNoProvider, Hint: hint}
}

// UnsafeError reports a binary that another user could have written, or that is not
// executable. It is provider.ErrNoProvider.
type UnsafeError struct{ Name, Path, Reason string }

func (e *UnsafeError) Error() string {
	return fmt.Sprintf("provider %s may not run: %s: %s", e.Name, e.Path, e.Reason)
}

func (e *UnsafeError) Unwrap() error {
	return &provider.Error{Kind: provider.ErrNoProvider, Hint: "it and its directory have to be yours or root's, of mode 755: ls -ld " + filepath.Dir(e.Path) + " " + e.Path}
}

// StartError reports a binary that the system can't start. It is
// provider.ErrNoProvider.
type StartError struct {
	Name string
	Err  error
}

func (e *StartError) Error() string { return fmt.Sprintf("start provider %s: %v", e.Name, e.Err) }

func (e *StartError) Unwrap() []error { return []error{provider.ErrNoProvider, e.Err} }

// ExitError reports a process that ended before its handshake. It is
// provider.ErrUnavailable.
type ExitError struct {
	Name string
	// Status describes the end, as os.ProcessState does: "exit status 3".
	Status string
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("provider %s ended at once (%s)", e.Name, e.Status)
}

func (e *ExitError) Unwrap() error {
	return &provider.Error{Kind: provider.ErrUnavailable, Hint: handshake.DebugHint}
}

// HandshakeError reports a process whose first line isn't a provider's handshake. It is
// provider.ErrNoProvider.
type HandshakeError struct {
	Name string
	// Reason says what is wrong; it may quote a little of what was printed, redacted.
	Reason string
}

func (e *HandshakeError) Error() string {
	return fmt.Sprintf("provider %s is not a zen provider: %s", e.Name, e.Reason)
}

func (e *HandshakeError) Unwrap() error { return &provider.Error{Kind: provider.ErrNoProvider} }

// VersionError reports a provider that speaks another version of the protocol. It is
// provider.ErrNoProvider.
type VersionError struct {
	Name         string
	Theirs, Ours int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("provider %s speaks protocol version %d, this zen speaks version %d", e.Name, e.Theirs, e.Ours)
}

func (e *VersionError) Unwrap() error {
	hint := "update the provider"
	if e.Theirs > e.Ours {
		hint = "update zen"
	}
	return &provider.Error{Kind: provider.ErrNoProvider, Hint: hint}
}

// StartTimeoutError reports a provider that didn't answer its first call in time. It is
// provider.ErrUnavailable.
type StartTimeoutError struct {
	Name  string
	After time.Duration
}

func (e *StartTimeoutError) Error() string {
	return fmt.Sprintf("provider %s was not ready within %v", e.Name, e.After)
}

func (e *StartTimeoutError) Unwrap() []error {
	return []error{&provider.Error{Kind: provider.ErrUnavailable, Hint: handshake.DebugHint}, context.DeadlineExceeded}
}

// TimeoutError reports a call that wasn't answered in time. It is
// provider.ErrUnavailable and context.DeadlineExceeded.
type TimeoutError struct {
	Name string
	// Call is the method: "Token".
	Call  string
	After time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("provider %s did not answer %s within %v", e.Name, e.Call, e.After)
}

func (e *TimeoutError) Unwrap() []error {
	return []error{provider.ErrUnavailable, context.DeadlineExceeded}
}

// CrashError reports a provider that panicked in a call, or whose process ended during
// one. It is provider.ErrUnavailable. After the end the next call starts a new
// process.
type CrashError struct {
	Name string
	// Call is the method: "Token".
	Call string
	// Status describes the end, as os.ProcessState does: "signal: killed"; or
	// "panic".
	Status string
	// Survived says that the process caught its panic and goes on.
	Survived bool
	// Trace is the file with the trace of its panic, redacted; "" if there is
	// none.
	Trace string
}

func (e *CrashError) Error() string {
	if e.Trace != "" {
		return fmt.Sprintf("provider %s crashed in %s (%s; trace in %s)", e.Name, e.Call, e.Status, e.Trace)
	}
	return fmt.Sprintf("provider %s crashed in %s (%s)", e.Name, e.Call, e.Status)
}

// Died reports whether the process ended, so that another one takes the next call.
func (e *CrashError) Died() bool { return !e.Survived }

func (e *CrashError) Unwrap() error {
	hint := handshake.DebugHint
	if e.Trace != "" {
		hint = "it is a mistake in the provider: tell its authors, with the trace"
	}
	return &provider.Error{Kind: provider.ErrUnavailable, Hint: hint}
}
