package main

import (
	"context"
	"errors"

	"github.com/zen-auth/zen/core/provider"
)

// The exit codes. They are part of the command line's promise: README.md lists them.
const (
	exitOK          = 0
	exitOther       = 1
	exitUsage       = 2
	exitSignIn      = 3
	exitUnavailable = 4
	exitPermission  = 5
	exitInterrupted = 130
)

// exitCodes maps the classes of the contract, in the order in which they are
// looked for: an error may be of two classes, as a refusal is whose renewal failed
// for want of a network.
var exitCodes = []struct {
	kind error
	code int
}{
	{errUsage, exitUsage},
	{provider.ErrPermission, exitPermission},
	{provider.ErrNoCredential, exitSignIn},
	{provider.ErrTokenExpired, exitSignIn},
	{provider.ErrTokenInvalid, exitSignIn},
	{provider.ErrRejected, exitSignIn},
	{provider.ErrConfig, exitUsage},
	{provider.ErrNoProvider, exitUsage},
	{provider.ErrUnavailable, exitUnavailable},
	{context.DeadlineExceeded, exitUnavailable},
}

// errUsage is a command line that can't be understood.
var errUsage = errors.New("usage")

// childExit carries the exit code of a program that zen ran.
type childExit struct{ code int }

func (e childExit) Error() string { return "the command failed" }

// exitCode returns the exit code for an error. An interrupt is one whatever the
// error that it led to.
func exitCode(ctx context.Context, err error) int {
	var child childExit
	var cannot cannotRun
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &child):
		return child.code
	case errors.As(err, &cannot):
		return cannot.code
	case ctx.Err() != nil:
		return exitInterrupted
	}
	for _, class := range exitCodes {
		if errors.Is(err, class.kind) {
			return class.code
		}
	}
	return exitOther
}
