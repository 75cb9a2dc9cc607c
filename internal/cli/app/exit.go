package app

import (
	"context"
	"errors"

	"github.com/zen-auth/zen/core/provider"
)

// The exit codes. They are part of the command line's promise: README.md lists them.
const (
	ExitOK          = 0
	ExitOther       = 1
	ExitUsage       = 2
	ExitSignIn      = 3
	exitUnavailable = 4
	exitPermission  = 5
	ExitInterrupted = 130
)

// exitCodes maps the classes of the contract, in the order in which they are
// looked for: an error may be of two classes, as a refusal is whose renewal failed
// for want of a network.
var exitCodes = []struct {
	kind error
	code int
}{
	{ErrUsage, ExitUsage},
	{provider.ErrPermission, exitPermission},
	{provider.ErrNoCredential, ExitSignIn},
	{provider.ErrTokenExpired, ExitSignIn},
	{provider.ErrTokenInvalid, ExitSignIn},
	{provider.ErrRejected, ExitSignIn},
	{provider.ErrConfig, ExitUsage},
	{provider.ErrNoProvider, ExitUsage},
	{provider.ErrUnavailable, exitUnavailable},
	{context.DeadlineExceeded, exitUnavailable},
}

// ErrUsage is a command line that can't be understood.
var ErrUsage = errors.New("usage")

// ChildExit carries the exit code of a program that zen ran.
type ChildExit struct{ Code int }

func (e ChildExit) Error() string { return "the command failed" }

// ExitCode returns the exit code for an error. An interrupt is one whatever the
// error that it led to.
func ExitCode(ctx context.Context, err error) int {
	var child ChildExit
	var cannot cannotRun
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &child):
		return child.Code
	case errors.As(err, &cannot):
		return cannot.code
	case ctx.Err() != nil:
		return ExitInterrupted
	}
	for _, class := range exitCodes {
		if errors.Is(err, class.kind) {
			return class.code
		}
	}
	return ExitOther
}
