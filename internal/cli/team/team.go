// Package team has the commands about the organization of the sign-in: who is
// in it, and which one it is.
package team

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/session/team"
)

// Command is zen team.
func Command() *cli.Command {
	return &cli.Command{
		Name:  "team",
		Usage: "manage the members of the organization",
		Description: `zen does this as the person who is signed in, with that person's rights: no secret key
is needed. The organization is the sign-in's active one, or the one that --org names.

   zen team list
   zen team invite carol@example.com dan@example.com --role member
   zen team invite --csv people.csv --dry-run
   zen team role carol@example.com admin
   zen team remove dan@example.com`,
		Subcommands: []*cli.Command{listCommand(), inviteCommand(), revokeCommand(), removeCommand(), roleCommand()},
	}
}

func orgFlag() cli.Flag {
	return &cli.StringFlag{Name: "org", Usage: "use the organization `ORG`, an id or slug, instead of the active one"}
}

func dryRunFlag() cli.Flag {
	return &cli.BoolFlag{Name: "dry-run", Usage: "show what would be done, and change nothing"}
}

// group is the organization that a command is about.
type group struct {
	*team.Team
	org organizationDocument
}

type organizationDocument struct {
	ID   string `json:"id,omitempty"`
	Slug string `json:"slug,omitempty"`
	Name string `json:"name,omitempty"`
}

// label returns the organization for people.
func (o organizationDocument) label() string { return cmp.Or(o.Slug, o.ID, "the active organization") }

// withGroup runs fn with the organization that --org names, or the active one.
func withGroup(c *cli.Context, fn func(ctx context.Context, e *app.Env, g group) error) error {
	e := app.EnvOf(c)
	return e.WithSession(c.Context, func(s *session.Session) error {
		g, err := find(c.Context, s, c.String("org"))
		if err != nil {
			return err
		}
		err = fn(c.Context, e, g)
		if !errors.Is(err, provider.ErrConfig) { // of somebody who isn't there, say
			e.Remember(c.Context, s, "team "+c.Command.Name, err)
		}
		return err
	})
}

// find looks the organization up, if the provider lists the ones there are, so that what
// follows is about it by its id.
func find(ctx context.Context, s *session.Session, name string) (group, error) {
	status, services, err := served(ctx, s)
	if err != nil {
		return group{}, err
	}
	if status.Provider != "" && !slices.Contains(services, provider.ServiceTeam) {
		return group{}, &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("provider %s manages no organization's members", status.Provider),
			Hint: "zen team works with a sign-in by one that does: clerk, auth0",
		}
	}
	if status.Provider != "" && !slices.Contains(services, provider.ServiceOrganizations) {
		// The sign-in is for one, which the provider holds it to.
		if o := status.Account.Claims.Organization; o != nil && (name == "" || name == o.ID || name == o.Slug) {
			t, err := team.Of(s, *o)
			return group{t, documentOf(provider.Membership{Organization: *o})}, err
		}
		t, err := team.New(s, name)
		return group{t, organizationDocument{ID: name}}, err
	}
	memberships, err := s.Organizations(ctx)
	if err != nil {
		return group{}, err
	}
	name = cmp.Or(name, s.Config().Organization)
	for _, m := range memberships {
		if name == "" && m.Active || name != "" && (name == m.ID || name == m.Slug) {
			t, err := team.Of(s, m.Organization)
			return group{t, documentOf(m)}, err
		}
	}
	return group{}, notAmong(name, memberships)
}

func documentOf(m provider.Membership) organizationDocument {
	return organizationDocument{app.OneLine(m.ID), app.OneLine(m.Slug), app.OneLine(m.Name)}
}

// notAmong returns the error for an organization that the user is not in.
func notAmong(name string, memberships []provider.Membership) error {
	own := make([]string, 0, len(memberships))
	for _, m := range memberships {
		own = append(own, documentOf(m).label())
	}
	err := &provider.Error{
		Kind: provider.ErrPermission, Message: fmt.Sprintf("you are in no organization %q", name), Hint: "zen org list shows yours",
	}
	if name == "" {
		err.Kind, err.Message = provider.ErrConfig, "no organization is active in this sign-in"
		err.Hint = "zen org use ORG makes one active, or name one with --org"
	}
	if len(own) == 0 {
		err.Hint = "you are in none: someone who manages one can invite you"
	}
	return err
}

// served returns the services of the provider that signed in, none if there is no sign-in.
func served(ctx context.Context, s *session.Session) (status session.Status, services []provider.Service, err error) {
	status, err = s.Status(ctx)
	if err != nil || status.Provider == "" {
		return status, nil, err
	}
	description, err := s.Config().Providers.Describe(ctx, status.Provider)
	return status, description.Services, err
}

func listCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the members with their roles, and the pending invitations",
		Description: `   zen team list
   zen team list --org globex --json

Pending invitations are shown to those who manage the members.`,
		Flags:  []cli.Flag{orgFlag()},
		Action: func(c *cli.Context) error { return withGroup(c, list) },
	}
}

type listDocument struct {
	SchemaVersion int                  `json:"schema_version"`
	Organization  organizationDocument `json:"organization"`
	Members       []memberDocument     `json:"members"`
	// Invitations are null if the caller may not see them.
	Invitations []invitationDocument `json:"invitations"`
}

type memberDocument struct {
	ID       string     `json:"id"`
	Email    string     `json:"email"`
	Name     string     `json:"name,omitempty"`
	Role     string     `json:"role"`
	JoinedAt *time.Time `json:"joined_at"`
}

type invitationDocument struct {
	ID        string     `json:"id"`
	Email     string     `json:"email"`
	Role      string     `json:"role"`
	Status    string     `json:"status"`
	ExpiresAt *time.Time `json:"expires_at"`
}

func list(ctx context.Context, e *app.Env, g group) error {
	members, err := g.Members(ctx)
	if err != nil {
		return err
	}
	d := listDocument{SchemaVersion: app.SchemaVersion, Organization: g.org, Members: []memberDocument{}}
	for _, m := range members {
		d.Members = append(d.Members, memberDocument{
			app.OneLine(m.ID), app.OneLine(m.Email), app.OneLine(m.Name), app.OneLine(m.Role), app.Instant(m.Since),
		})
	}
	invitations, err := g.Invitations(ctx)
	switch {
	case err == nil:
		d.Invitations = []invitationDocument{}
	case !errors.Is(err, provider.ErrPermission):
		return err
	default:
		fmt.Fprintln(e.Notes(), "Pending invitations are shown to those who manage the members.")
	}
	for _, i := range invitations {
		d.Invitations = append(d.Invitations, invitationDocument{
			app.OneLine(i.ID), app.OneLine(i.Email), app.OneLine(i.Role), app.OneLine(i.Status), app.Instant(i.Expires),
		})
	}
	if e.JSON {
		return e.PrintJSON(d)
	}
	table := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "EMAIL\tNAME\tROLE\tSTATUS\tID")
	for _, m := range d.Members {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", orDash(m.Email), orDash(m.Name), orDash(m.Role), "member"+day(" since ", m.JoinedAt), m.ID)
	}
	for _, i := range d.Invitations {
		fmt.Fprintf(table, "%s\t-\t%s\t%s\t%s\n", i.Email, orDash(i.Role), "invited"+day(" until ", i.ExpiresAt), i.ID)
	}
	return table.Flush()
}

// day returns a date for people behind a word; "" if it is nil.
func day(word string, t *time.Time) string {
	if t == nil {
		return ""
	}
	return word + t.Local().Format(time.DateOnly)
}

func orDash(text string) string { return cmp.Or(text, "-") }
