package team

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/session"
)

// OrgCommand is zen org.
func OrgCommand() *cli.Command {
	return &cli.Command{
		Name:  "org",
		Usage: "show your organizations, and choose the one that tokens are issued for",
		Description: `A sign-in has one active organization, and its tokens are for that one. To work in
several at once, make a profile for each:

   zen profiles add globex --database app-globex --provider clerk --org globex
   zen login --profile globex`,
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list your organizations",
				Action: func(c *cli.Context) error {
					e := app.EnvOf(c)
					return e.WithSession(c.Context, func(s *session.Session) error { return listOrganizations(c.Context, e, s) })
				},
			},
			{
				Name: "use", Usage: "make another organization the active one", ArgsUsage: "ORG",
				Description: `   zen org use globex
   zen org use --none

Stored tokens for the previous organization are removed. A running program keeps its
token until it is renewed.`,
				Flags: []cli.Flag{&cli.BoolFlag{Name: "none", Usage: "have no active organization, if the provider allows that"}},
				Action: func(c *cli.Context) error {
					if given := c.NArg() == 1 && c.Args().First() != ""; c.NArg() > 1 || given == c.Bool("none") {
						return app.Usage(c, "name one organization, or say --none; zen org list shows yours")
					}
					e := app.EnvOf(c)
					return e.WithSession(c.Context, func(s *session.Session) error { return use(c.Context, e, s, c.Args().First()) })
				},
			},
		},
	}
}

type membershipDocument struct {
	organizationDocument
	Role   string `json:"role,omitempty"`
	Active bool   `json:"active"`
}

func membershipOf(m provider.Membership) membershipDocument {
	return membershipDocument{documentOf(m), app.OneLine(m.Role), m.Active}
}

func listOrganizations(ctx context.Context, e *app.Env, s *session.Session) error {
	status, services, err := served(ctx, s)
	if err != nil {
		return err
	}
	var memberships []provider.Membership
	if status.Provider == "" || slices.Contains(services, provider.ServiceOrganizations) {
		memberships, err = s.Organizations(ctx)
	} else {
		memberships, err = signedInTo(e, s, status)
	}
	if err != nil {
		return err
	}
	documents := []membershipDocument{}
	for _, m := range memberships {
		documents = append(documents, membershipOf(m))
	}
	if e.JSON {
		return e.PrintJSON(struct {
			SchemaVersion int                  `json:"schema_version"`
			Organizations []membershipDocument `json:"organizations"`
		}{app.SchemaVersion, documents})
	}
	table := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  ORGANIZATION\tNAME\tROLE\tID")
	for _, d := range documents {
		mark := " "
		if d.Active {
			mark = "*"
		}
		fmt.Fprintf(table, "%s %s\t%s\t%s\t%s\n", mark, d.label(), orDash(d.Name), orDash(d.Role), orDash(d.ID))
	}
	return table.Flush()
}

// signedInTo returns the organization of a sign-in whose provider lists none.
func signedInTo(e *app.Env, s *session.Session, status session.Status) ([]provider.Membership, error) {
	o := status.Account.Claims.Organization
	switch {
	case !status.SignedIn:
		return nil, &provider.Error{Kind: provider.ErrNoCredential, Message: fmt.Sprintf("not signed in to profile %q", s.Profile()), Hint: names.LoginCommand(s.Profile())}
	case o == nil:
		return nil, &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("provider %s lists no organizations, and this sign-in is for none", status.Provider),
			Hint: "zen login --org ORG signs in to one, where the provider has any",
		}
	}
	fmt.Fprintf(e.Notes(), "Provider %s lists no organizations: this is the one that you signed in to. zen login --org ORG signs in to another one.\n", status.Provider)
	return []provider.Membership{{Organization: *o, Active: true}}, nil
}

func use(ctx context.Context, e *app.Env, s *session.Session, name string) error {
	status, services, err := served(ctx, s)
	switch {
	case err != nil:
		return err
	case status.Provider != "" && !slices.Contains(services, provider.ServiceOrganizations):
		return &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("a sign-in with %s is for the one organization that it was made for", status.Provider),
			Hint: "zen login --org " + cmp.Or(name, "ORG") + " signs in to another one; zen profiles add NAME --org ORG keeps both",
		}
	}
	active, err := s.UseOrganization(ctx, name)
	if err != nil {
		return err
	}
	d := membershipOf(active)
	if active.ID == "" {
		fmt.Fprintf(e.Notes(), "Profile %q has no active organization from now on.\n", s.Profile())
	} else {
		fmt.Fprintf(e.Notes(), "Profile %q is in organization %s as %s from now on.\n", s.Profile(), d.label(), orDash(d.Role))
	}
	if !e.JSON {
		return nil
	}
	return e.PrintJSON(struct {
		SchemaVersion int                `json:"schema_version"`
		Profile       string             `json:"profile"`
		Organization  membershipDocument `json:"organization"`
	}{app.SchemaVersion, s.Profile(), d})
}
