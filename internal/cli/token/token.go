// Package token has the commands that a good stored token answers: token, status and
// exec.
package token

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/tokenform"
)

// Command is zen token.
func Command() *cli.Command {
	return &cli.Command{
		Name:  "token",
		Usage: "print a valid token",
		Description: `The token is for the profile's database and nothing else. If a valid token is stored,
it is verified and printed without starting a provider or using the network. zen token
never opens a browser: if a sign-in is needed, it says so and exits with 3.

   eval "$(zen token --format env)"                  sh, bash, zsh
   zen token --format env | source                   fish
   zen token --format env | Out-String | iex         PowerShell
   zen token --format header | curl -H @- URL        no secret in an argument
   zen token --format exec-credential                a document for kubectl
                                                     (client.authentication.k8s.io)`,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "renew", Usage: "get a new token, even if a valid one is stored"},
			&cli.StringFlag{Name: "format", Usage: "print as `FORMAT`: " + strings.Join(tokenform.Formats, ", "), Value: tokenform.Formats[0]},
			&cli.StringFlag{Name: "shell", Usage: "with --format env, write for `SHELL`: " + strings.Join(tokenform.ShellNames, ", ") + " (default: the one that SHELL names)"},
		}, tokenFlags()...),
		Action: func(c *cli.Context) error {
			for _, name := range []string{"format", "shell"} {
				if c.IsSet(name) && c.String(name) == "" {
					return app.Usage(c, "--%s is empty", name)
				}
			}
			o := Options{Renew: c.Bool("renew"), Shell: c.String("shell"), MinTTL: c.Duration("min-ttl")}
			if c.IsSet("format") {
				o.Format = c.String("format")
			}
			return o.Run(c.Context, app.EnvOf(c))
		},
	}
}

// tokenFlags say what a token has to be good for.
func tokenFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "access", Usage: "ask for `ACCESS`: ro or rw"},
		&cli.StringFlag{Name: "database", Usage: "get a token for the database at `URL`"},
		&cli.DurationFlag{Name: "min-ttl", Usage: "get a token that is valid for at least `DURATION`"},
	}
}

// Options are the flags of zen token.
type Options struct {
	// Format is one of tokenform.Formats; "" means the first of them, or json where the answer is to
	// be in JSON.
	Format string
	// Shell is one of tokenform.ShellNames, for the format env; "" means the one that SHELL names.
	Shell string
	// MinTTL is the least life that the token must have left.
	MinTTL time.Duration
	// Renew wants a new token, whatever is stored.
	Renew bool
}

// Run prints a token that is good now.
func (o Options) Run(ctx context.Context, e *app.Env) error {
	write, err := o.writer(e)
	if err != nil {
		return err
	}
	s, t, err := o.token(ctx, e)
	if err != nil {
		return err
	}
	return write(e.Out, answer(e, s, t))
}

// token is goodToken, or a new one.
func (o Options) token(ctx context.Context, e *app.Env) (*session.Session, provider.Token, error) {
	get := (*session.Session).TokenFor
	if o.Renew {
		get = (*session.Session).NewToken
	}
	return tokenBy(ctx, e, o.MinTTL, true, get)
}

// goodToken returns a token of the profile that is good now, and for minTTL. The
// provider that may have made it has ended. With tell, it says what it waits for.
func goodToken(ctx context.Context, e *app.Env, minTTL time.Duration, tell bool) (*session.Session, provider.Token, error) {
	return tokenBy(ctx, e, minTTL, tell, (*session.Session).TokenFor)
}

func tokenBy(ctx context.Context, e *app.Env, minTTL time.Duration, tell bool, issue func(*session.Session, context.Context, time.Duration) (provider.Token, error)) (s *session.Session, t provider.Token, err error) {
	if minTTL < 0 {
		return nil, t, e.Usage("--min-ttl %s is negative", minTTL)
	}
	err = e.WithSession(ctx, func(own *session.Session) error {
		s = own
		if err := s.NeedsDatabase(); err != nil {
			return err
		}
		get := func() (err error) {
			t, err = issue(s, ctx, minTTL)
			return err
		}
		if !tell {
			return get()
		}
		return e.Slowly("waiting for a token", get)
	})
	return s, t, err
}

// answer returns the token that tokenform hands out.
func answer(e *app.Env, s *session.Session, t provider.Token) tokenform.Answer {
	return tokenform.Answer{Profile: s.Profile(), Database: s.Target().URL, Chosen: e.Config.Flags.Database != "", Access: s.Access(), Token: t}
}

// writer writes a token in the form that is asked for.
func (o Options) writer(e *app.Env) (func(io.Writer, tokenform.Answer) error, error) {
	write, err := tokenform.Choice{Format: o.Format, Shell: o.Shell, JSON: e.JSON, Getenv: os.Getenv}.Writer()
	if flag, ok := errors.AsType[tokenform.FlagError](err); ok {
		return nil, e.Usage("%v", flag)
	}
	return write, err
}
