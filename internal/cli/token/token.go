// Package token has the commands that a good stored token answers: token, status and
// exec.
package token

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/session"
)

// TokenFormats are what --format takes, the default first.
var TokenFormats = []string{"raw", "json", "env", "header", "exec-credential"}

func TokenCommand() *cli.Command {
	return &cli.Command{
		Name:  "token",
		Usage: "print a token that is good now",
		Description: `The token is for the profile's database and nothing else. A stored token that
is good is verified and printed, without a provider process and without the
network. zen token never opens a browser: when a sign-in is needed it says so
and exits with 3.

   eval "$(zen token --format env)"                  sh, bash, zsh
   zen token --format env | source                   fish
   zen token --format env | Out-String | iex         PowerShell
   zen token --format header | curl -H @- URL        no secret in an argument
   zen token --format exec-credential                a client.authentication.k8s.io
                                                     document, as kubectl reads it`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "format", Usage: "print as `FORMAT`: " + strings.Join(TokenFormats, ", "), Value: TokenFormats[0]},
			&cli.StringFlag{Name: "shell", Usage: "with --format env, write for `SHELL`: " + strings.Join(ShellNames, ", ") + " (default: the one that SHELL names)"},
		}, tokenFlags()...),
		Action: token,
	}
}

// tokenFlags say what a token has to be good for.
func tokenFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "access", Usage: "ask for `ACCESS`: ro or rw"},
		&cli.StringFlag{Name: "database", Usage: "for the database at `URL`"},
		&cli.DurationFlag{Name: "min-ttl", Usage: "good for `DURATION` at least"},
	}
}

func token(c *cli.Context) error {
	if err := app.NoMoreThan(c, 0); err != nil {
		return err
	}
	write, err := tokenWriter(c)
	if err != nil {
		return err
	}
	s, t, err := goodToken(c, true)
	if err != nil {
		return err
	}
	return write(c.App.Writer, s, t)
}

// goodToken returns a token of the profile that is good now, or for --min-ttl. The
// provider that may have made it has ended. With tell, it says what it waits for.
func goodToken(c *cli.Context, tell bool) (s *session.Session, t provider.Token, err error) {
	if c.Duration("min-ttl") < 0 {
		return nil, t, app.Usage(c, "--min-ttl %s is negative", c.Duration("min-ttl"))
	}
	err = app.WithSession(c, func(own *session.Session) error {
		s = own
		if err := s.NeedsDatabase(); err != nil {
			return err
		}
		get := func() (err error) {
			t, err = s.TokenFor(c.Context, c.Duration("min-ttl"))
			return err
		}
		if !tell {
			return get()
		}
		return app.Slowly(c, "waiting for a token", get)
	})
	return s, t, err
}

// tokenWriter is what --format, --shell and --json ask for.
func tokenWriter(c *cli.Context) (func(io.Writer, *session.Session, provider.Token) error, error) {
	format := c.String("format")
	if app.GlobalBool(c, "json") {
		if c.IsSet("format") && format != "json" {
			return nil, app.Usage(c, "--json and --format %s are two answers", format)
		}
		format = "json"
	}
	if c.IsSet("shell") && format != "env" {
		return nil, app.Usage(c, "--shell is for --format env")
	}
	switch format {
	case "raw":
		return writeLine(func(t provider.Token) string { return t.Value.Reveal() }), nil
	case "header":
		return writeLine(func(t provider.Token) string { return "Authorization: Bearer " + t.Value.Reveal() }), nil
	case "json":
		return func(_ io.Writer, s *session.Session, t provider.Token) error {
			return app.PrintJSON(c, newTokenDocument(s, t))
		}, nil
	case "env":
		shell := shellOr(c.String("shell"), os.Getenv("SHELL"))
		if !slices.Contains(ShellNames, shell) {
			return nil, app.Usage(c, "--shell %q is not %s", shell, strings.Join(ShellNames, ", "))
		}
		return func(w io.Writer, s *session.Session, t provider.Token) error {
			_, err := io.WriteString(w, shellText(shell, tokenEnvironment(s.Target().URL, t)))
			return err
		}, nil
	case "exec-credential":
		version, err := execCredentialVersion(os.Getenv("KUBERNETES_EXEC_INFO"))
		if err != nil {
			return nil, err
		}
		return func(_ io.Writer, _ *session.Session, t provider.Token) error {
			return app.PrintJSON(c, newExecCredential(version, t))
		}, nil
	}
	return nil, app.Usage(c, "--format %q is not %s", format, strings.Join(TokenFormats, ", "))
}

func writeLine(text func(provider.Token) string) func(io.Writer, *session.Session, provider.Token) error {
	return func(w io.Writer, _ *session.Session, t provider.Token) error {
		_, err := fmt.Fprintln(w, text(t))
		return err
	}
}

type tokenDocument struct {
	SchemaVersion int        `json:"schema_version"`
	Profile       string     `json:"profile"`
	Database      string     `json:"database"`
	Access        string     `json:"access"`
	Token         string     `json:"token"`
	IssuedAt      *time.Time `json:"issued_at"`
	ExpiresAt     *time.Time `json:"expires_at"`
}

func newTokenDocument(s *session.Session, t provider.Token) tokenDocument {
	return tokenDocument{
		SchemaVersion: app.SchemaVersion, Profile: s.Profile(), Database: s.Target().URL, Access: string(s.Access()),
		Token: t.Value.Reveal(), IssuedAt: app.Instant(t.Issued), ExpiresAt: app.Instant(t.Expires),
	}
}
