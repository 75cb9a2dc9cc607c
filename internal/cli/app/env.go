package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/terminal"
	"github.com/zen-auth/zen/internal/tokenform"
)

// SchemaVersion is in every JSON document that zen prints.
const SchemaVersion = tokenform.SchemaVersion

// Env is the environment of a command: the streams, and what the line says to all
// commands. A test makes one of buffers.
type Env struct {
	In io.Reader
	// Out is for the answer alone, Err for everything else.
	Out, Err io.Writer
	// JSON, Quiet, NoInput and Debug are the global switches.
	JSON, Quiet, NoInput, Debug bool
	// NoBrowser keeps a sign-in from opening one.
	NoBrowser bool
	// SigningIn has notices told also to the quiet: a plain file that was not asked for
	// is never a secret.
	SigningIn bool
	// Config names the configuration, and what the line overrides in it.
	Config config.LoadOptions
	// Help is the command's name, for hints: zen token.
	Help string
	// Open opens the session of the selected profile: see Program.WithSession.
	Open func(ctx context.Context, e *Env, fn func(*session.Session) error) error
}

// EnvOf returns the Env of a command that package cli runs.
func EnvOf(c *cli.Context) *Env {
	e := &Env{
		In: c.App.Reader, Out: c.App.Writer, Err: c.App.ErrWriter,
		JSON: GlobalBool(c, "json"), Quiet: GlobalBool(c, "quiet"), NoInput: GlobalBool(c, "no-input"), Debug: GlobalBool(c, "debug"),
		NoBrowser: c.Bool("no-browser"),
		Config: config.LoadOptions{
			Path: GlobalString(c, "config"),
			Flags: config.Flags{
				Profile:  GlobalString(c, "profile"),
				Database: c.String("database"),
				Access:   c.String("access"),
				Storage:  c.String("storage"),
			},
		},
	}
	if c.Command != nil {
		e.Help, e.SigningIn = strings.TrimSpace(c.Command.HelpName), c.Command.Name == "login"
	}
	e.Open, _ = c.App.Metadata[sessionKey].(func(context.Context, *Env, func(*session.Session) error) error)
	return e
}

// WithSession runs fn with the session of the selected profile.
func (e *Env) WithSession(ctx context.Context, fn func(*session.Session) error) error {
	return e.Open(ctx, e, fn)
}

// Remember has zen doctor tell why a command failed, until it goes well. What was typed
// wrong, or stopped by the user, is not remembered.
func (e *Env) Remember(ctx context.Context, s *session.Session, command string, err error) {
	var name interface{ ImpossibleName() string } // a handshake.NameError, without what that links
	if c := s.Config(); ctx.Err() == nil && !errors.Is(err, ErrUsage) && !errors.As(err, &name) {
		_ = c.Store.NoteFailure(c.Name, command, err, time.Now()) // a help for later, and no part of the command
	}
}

// Usage is an error of class ErrUsage that points at the help.
func (e *Env) Usage(format string, args ...any) error {
	return &provider.Error{Kind: ErrUsage, Message: fmt.Sprintf(format, args...), Hint: cmp.Or(e.Help, "zen") + " --help"}
}

// Notes returns the writer for what is not the answer.
func (e *Env) Notes() io.Writer {
	if e.Quiet {
		return io.Discard
	}
	return e.Err
}

// Notify prints a line that the user should read beside the answer.
func (e *Env) Notify(text string) {
	out := e.Notes()
	if e.SigningIn {
		out = e.Err
	}
	fmt.Fprintf(out, "%szen: %s\n", clearLine(out), OneLine(text))
}

// PrintJSON writes one document to standard output.
func (e *Env) PrintJSON(document any) error { return WriteJSON(e.Out, document) }

// Interactive reports whether a person can be asked.
func (e *Env) Interactive() bool {
	return terminal.Interactive(e.NoInput, e.In, e.Err)
}

// Answerable reports whether a person can finish a sign-in. That takes no terminal, since
// a browser is enough, but it is false with --no-input, and in CI unless BROWSER is set.
func (e *Env) Answerable() bool {
	return !e.NoInput && (!terminal.InCI() || os.Getenv("BROWSER") != "")
}

// emptyFlags refuses flags whose value is empty.
func emptyFlags(c *cli.Context) error {
	for _, name := range []string{"access", "database", "profile", "config", "ca-file", "provider", "storage"} {
		if c.IsSet(name) && c.String(name) == "" {
			return Usage(c, "--%s is empty", name)
		}
	}
	return nil
}

// The colours of paint.
const (
	Red    = "31"
	Green  = "32"
	Yellow = "33"
)

// Paint colours text for a terminal, and only there (https://no-color.org).
func Paint(w io.Writer, colour, text string) string {
	if !terminal.Is(w) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// PrintJSON is [Env.PrintJSON] for the command of c.
func PrintJSON(c *cli.Context, document any) error { return EnvOf(c).PrintJSON(document) }

// WriteJSON writes one document.
func WriteJSON(w io.Writer, document any) error { return tokenform.WriteJSON(w, document) }

// Notes is [Env.Notes] for the command of c.
func Notes(c *cli.Context) io.Writer { return EnvOf(c).Notes() }
