package main

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/session"
)

func tokenCommand() *cli.Command {
	return &cli.Command{
		Name:  "token",
		Usage: "print a token that is good now",
		Description: `The token is for the profile's database and nothing else. A stored token that
is good is verified and printed, without a provider process and without the
network. zen token never opens a browser: when a sign-in is needed it says so
and exits with 3.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Usage: "`FORMAT`: raw or json", Value: "raw"},
			&cli.StringFlag{Name: "access", Usage: "ask for `ACCESS`: ro or rw"},
			&cli.StringFlag{Name: "database", Usage: "for the database at `URL`"},
			&cli.DurationFlag{Name: "min-ttl", Usage: "good for `DURATION` at least"},
		},
		Action: token,
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

func token(c *cli.Context) error {
	if err := noMoreThan(c, 0); err != nil {
		return err
	}
	format := c.String("format")
	if globalBool(c, "json") {
		format = "json"
	}
	if format != "raw" && format != "json" {
		return usage(c, "--format %q is not raw or json", format)
	}
	if c.Duration("min-ttl") < 0 {
		return usage(c, "--min-ttl %s is negative", c.Duration("min-ttl"))
	}
	return withSession(c, func(s *session.Session) error {
		if err := s.NeedsDatabase(); err != nil {
			return err
		}
		var t provider.Token
		err := slowly(c, "waiting for a token", func() (err error) {
			t, err = s.TokenFor(c.Context, c.Duration("min-ttl"))
			return err
		})
		if err != nil {
			return err
		}
		if format == "raw" {
			_, err := fmt.Fprintln(c.App.Writer, t.Value.Reveal())
			return err
		}
		return printJSON(c, tokenDocument{
			SchemaVersion: schemaVersion, Profile: s.Profile, Database: s.Target.URL, Access: string(s.Access),
			Token: t.Value.Reveal(), IssuedAt: instant(t.Issued), ExpiresAt: instant(t.Expires),
		})
	})
}

// instant is null in JSON for a time that is not known.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
