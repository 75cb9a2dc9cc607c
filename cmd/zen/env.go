package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/zen-auth/zen/core"
	"github.com/zen-auth/zen/core/config"
	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/session"
)

// schemaVersion is in every JSON document that zen prints. It grows when a field
// changes its meaning or goes away.
const schemaVersion = 1

// withClient loads the configuration, runs fn and stops the providers.
func withClient(c *cli.Context, fn func(*core.Client) error) error {
	for _, name := range []string{"access", "database", "profile", "config", "provider"} {
		if c.IsSet(name) && c.String(name) == "" {
			return usage(c, "--%s is empty", name)
		}
	}
	o, err := options(c)
	if err != nil {
		return err
	}
	client, err := core.New(o)
	if err != nil {
		return err
	}
	err = fn(client)
	// The providers are stopped also when the command was interrupted.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context), 5*time.Second)
	defer cancel()
	if closeErr := client.Close(ctx); err == nil {
		err = closeErr
	}
	return err
}

// withSession is withClient for the session of the selected profile.
func withSession(c *cli.Context, fn func(*core.Client, *session.Session) error) error {
	return withClient(c, func(client *core.Client) error {
		s, err := client.Session("")
		if err != nil {
			return err
		}
		return fn(client, s)
	})
}

func options(c *cli.Context) (core.Options, error) {
	o := core.Options{Config: config.LoadOptions{
		Path: globalString(c, "config"),
		Flags: config.Flags{
			Profile:  globalString(c, "profile"),
			Database: c.String("database"),
			Access:   c.String("access"),
		},
	}}
	o.Bundled = bundledSums()
	o.Overridden, o.Reattach = warnOverridden(c), os.Getenv(plugin.ReattachKey)
	if interactive(c) {
		o.AskProvider = newUI(c).trustProvider
	}
	level, err := logLevel(globalBool(c, "debug"))
	if level != "off" {
		o.Log, o.LogLevel = c.App.ErrWriter, level
	}
	return o, err
}

// logLevel is what of the providers' log is shown: what ZEN_LOG_PROVIDER says, or
// ZEN_LOG, or --debug, or nothing.
func logLevel(debug bool) (string, error) {
	for _, variable := range []string{"ZEN_LOG_PROVIDER", "ZEN_LOG"} {
		level := strings.ToLower(os.Getenv(variable))
		switch {
		case level == "":
		case !slices.Contains(plugin.LogLevels, level):
			return "off", &provider.Error{
				Kind: provider.ErrConfig, Message: fmt.Sprintf("%s is %.20q", variable, level),
				Hint: "it takes " + strings.Join(plugin.LogLevels, ", "),
			}
		default:
			return level, nil
		}
	}
	if debug {
		return "debug", nil
	}
	return "off", nil
}

// interactive reports whether somebody can be asked.
func interactive(c *cli.Context) bool {
	return !globalBool(c, "no-input") && !truthy(os.Getenv("CI")) &&
		isTerminal(c.App.Reader) && isTerminal(c.App.ErrWriter)
}

// browserAllowed reports whether a browser may be opened: a person need not be at
// the terminal for that, but nobody may have said that there is none.
func browserAllowed(c *cli.Context) bool {
	return !globalBool(c, "no-input") && !c.Bool("no-browser") && (!truthy(os.Getenv("CI")) || os.Getenv("BROWSER") != "")
}

func truthy(s string) bool { return s != "" && s != "0" && s != "false" }

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
	encoder := json.NewEncoder(c.App.Writer)
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
