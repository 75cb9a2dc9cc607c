package team

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
)

func revokeCommand() *cli.Command {
	return &cli.Command{
		Name: "revoke", Usage: "revoke pending invitations", ArgsUsage: "EMAIL|ID...",
		Description: `   zen team revoke dan@example.com
   zen team revoke orginv_2abc

Their links no longer work. A person who has accepted is a member: use zen team remove.`,
		Flags: []cli.Flag{orgFlag(), dryRunFlag()},
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return app.Usage(c, "which ones? give e-mail addresses or ids; zen team list shows them")
			}
			return withGroup(c, func(ctx context.Context, e *app.Env, g group) error {
				return revoke(ctx, e, g, c.Args().Slice(), c.Bool("dry-run"))
			})
		},
	}
}

func revoke(ctx context.Context, e *app.Env, g group, names []string, dry bool) error {
	invitations, err := g.Invitations(ctx)
	if err != nil {
		return err
	}
	j := job{done: "revoked", dry: dry}
	for _, name := range names {
		i, ok := one(invitations, name, func(i provider.Invitation) (string, string) { return i.ID, i.Email })
		if !ok {
			return &provider.Error{
				Kind: provider.ErrConfig, Message: fmt.Sprintf("no invitation of %.100q is pending in %s: nothing was revoked", name, g.org.label()),
				Hint: "zen team list shows those that are",
			}
		}
		j.steps = append(j.steps, step{email: app.OneLine(i.Email), role: app.OneLine(i.Role), do: func(ctx context.Context, o *outcome) error {
			if o.ID = app.OneLine(i.ID); dry {
				return nil
			}
			return g.RevokeInvitation(ctx, i)
		}})
	}
	return j.run(ctx, e, g)
}

func removeCommand() *cli.Command {
	return &cli.Command{
		Name: "remove", Usage: "remove members from the organization", ArgsUsage: "EMAIL|ID...",
		Description: `   zen team remove dan@example.com
   zen team remove --yes dan@example.com erin@example.com

Their database tokens stay valid until they expire; they get no new ones.`,
		Flags: []cli.Flag{&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "don't ask"}, orgFlag(), dryRunFlag()},
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return app.Usage(c, "whom? give e-mail addresses or ids; zen team list shows them")
			}
			return withGroup(c, func(ctx context.Context, e *app.Env, g group) error {
				return remove(ctx, e, g, c.Args().Slice(), c.Bool("yes"), c.Bool("dry-run"))
			})
		},
	}
}

func remove(ctx context.Context, e *app.Env, g group, names []string, yes, dry bool) error {
	members, err := g.the(ctx, names)
	if err != nil {
		return err
	}
	j := job{done: "removed", dry: dry}
	var who []string
	for _, m := range members {
		who = append(who, app.OneLine(m.Email))
		j.steps = append(j.steps, step{email: app.OneLine(m.Email), role: app.OneLine(m.Role), do: func(ctx context.Context, o *outcome) error {
			if o.ID = app.OneLine(m.ID); dry {
				return nil
			}
			return g.RemoveMember(ctx, m)
		}})
	}
	if !yes && !dry {
		if err := confirm(ctx, e, fmt.Sprintf("Remove %s from %s?", strings.Join(who, ", "), g.org.label())); err != nil {
			return err
		}
	}
	return j.run(ctx, e, g)
}

func confirm(ctx context.Context, e *app.Env, question string) error {
	if !e.Interactive() {
		return &provider.Error{Kind: app.ErrUsage, Message: "there is no one to confirm the removal", Hint: "zen team remove --yes EMAIL"}
	}
	yes, err := app.NewUI(e).Confirm(ctx, question)
	if err == nil && !yes {
		err = errors.New("no one was removed")
	}
	return err
}

func roleCommand() *cli.Command {
	return &cli.Command{
		Name: "role", Usage: "give a member another role", ArgsUsage: "EMAIL|ID ROLE",
		Description: `   zen team role carol@example.com admin

Roles have the provider's names; for Clerk, admin and member also stand for org:admin
and org:member. Tokens with the old role stay valid until they expire.`,
		Flags: []cli.Flag{orgFlag(), dryRunFlag()},
		Action: func(c *cli.Context) error {
			if c.NArg() != 2 || c.Args().Get(1) == "" {
				return app.Usage(c, "give a member and a role: zen team role carol@example.com admin")
			}
			return withGroup(c, func(ctx context.Context, e *app.Env, g group) error {
				return changeRole(ctx, e, g, c.Args().First(), c.Args().Get(1), c.Bool("dry-run"))
			})
		},
	}
}

func changeRole(ctx context.Context, e *app.Env, g group, name, role string, dry bool) error {
	members, err := g.the(ctx, []string{name})
	if err != nil {
		return err
	}
	m := members[0]
	return job{done: "changed", dry: dry, steps: []step{{email: app.OneLine(m.Email), role: role, do: func(ctx context.Context, o *outcome) error {
		if o.ID = app.OneLine(m.ID); dry {
			return nil
		}
		changed, err := g.ChangeRole(ctx, m, role)
		if err == nil && changed.Role != "" {
			o.Role = app.OneLine(changed.Role)
		}
		return err
	}}}}.run(ctx, e, g)
}

// the finds members by their addresses or ids, all of them or none.
func (g group) the(ctx context.Context, names []string) ([]provider.Member, error) {
	members, err := g.Members(ctx)
	if err != nil {
		return nil, err
	}
	var found []provider.Member
	for _, name := range names {
		m, ok := one(members, name, func(m provider.Member) (string, string) { return m.ID, m.Email })
		if !ok {
			return nil, &provider.Error{
				Kind: provider.ErrConfig, Message: fmt.Sprintf("%.100q is no member of %s: nothing was changed", name, g.org.label()),
				Hint: "zen team list shows the members",
			}
		}
		found = append(found, m)
	}
	return found, nil
}

// one returns the item with an id, or with an address in whatever case.
func one[T any](items []T, name string, names func(T) (id, email string)) (T, bool) {
	for _, item := range items {
		if id, email := names(item); name != "" && (name == id || strings.EqualFold(name, email)) {
			return item, true
		}
	}
	var none T
	return none, false
}
