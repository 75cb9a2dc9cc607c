// Package token has the commands that a good stored token answers: token, status and
// exec.
package token

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/tokenform"
)

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
			&cli.StringFlag{Name: "format", Usage: "print as `FORMAT`: " + strings.Join(tokenform.Formats, ", "), Value: tokenform.Formats[0]},
			&cli.StringFlag{Name: "shell", Usage: "with --format env, write for `SHELL`: " + strings.Join(tokenform.ShellNames, ", ") + " (default: the one that SHELL names)"},
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
	return write(c.App.Writer, answer(s, t))
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

// answer is what tokenform hands out.
func answer(s *session.Session, t provider.Token) tokenform.Answer {
	return tokenform.Answer{Profile: s.Profile(), Database: s.Target().URL, Access: s.Access(), Token: t}
}

// tokenWriter is what --format, --shell and --json ask for.
func tokenWriter(c *cli.Context) (func(io.Writer, tokenform.Answer) error, error) {
	choice := tokenform.Choice{Shell: c.String("shell"), JSON: app.GlobalBool(c, "json"), Getenv: os.Getenv}
	for _, name := range []string{"format", "shell"} {
		if c.IsSet(name) && c.String(name) == "" {
			return nil, app.Usage(c, "--%s is empty", name)
		}
	}
	if c.IsSet("format") {
		choice.Format = c.String("format")
	}
	write, err := choice.Writer()
	var flag tokenform.FlagError
	if errors.As(err, &flag) {
		return nil, app.Usage(c, "%v", flag)
	}
	return write, err
}
