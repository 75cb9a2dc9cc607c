// Package client opens what a command line is about: the configuration, the store,
// the providers and the selected session, with a renewal that outlives the command.
package client

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/early"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/replace"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/zen"
)

// With loads the configuration, runs fn and stops the providers. A renewal that was started
// early has ended then, too, if nothing needed it.
func With(ctx context.Context, e *app.Env, fn func(*zen.Client) error) error {
	defer func() {
		if ctx.Err() == nil { // who interrupts doesn't wait
			early.End()
		}
	}()
	a := &actor{env: e}
	defer a.close()
	return with(ctx, e, func(o *zen.Options) { o.ActInChild = a.act }, fn)
}

// with is With, with more options.
func with(ctx context.Context, e *app.Env, more func(*zen.Options), fn func(*zen.Client) error) error {
	o, err := options(e)
	if err != nil {
		return err
	}
	var renewing renewals
	o.RenewInChild = renewing.by(e)
	if name := o.Config.Flags.Database; zen.IsName(name) {
		target, err := lookUp(ctx, o, name)
		if err != nil {
			return err
		}
		o.Config.Flags.Database, o.Config.Flags.DatabaseID = target.URL, target.DatabaseID
		e.Config = o.Config
	}
	more(&o)
	defer renewing.wait(ctx)
	return use(ctx, o, fn)
}

// use runs fn with a client, and stops its providers, also when the command was
// interrupted.
func use(ctx context.Context, o zen.Options, fn func(*zen.Client) error) error {
	client, err := zen.New(o)
	if err != nil {
		return err
	}
	err = fn(client)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return cmp.Or(err, client.Close(ctx))
}

// lookUp finds the database of a name, as the profile's providers know it.
func lookUp(ctx context.Context, o zen.Options, name string) (target provider.Target, err error) {
	o.Config.Flags.Database = ""
	err = use(ctx, o, func(client *zen.Client) error {
		target, err = client.Resolve(ctx, name)
		return err
	})
	return target, err
}

// WithSession runs fn with the session of the selected profile.
func WithSession(ctx context.Context, e *app.Env, fn func(*session.Session) error) error {
	return With(ctx, e, func(client *zen.Client) error {
		s, err := client.Session("")
		if err != nil {
			return err
		}
		return fn(s)
	})
}

func options(e *app.Env) (zen.Options, error) {
	o := zen.Options{
		Config: e.Config, Bundled: bundledSums(), Notify: e.Notify,
		Overridden: warnOverridden(e.Err), Reattach: os.Getenv(handshake.ReattachKey), Watcher: watcher(),
	}
	var err error
	if o.Keyring, err = e.Keyring(); err != nil {
		return o, err
	}
	if e.Interactive() {
		o.AskProvider = func(ctx context.Context, b host.Binary) (bool, error) {
			return trustProvider(ctx, app.NewUI(e), b)
		}
		o.AskVariables = func(ctx context.Context, b host.Binary, names []string) (bool, error) {
			return allowVariables(ctx, app.NewUI(e), b, names)
		}
	}
	level, err := logLevel(e.Debug)
	if level != "off" {
		o.Log, o.LogLevel = e.Err, level
	}
	return o, err
}

// watcher returns the program that watches providers: the front, which starts quicker, or this
// one.
func watcher() string {
	self, err := replace.Self()
	if err != nil {
		return ""
	}
	front := filepath.Join(filepath.Dir(self), "zen"+filepath.Ext(self))
	if info, err := os.Stat(front); err == nil && info.Mode().IsRegular() {
		return front
	}
	return self
}

// logLevel returns the least level of the providers' log that is shown: that of ZEN_LOG_PROVIDER, or
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
