// Package signin has the commands that sign in and out, and those of profiles.
package signin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/cli/token"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
	"github.com/zen-auth/zen/internal/text"
)

// loginTimeout limits how long a person may take at the browser.
const loginTimeout = 5 * time.Minute

// LoginCommand is zen login.
func LoginCommand() *cli.Command {
	return &cli.Command{
		Name:  "login",
		Usage: "sign in, and use the provider from now on",
		Description: `The credential is stored in a sealed file whose key is in the system's keyring.
Without a keyring, zen says so and stores it in a plain file that only you can
read. Credentials of other providers are kept: to switch, sign in with another.

   zen login --provider clerk
   zen login --provider platformtoken    # when Turso refuses Clerk's tokens
   zen login --storage file              # also moves what is stored already`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "provider", Usage: "sign in with the provider `NAME`"},
			&cli.StringFlag{Name: "method", Usage: "sign in by `METHOD`; zen provider info NAME lists the provider's methods"},
			&cli.StringFlag{Name: "org", Usage: "sign in to the organization `ORG`"},
			&cli.StringFlag{Name: "storage", Usage: "keep the profile's credentials in `STORAGE`: keyring or file"},
			&cli.IntFlag{Name: "secret-fd", Usage: "read the secret from the file descriptor `N` instead of the terminal", Value: -1},
			&cli.BoolFlag{Name: "no-browser", Usage: "print the URL, but don't open a browser"},
			&cli.DurationFlag{Name: "timeout", Usage: "wait at most `DURATION` for the browser", Value: loginTimeout},
		},
		Before: func(c *cli.Context) error {
			if name, ok := handshake.ProviderName(handshake.BinaryName(c.Args().First())); ok && !c.IsSet("provider") {
				return &provider.Error{Kind: app.ErrUsage, Message: fmt.Sprintf("unexpected argument %q", name), Hint: "zen login --provider " + name}
			}
			return nil
		},
		Action: func(c *cli.Context) error {
			if c.IsSet("secret-fd") && c.Int("secret-fd") < 0 {
				return app.Usage(c, "--secret-fd %d is no file descriptor", c.Int("secret-fd"))
			}
			return LoginOptions{
				Provider: c.String("provider"), Method: c.String("method"), Organization: c.String("org"),
				SecretFD: c.Int("secret-fd"), Timeout: c.Duration("timeout"),
			}.Run(c.Context, app.EnvOf(c))
		},
	}
}

// LoginOptions are the flags of zen login.
type LoginOptions struct {
	// Provider signs in; "" means the one that the environment, the last login or the files
	// name, in this order.
	Provider string
	// Method and Organization are "" where the provider chooses.
	Method, Organization string
	// SecretFD is the file descriptor that a secret is read from; below zero, the
	// terminal is asked.
	SecretFD int
	// Timeout limits how long the person may take.
	Timeout time.Duration
}

// Run signs in.
func (o LoginOptions) Run(ctx context.Context, e *app.Env) error {
	if o.Timeout <= 0 {
		return e.Usage("--timeout %s is not positive", o.Timeout)
	}
	return e.WithSession(ctx, func(s *session.Session) error {
		return o.signIn(ctx, e, s)
	})
}

func (o LoginOptions) signIn(ctx context.Context, e *app.Env, s *session.Session) error {
	name, err := o.provider(ctx, s)
	if err != nil {
		return err
	}
	called := ctx
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	if err := o.checkProvider(ctx, s, name); err != nil {
		return err
	}
	plan, err := s.ChooseStorage(ctx)
	if err != nil {
		return err
	}
	o.tellForced(e, s, name)
	config := s.Config()
	config.Provider = name // for this run
	s = session.New(config)
	ui := app.NewUI(e)
	if o.SecretFD >= 0 {
		if err := ui.SecretFrom(o.SecretFD); err != nil {
			return err
		}
	}
	account, err := s.Login(ctx, name, provider.LoginRequest{
		Method: o.Method, Organization: o.Organization, Interactive: e.Answerable(),
	}, ui, plan)
	if err != nil {
		err = o.explain(ctx, name, ui.Last(), err)
	}
	if !errors.Is(err, provider.ErrNoProvider) { // which has answered nothing
		e.Remember(called, s, "login", err)
	}
	if err != nil {
		return err
	}
	ui.Done()
	client.RecordInstallation(e)
	fmt.Fprintf(e.Notes(), "Signed in to profile %q with %s as %s.\n", s.Profile(), name, accountName(account))
	if e.JSON {
		return token.PrintStatus(ctx, e, s)
	}
	return nil
}

// checkProvider refuses a provider that can't run, and a method that it doesn't have, before
// anything is said or asked. One that lists none decides itself.
func (o LoginOptions) checkProvider(ctx context.Context, s *session.Session, name string) error {
	description, err := s.Config().Providers.Describe(ctx, name)
	if err != nil {
		return err
	}
	if o.Method == "" {
		return nil
	}
	known := make([]string, len(description.Methods))
	for i, m := range description.Methods {
		known[i] = app.OneLine(m.Name)
	}
	if len(known) == 0 || slices.Contains(known, o.Method) {
		return nil
	}
	hint := "the methods are " + strings.Join(known, ", ")
	if near := text.Nearest(o.Method, known); near != "" {
		hint = "did you mean " + near + "? " + hint
	}
	return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("provider %s has no method %.40q", name, o.Method), Hint: hint}
}

// tellForced names the settings that override this login from the next command on.
func (o LoginOptions) tellForced(e *app.Env, s *session.Session, name string) {
	tellForcedProvider(e, s, name)
	if e.Config.Flags.Storage != "" && os.Getenv("ZEN_STORAGE") == string(store.StorageNone) {
		fmt.Fprintln(e.Notes(), "ZEN_STORAGE is none: this login is not looked at until it is unset.")
	}
}

// tellForcedProvider names the provider that overrides the one that was just chosen.
func tellForcedProvider(e *app.Env, s *session.Session, chosen string) {
	forced := s.Config().Provider
	if forced == "" || forced == chosen {
		return
	}
	why := "ZEN_PROVIDER is %s, and goes before this login until it is unset.\n"
	if os.Getenv("ZEN_PROVIDER") == "" {
		why = "The database that the project file chose is used with %s, also after a sign-in here with another provider.\n"
	}
	fmt.Fprintf(e.Notes(), why, forced)
}

// provider returns the flag, the environment, the last login or the files, in this order.
func (o LoginOptions) provider(ctx context.Context, s *session.Session) (string, error) {
	if o.Provider != "" {
		return o.Provider, nil
	}
	status, err := s.Status(ctx)
	if err != nil { // ChooseStorage will say whether that is in the way
		status.Provider = cmp.Or(s.Config().Provider, s.Config().DefaultProvider)
	}
	if status.Provider == "" {
		return "", &provider.Error{
			Kind: app.ErrUsage, Message: "which provider? name one with --provider NAME; zen provider list shows them",
			Hint: "zen init writes a profile from what lies around",
		}
	}
	return status.Provider, nil
}

// explain says what a time-out was about.
func (o LoginOptions) explain(ctx context.Context, name, last string, err error) error {
	// A provider's own end is up to three seconds before (loopback.WithEnd), and it may have
	// nothing to say of it.
	deadline, _ := ctx.Deadline()
	ended := errors.Is(err, context.DeadlineExceeded) && time.Until(deadline) < 4*time.Second
	if !ended && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return err
	}
	message := fmt.Sprintf("the sign-in with %s was not finished within %s", name, o.Timeout)
	if last != "" {
		message += ", where it was at: " + last
	}
	return &provider.Error{
		Kind:    provider.ErrUnavailable,
		Message: message,
		Hint:    "run zen login again and finish it in the browser, or give it more time with --timeout",
		Err:     err,
	}
}

// accountName returns the name of an account's owner, for people.
func accountName(a store.Account) string {
	return app.OneLine(cmp.Or(a.Credential.Subject, a.Claims.Subject, "an unnamed account"))
}
