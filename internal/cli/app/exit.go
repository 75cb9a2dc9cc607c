package app

import (
	"cmp"
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
	ExitUnavailable = 4
	ExitPermission  = 5
	ExitInterrupted = 130
)

// class is a class of errors: the word for it in JSON, and its exit code.
type class struct {
	kind error
	name string // if empty, the contract's
	code int
}

// classes are the contract's and zen's own. Of an error that is of two classes
// of the contract, provider.Kind says which one counts.
var classes = []class{
	{ErrUsage, "usage", ExitUsage},
	{provider.ErrPermission, "", ExitPermission},
	{provider.ErrNoCredential, "", ExitSignIn},
	{provider.ErrTokenExpired, "", ExitSignIn},
	{provider.ErrTokenInvalid, "", ExitSignIn},
	{provider.ErrRejected, "", ExitSignIn},
	{provider.ErrConfig, "", ExitUsage},
	{provider.ErrNoProvider, "", ExitUsage},
	{provider.ErrUnavailable, "", ExitUnavailable},
	{context.DeadlineExceeded, "deadline_exceeded", ExitUnavailable},
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
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &child):
		return child.Code
	}
	return classOf(ctx, err).code
}

// classOf returns the class of an error that is not from a program that zen ran.
func classOf(ctx context.Context, err error) class {
	var cannot cannotRun
	switch {
	case errors.As(err, &cannot):
		return class{name: "command", code: cannot.code}
	case ctx.Err() != nil:
		return class{name: "interrupted", code: ExitInterrupted}
	}
	kind := provider.Kind(err)
	for _, beside := range []error{context.DeadlineExceeded, ErrUsage} {
		if errors.Is(err, beside) && (kind == nil || beside == ErrUsage) {
			kind = beside
		}
	}
	for _, c := range classes {
		if c.kind == kind {
			c.name = cmp.Or(c.name, provider.KindName(kind))
			return c
		}
	}
	return class{name: "other", code: ExitOther}
}
