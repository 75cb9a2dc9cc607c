// Package client opens what a command line is about: the configuration, the store,
// the providers and the selected session, with a renewal that outlives the command.
package client

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/session"
)

// With loads the configuration, runs fn and stops the providers.
func With(c *cli.Context, fn func(*core.Client) error) error {
	if err := app.EmptyFlags(c); err != nil {
		return err
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

// WithSession runs fn with the session of the selected profile.
func WithSession(c *cli.Context, fn func(*session.Session) error) error {
	return With(c, func(client *core.Client) error {
		s, err := client.Session("")
		if err != nil {
			return err
		}
		return fn(s)
	})
}

func options(c *cli.Context) (core.Options, error) {
	o := core.Options{
		Config: app.LoadOptions(c), Bundled: bundledSums(), Notify: app.Notifier(c), RenewInChild: renewer(c),
		Overridden: warnOverridden(c), Reattach: os.Getenv(handshake.ReattachKey),
	}
	var err error
	if o.Keyring, err = app.KeyringOptions(c); err != nil {
		return o, err
	}
	if app.Interactive(c) {
		o.AskProvider = func(ctx context.Context, b host.Binary) (bool, error) {
			return trustProvider(ctx, app.NewUI(c), b)
		}
	}
	level, err := logLevel(app.GlobalBool(c, "debug"))
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
		case !slices.Contains(host.LogLevels(), level):
			return "off", &provider.Error{
				Kind: provider.ErrConfig, Message: fmt.Sprintf("%s is %.20q", variable, level),
				Hint: "it takes " + strings.Join(host.LogLevels(), ", "),
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
