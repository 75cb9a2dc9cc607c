package team

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
)

func inviteCommand() *cli.Command {
	return &cli.Command{
		Name: "invite", Usage: "invite people to the organization", ArgsUsage: "EMAIL...",
		Description: `   zen team invite carol@example.com dan@example.com --role member
   zen team invite --csv people.csv --dry-run

The file has a line for each person below a line with the names of its columns: email,
and role, redirect_url and expires where they differ from the flags. "-" is the
standard input. There is a line for each person who can't be invited, and the others are invited.
If it has to stop halfway, the answer says who was invited and who was not.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "role", Usage: "invite as `ROLE`, a role of the provider (default: the provider's default role)"},
			&cli.StringFlag{Name: "redirect", Usage: "have the invitation lead to `URL`, if the provider supports that"},
			&cli.StringFlag{Name: "expires", Usage: "have the invitation expire after `TIME`, such as 72h or 7d, if the provider supports that"},
			&cli.StringFlag{Name: "csv", Usage: "also invite the people in `FILE`", TakesFile: true},
			orgFlag(), dryRunFlag(),
		},
		Action: func(c *cli.Context) error {
			invites, err := invitesOf(c)
			if err != nil {
				return err
			}
			return withGroup(c, func(ctx context.Context, e *app.Env, g group) error {
				return invite(ctx, e, g, invites, c.Bool("dry-run"))
			})
		},
	}
}

// invitesOf returns the invitations that the line and its file ask for.
func invitesOf(c *cli.Context) ([]provider.Invite, error) {
	usual := provider.Invite{Role: c.String("role"), RedirectURL: c.String("redirect")}
	var err error
	if usual.Lifetime, err = parseLifetime(c.String("expires")); err != nil {
		return nil, app.Usage(c, "--expires: %v", err)
	}
	if err := checkRedirect(usual.RedirectURL); err != nil {
		return nil, app.Usage(c, "--redirect: %v", err)
	}
	var invites []provider.Invite
	seen := map[string]bool{}
	add := func(i provider.Invite) error {
		if err := checkAddress(i.Email); err != nil {
			return err
		}
		if seen[strings.ToLower(i.Email)] {
			return fmt.Errorf("%.100q is there twice", i.Email)
		}
		seen[strings.ToLower(i.Email)] = true
		invites = append(invites, i)
		return nil
	}
	for _, address := range c.Args().Slice() {
		i := usual
		i.Email = address
		if err := add(i); err != nil {
			return nil, app.Usage(c, "%v", err)
		}
	}
	if file := c.String("csv"); file != "" {
		if err := readPeople(c.Context, file, c.App.Reader, usual, add); c.Context.Err() != nil {
			return nil, c.Context.Err()
		} else if err != nil {
			return nil, app.Usage(c, "%v", err)
		}
	}
	if len(invites) == 0 {
		return nil, app.Usage(c, "whom? give e-mail addresses, or --csv FILE")
	}
	return invites, nil
}

func checkAddress(address string) error {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || len(address) > 254 {
		return fmt.Errorf("%.100q is no e-mail address", address)
	}
	return nil
}

func checkRedirect(text string) error {
	if u, err := url.Parse(text); text != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return fmt.Errorf("%.100q is no URL like https://app.example/welcome", text)
	}
	return nil
}

// parseLifetime reads a duration, which may be of days; "" means zero.
func parseLifetime(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if number, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		n, err = strconv.Atoi(number)
		d = time.Duration(n) * 24 * time.Hour
		if err == nil && n > 3650 {
			err = errors.New("too many")
		}
	}
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%.40q is not a time like 72h or 7d", text)
	}
	return d, nil
}

func invite(ctx context.Context, e *app.Env, g group, invites []provider.Invite, dry bool) error {
	j := job{done: "invited", dry: dry}
	known := map[string]string{}
	if dry {
		var err error
		if known, err = g.known(ctx); err != nil {
			return err
		}
	}
	for _, i := range invites {
		s := step{email: i.Email, role: i.Role}
		s.do = func(ctx context.Context, o *outcome) error {
			if dry {
				if is := known[strings.ToLower(i.Email)]; is != "" {
					return errors.New(is)
				}
				return nil
			}
			made, err := g.Invite(ctx, i)
			if err == nil {
				o.ID, o.ExpiresAt = app.OneLine(made.ID), app.Instant(made.Expires)
				if made.Role != "" {
					o.Role = app.OneLine(made.Role)
				}
			}
			return err
		}
		j.steps = append(j.steps, s)
	}
	return j.run(ctx, e, g)
}

// known says of those who can't be invited, by their addresses in lower case, why.
func (g group) known(ctx context.Context) (map[string]string, error) {
	members, err := g.Members(ctx)
	if err != nil {
		return nil, err
	}
	invitations, err := g.Invitations(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	for _, i := range invitations {
		known[strings.ToLower(i.Email)] = "an invitation is pending already"
	}
	for _, m := range members {
		known[strings.ToLower(m.Email)] = "is a member already"
	}
	return known, nil
}
