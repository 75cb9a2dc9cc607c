package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/zen-auth/zen/internal/config"
)

// schemaVersion is in every JSON document that zen prints. It grows when a field
// changes its meaning or goes away.
const schemaVersion = 1

// emptyFlags refuses flags that were given nothing.
func emptyFlags(c *cli.Context) error {
	for _, name := range []string{"access", "database", "profile", "config", "provider", "storage"} {
		if c.IsSet(name) && c.String(name) == "" {
			return usage(c, "--%s is empty", name)
		}
	}
	return nil
}

// loadOptions is where the configuration is, and what the line says over it.
func loadOptions(c *cli.Context) config.LoadOptions {
	return config.LoadOptions{
		Path: globalString(c, "config"),
		Flags: config.Flags{
			Profile:  globalString(c, "profile"),
			Database: c.String("database"),
			Access:   c.String("access"),
			Storage:  c.String("storage"),
		},
	}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// The colours of paint.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
)

// paint colours text for a terminal, and only there (https://no-color.org).
func paint(w io.Writer, colour, text string) string {
	if !isTerminal(w) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// printJSON writes one document to standard output.
func printJSON(c *cli.Context, document any) error {
	return writeJSON(c.App.Writer, document)
}

func writeJSON(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

// notes is where things are told that are not the answer.
func notes(c *cli.Context) io.Writer {
	if globalBool(c, "quiet") {
		return io.Discard
	}
	return c.App.ErrWriter
}

// notifier tells what somebody should know beside the answer, a line each. --quiet
// doesn't keep back what a sign-in tells: a plain file that nobody asked for is
// never a secret.
func notifier(c *cli.Context) func(string) {
	out := notes(c)
	if c.Command.Name == "login" {
		out = c.App.ErrWriter
	}
	return func(text string) { fmt.Fprintf(out, "%szen: %s\n", clearLine(out), oneLine(text)) }
}
