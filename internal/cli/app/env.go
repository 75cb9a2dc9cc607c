package app

import (
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/tokenform"
)

// SchemaVersion is in every JSON document that zen prints.
const SchemaVersion = tokenform.SchemaVersion

// EmptyFlags refuses flags that were given nothing.
func EmptyFlags(c *cli.Context) error {
	for _, name := range []string{"access", "database", "profile", "config", "provider", "storage"} {
		if c.IsSet(name) && c.String(name) == "" {
			return Usage(c, "--%s is empty", name)
		}
	}
	return nil
}

// LoadOptions is where the configuration is, and what the line says over it.
func LoadOptions(c *cli.Context) config.LoadOptions {
	return config.LoadOptions{
		Path: GlobalString(c, "config"),
		Flags: config.Flags{
			Profile:  GlobalString(c, "profile"),
			Database: c.String("database"),
			Access:   c.String("access"),
			Storage:  c.String("storage"),
		},
	}
}

func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// The colours of paint.
const (
	Red    = "31"
	Green  = "32"
	Yellow = "33"
)

// Paint colours text for a terminal, and only there (https://no-color.org).
func Paint(w io.Writer, colour, text string) string {
	if !IsTerminal(w) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// PrintJSON writes one document to standard output.
func PrintJSON(c *cli.Context, document any) error {
	return WriteJSON(c.App.Writer, document)
}

// WriteJSON writes one document.
func WriteJSON(w io.Writer, document any) error { return tokenform.WriteJSON(w, document) }

// Notes is where things are told that are not the answer.
func Notes(c *cli.Context) io.Writer {
	if GlobalBool(c, "quiet") {
		return io.Discard
	}
	return c.App.ErrWriter
}

// Notifier tells what somebody should know beside the answer, a line each. --quiet
// doesn't keep back what a sign-in tells: a plain file that nobody asked for is
// never a secret.
func Notifier(c *cli.Context) func(string) {
	out := Notes(c)
	if c.Command.Name == "login" {
		out = c.App.ErrWriter
	}
	return func(text string) { fmt.Fprintf(out, "%szen: %s\n", clearLine(out), OneLine(text)) }
}
