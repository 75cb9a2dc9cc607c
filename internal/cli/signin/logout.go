package signin

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/session"
)

// LogoutCommand is zen logout.
func LogoutCommand() *cli.Command {
	return &cli.Command{
		Name:  "logout",
		Usage: "revoke the credential, and forget it",
		Description: `The credential is removed from this machine whatever the issuer answers. If it could
not be revoked, for example because the issuer can't be reached, zen says so, and
the exit code gives the reason (4). The same holds if the sealed file can't be opened
because the keyring is unavailable: zen then removes the file, with the sign-ins of
all providers. Tokens that were issued already stay valid until they expire.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "all", Usage: "log out of every provider of the profile, not only the one in use"},
			&cli.BoolFlag{Name: "browser", Usage: "also end the browser's own session at the issuer"},
		},
		Action: func(c *cli.Context) error {
			return LogoutOptions{All: c.Bool("all"), Browser: c.Bool("browser")}.Run(c.Context, app.EnvOf(c))
		},
	}
}

// LogoutOptions are the flags of zen logout.
type LogoutOptions struct {
	// All signs out of every provider of the profile, not only the one in use.
	All bool
	// Browser ends the browser's own session at the issuer, too.
	Browser bool
}

// Run revokes the credential, and forgets it.
func (o LogoutOptions) Run(ctx context.Context, e *app.Env) error {
	return e.WithSession(ctx, func(s *session.Session) error {
		var pages []session.BrowserSession
		if o.Browser {
			var err error
			if pages, err = s.BrowserSessions(ctx, o.All); err != nil {
				fmt.Fprintf(e.Notes(), "The browser's session is left as it is: %s.\n", app.OneLine(err.Error()))
			}
		}
		results, err := s.Logout(ctx, o.All)
		if err != nil && !errors.Is(err, provider.ErrNoCredential) {
			return err
		}
		switch {
		case err != nil: // it is as was wished
			fmt.Fprintf(e.Notes(), "Nothing to do: %s.\n", app.OneLine(err.Error()))
		case len(results) == 0:
			fmt.Fprintf(e.Notes(), "Nothing to do: not signed in to profile %q.\n", s.Profile())
		}
		endInBrowser(ctx, e, pages)
		return reportSignedOut(ctx, e, s.Profile(), results)
	})
}

// endInBrowser opens the pages that end the browser's sessions. What it can't open, it
// shows.
func endInBrowser(ctx context.Context, e *app.Env, pages []session.BrowserSession) {
	ui := app.NewUI(e)
	defer ui.Done()
	for _, p := range pages {
		err := p.Err
		if err == nil {
			err = ui.OpenURL(ctx, p.Provider, p.URL, "")
		}
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			fmt.Fprintf(e.Notes(), "%s keeps no browser signed in that zen could sign out.\n", p.Provider)
		case err != nil:
			fmt.Fprintf(e.Notes(), "The browser's session of %s is left as it is: %s.\n", p.Provider, app.OneLine(err.Error()))
		}
	}
}

type logoutDocument struct {
	SchemaVersion int              `json:"schema_version"`
	Profile       string           `json:"profile"`
	SignedOut     []signedOutEntry `json:"signed_out"`
}

// signedOutEntry is a credential that is forgotten here.
type signedOutEntry struct {
	Provider string `json:"provider"`
	Account  string `json:"account,omitempty"`
	// Revoked reports whether it has ended at the issuer; Reason says why not.
	Revoked bool   `json:"revoked"`
	Reason  string `json:"reason,omitempty"`
}

// reportSignedOut says what became of each credential. That one could not be revoked
// is the error; it is forgotten here all the same.
func reportSignedOut(ctx context.Context, e *app.Env, profile string, results []session.SignedOut) error {
	d := logoutDocument{app.SchemaVersion, profile, []signedOutEntry{}}
	var failed, last error
	var names string // of those that failed for the last reason
	for _, r := range results {
		entry := signedOutEntry{Provider: r.Provider, Account: app.OneLine(r.Subject), Revoked: true}
		switch {
		case r.NotRevoked == nil:
			fmt.Fprintf(e.Notes(), "Signed out of %s: revoked and forgotten.\n", r.Provider)
		case errors.Is(r.NotRevoked, errors.ErrUnsupported):
			fmt.Fprintf(e.Notes(), "Signed out of %s: forgotten. There was nothing that %s could revoke.\n", r.Provider, r.Provider)
			entry.Revoked, entry.Reason = false, r.Provider+" has nothing to revoke"
		case errors.Is(r.NotRevoked, provider.ErrRejected):
			fmt.Fprintf(e.Notes(), "Signed out of %s: forgotten. It had ended at the issuer already.\n", r.Provider)
		default:
			if last != nil && last.Error() == r.NotRevoked.Error() {
				names += ", " + r.Provider
			} else {
				failed, last, names = alsoFailed(failed, names, last), r.NotRevoked, r.Provider
			}
			entry.Revoked, entry.Reason = false, app.OneLine(r.NotRevoked.Error())
		}
		d.SignedOut = append(d.SignedOut, entry)
	}
	failed = alsoFailed(failed, names, last)
	if failed != nil && ctx.Err() != nil {
		// The error will be the interrupt; what it left behind is told all the same.
		fmt.Fprintf(e.Err, "zen: %s\n", app.OneLine(failed.Error()))
	}
	if e.JSON {
		return errors.Join(failed, e.PrintJSON(d))
	}
	return failed
}

// alsoFailed adds to the failures that the named providers' credentials were not
// revoked; none were where err is nil.
func alsoFailed(failed error, names string, err error) error {
	if err == nil {
		return failed
	}
	err = fmt.Errorf("%s: forgotten here, but not revoked at the issuer: %w", names, err)
	if failed != nil {
		err = fmt.Errorf("%w; %w", failed, err)
	}
	return err
}
