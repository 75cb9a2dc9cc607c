package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/text"
)

// Finish reports an error, as JSON where the line asks for that, and returns the exit
// code for it. An error of a program that zen ran was reported by that.
func Finish(ctx context.Context, line []string, stderr io.Writer, err error) int {
	code := ExitCode(ctx, err)
	var child ChildExit
	switch {
	case err == nil, errors.As(err, &child):
	case asksJSON(line):
		reportJSON(ctx, stderr, err)
	default:
		ReportError(stderr, err, code)
	}
	return code
}

// asksJSON reports whether --json is on a line, before what is another command's.
func asksJSON(line []string) bool {
	if end := slices.Index(line, "--"); end >= 0 {
		line = line[:end]
	}
	return slices.ContainsFunc(line, func(arg string) bool {
		return arg == "--json" || arg == "-json" || arg == "--json=true" || arg == "-json=true"
	})
}

// ReportError prints one line, and a hint if there is one.
func ReportError(stderr io.Writer, err error, code int) {
	if code == ExitInterrupted {
		fmt.Fprintln(stderr, "zen: interrupted")
		return
	}
	fmt.Fprintf(stderr, "%s %s\n", Paint(stderr, Red, "zen:"), OneLine(err.Error()))
	fmt.Fprint(stderr, excerpt(err))
	if hint := hintOf(err, code); hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", OneLine(hint))
	}
}

// hintOf returns the hint of an error. Where a failure between the sign-in and the database has
// none, and names no command itself, the hint is zen doctor.
func hintOf(err error, code int) string {
	hint := provider.Hint(err)
	if hint == "" && !strings.Contains(err.Error(), "`zen ") && (code == ExitSignIn || code == ExitUnavailable || code == ExitPermission) {
		hint = "zen doctor finds out what is wrong"
	}
	return hint
}

// excerpt returns the input that an error is about, with its place; "" if there is none.
func excerpt(err error) string {
	var place interface{ Excerpt() string }
	if errors.As(err, &place) {
		return place.Excerpt()
	}
	return ""
}

// errorDocument is an error for programs: one line of JSON on standard error.
type errorDocument struct {
	SchemaVersion int         `json:"schema_version"`
	Error         errorReport `json:"error"`
}

type errorReport struct {
	// ID is a stable name of what happened: the class, or something narrower.
	ID      string `json:"id"`
	Class   string `json:"class"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	// Excerpt is the input that the error is about, with a mark at its place.
	Excerpt      string `json:"excerpt,omitempty"`
	ExitCode     int    `json:"exit_code"`
	RetryAfterMS int64  `json:"retry_after_ms,omitempty"`
}

// reportJSON prints an error as one line of JSON.
func reportJSON(ctx context.Context, stderr io.Writer, err error) {
	c := classOf(ctx, err)
	d := errorDocument{SchemaVersion, errorReport{
		ID: c.name, Class: c.name, Message: OneLine(err.Error()), Hint: OneLine(hintOf(err, c.code)),
		Excerpt: excerpt(err), ExitCode: c.code, RetryAfterMS: provider.RetryAfter(err).Milliseconds(),
	}}
	var identified interface{ ErrorID() string }
	if errors.As(err, &identified) && c.code != ExitInterrupted {
		d.Error.ID = identified.ErrorID()
	}
	if line, err := text.JSON(d, ""); err == nil { // it is made of texts and numbers
		_, _ = stderr.Write(line) // there is no other place to say that standard error is gone
	}
}
