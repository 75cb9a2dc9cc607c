//go:build !front

package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/session"
)

func logoutCommand() *cli.Command {
	return &cli.Command{
		Name:  "logout",
		Usage: "revoke the credential, and forget it",
		Description: `The credential is forgotten here whatever the issuer answers; where it could
not be revoked there, zen says so. Tokens already handed out live until they
expire.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "all", Usage: "of every provider of the profile, not only the one in use"},
		},
		Action: logout,
	}
}

func logout(c *cli.Context) error {
	if err := noMoreThan(c, 0); err != nil {
		return err
	}
	return withSession(c, func(s *session.Session) error {
		results, err := s.Logout(c.Context, c.Bool("all"))
		if err != nil {
			return err
		}
		if len(results) == 0 {
			fmt.Fprintf(notes(c), "Nobody was signed in to profile %q.\n", s.Profile)
		}
		var failed error
		for _, r := range results {
			switch {
			case r.NotRevoked == nil:
				fmt.Fprintf(notes(c), "Signed out of %s: revoked and forgotten.\n", r.Provider)
			case errors.Is(r.NotRevoked, errors.ErrUnsupported):
				fmt.Fprintf(notes(c), "Signed out of %s: forgotten. There was nothing that %s could revoke.\n", r.Provider, r.Provider)
			case errors.Is(r.NotRevoked, provider.ErrRejected):
				fmt.Fprintf(notes(c), "Signed out of %s: forgotten. It had ended at the issuer already.\n", r.Provider)
			default:
				failed = errors.Join(failed, fmt.Errorf("%s: forgotten here, but not revoked at the issuer: %w", r.Provider, r.NotRevoked))
			}
		}
		return failed
	})
}
