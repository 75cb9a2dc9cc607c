package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/audit"
	"github.com/zen-auth/zen/internal/store"
)

// Team acts in one organization in the name of the profile's sign-in, and by its rights.
// Each call holds the profile's lock, as it may replace the credential.
type Team struct {
	session      *Session
	organization string
}

// Team is the organization by its id or slug; "" is the one that the profile is held to, or
// else the active one of the sign-in.
func (s *Session) Team(organization string) (*Team, error) {
	if err := s.checkHeld(organization); err != nil {
		return nil, err
	}
	if organization == "" {
		organization = s.config.Organization
	}
	return &Team{s, organization}, nil
}

// TeamOf is [Session.Team] for an organization whose id and slug are known: the profile may
// be held to it by either.
func (s *Session) TeamOf(o provider.Organization) (*Team, error) {
	if err := s.config.CheckMembership(&o); err != nil {
		return nil, err
	}
	return &Team{s, o.ID}, nil
}

// checkHeld refuses to leave the organization that the profile is held to.
func (s *Session) checkHeld(organization string) error {
	held := s.config.Organization
	if held == "" || organization == "" || organization == held {
		return nil
	}
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("profile %q is for the organization %s, not for %.128s", s.config.Name, held, organization),
		Hint:    fmt.Sprintf("zen profiles add NAME --org %.128s makes a profile for that one", organization),
	}
}

// Members are those of the organization.
func (t *Team) Members(ctx context.Context) ([]provider.Member, error) {
	members, _, err := act(ctx, t.session, func(ctx context.Context, p provider.Team, c provider.Credential) ([]provider.Member, *provider.Credential, error) {
		return p.Members(ctx, t.request(c))
	}, nil)
	return members, err
}

// Invitations are those that are pending.
func (t *Team) Invitations(ctx context.Context) ([]provider.Invitation, error) {
	invitations, _, err := act(ctx, t.session, func(ctx context.Context, p provider.Team, c provider.Credential) ([]provider.Invitation, *provider.Credential, error) {
		return p.Invitations(ctx, t.request(c))
	}, nil)
	return invitations, err
}

// Invite asks somebody into the organization.
func (t *Team) Invite(ctx context.Context, invite provider.Invite) (provider.Invitation, error) {
	invitation, who, err := act(ctx, t.session, func(ctx context.Context, p provider.Team, c provider.Credential) (provider.Invitation, *provider.Credential, error) {
		return p.Invite(ctx, t.request(c), invite)
	}, nil)
	t.session.write(t.event(audit.Invite, invite.Email, invite.Role), who, err)
	return invitation, err
}

// RevokeInvitation ends an invitation.
func (t *Team) RevokeInvitation(ctx context.Context, invitation provider.Invitation) error {
	_, who, err := act(ctx, t.session, func(ctx context.Context, p provider.Team, c provider.Credential) (struct{}, *provider.Credential, error) {
		replaced, err := p.RevokeInvitation(ctx, t.request(c), invitation.ID)
		return struct{}{}, replaced, err
	}, nil)
	t.session.write(t.event(audit.RevokeInvitation, invitation.Email, ""), who, err)
	return err
}

// RemoveMember takes a member out of the organization.
func (t *Team) RemoveMember(ctx context.Context, member provider.Member) error {
	_, who, err := act(ctx, t.session, func(ctx context.Context, p provider.Team, c provider.Credential) (struct{}, *provider.Credential, error) {
		replaced, err := p.RemoveMember(ctx, t.request(c), member.ID)
		return struct{}{}, replaced, err
	}, nil)
	t.session.write(t.event(audit.RemoveMember, member.ID, ""), who, err)
	return err
}

// ChangeRole gives a member another role.
func (t *Team) ChangeRole(ctx context.Context, member provider.Member, role string) (provider.Member, error) {
	changed, who, err := act(ctx, t.session, func(ctx context.Context, p provider.Team, c provider.Credential) (provider.Member, *provider.Credential, error) {
		return p.ChangeRole(ctx, t.request(c), member.ID, role)
	}, nil)
	t.session.write(t.event(audit.ChangeRole, member.ID, role), who, err)
	return changed, err
}

func (t *Team) request(c provider.Credential) provider.TeamRequest {
	return provider.TeamRequest{Credential: c, Organization: t.organization}
}

func (t *Team) event(kind audit.Kind, member, role string) audit.Event {
	return audit.Event{Kind: kind, Organization: t.organization, Member: member, Role: role}
}

// Organizations are those of whoever signed in.
func (s *Session) Organizations(ctx context.Context) ([]provider.Membership, error) {
	memberships, _, err := act(ctx, s, func(ctx context.Context, p provider.Organizations, c provider.Credential) ([]provider.Membership, *provider.Credential, error) {
		return p.Organizations(ctx, provider.TeamRequest{Credential: c})
	}, nil)
	return memberships, err
}

// UseOrganization makes an organization the active one of the sign-in, by its id or slug;
// "" is none. The tokens of the one before are forgotten: they are for that one alone.
func (s *Session) UseOrganization(ctx context.Context, organization string) (provider.Membership, error) {
	if organization == "" && s.config.Organization != "" {
		return provider.Membership{}, &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("profile %q is for the organization %s alone", s.config.Name, s.config.Organization),
		}
	}
	if err := s.checkHeld(organization); err != nil {
		return provider.Membership{}, err
	}
	active, who, err := act(ctx, s, func(ctx context.Context, p provider.Organizations, c provider.Credential) (provider.Membership, *provider.Credential, error) {
		return p.UseOrganization(ctx, provider.TeamRequest{Credential: c, Organization: organization})
	}, func(r *store.Record, name string, active provider.Membership) {
		account := r.Accounts[name]
		account.Claims.Organization = nil
		if active.ID != "" {
			account.Claims.Organization = &active.Organization
		}
		r.Accounts[name] = account
		forget(r, name)
		r.Breakers = nil
	})
	if err == nil {
		s.drop()
	}
	s.write(audit.Event{Kind: audit.OrganizationUse, Organization: active.ID, Role: active.Role}, who, err)
	return active, err
}

// act has the provider that signed in do something in the name of its account. A replaced
// credential is stored before the result is used, and with it what changed makes of the
// record, unless that is nil. A service that the provider doesn't have is
// errors.ErrUnsupported.
func act[S, T any](ctx context.Context, s *Session, call func(context.Context, S, provider.Credential) (T, *provider.Credential, error), changed func(*store.Record, string, T)) (result T, who actor, err error) {
	record, err := s.config.Store.LoadContext(ctx, s.config.Name)
	if err != nil {
		return result, who, err
	}
	name, _ := s.config.Profile.Providers(record)
	if err := s.checkSignedIn(record, name); err != nil {
		return result, actor{provider: name}, err
	}
	// No provider begins under the lock.
	identity, err := s.config.Providers.Identity(ctx, name)
	if err != nil {
		return result, actor{provider: name}, err
	}
	service, ok := identity.(S)
	if !ok {
		return result, actor{provider: name}, errors.ErrUnsupported
	}
	err = s.config.Store.Lock(ctx, s.config.Name, func(l *store.Locked) error {
		if err := s.checkSignedIn(l.Record, name); err != nil {
			return err
		}
		who = actor{provider: name, subject: subject(l.Accounts[name])}
		sent := l.Accounts[name].Credential.Data
		var called error
		result, called = actLocked(ctx, l, service, name, call, changed)
		if errors.Is(called, provider.ErrRejected) && s.adopt(ctx, l, name, sent) {
			// A process that doesn't share the lock has replaced the credential.
			result, called = actLocked(ctx, l, service, name, call, changed)
		}
		return called
	})
	return result, who, err
}

func actLocked[S, T any](ctx context.Context, l *store.Locked, service S, name string, call func(context.Context, S, provider.Credential) (T, *provider.Credential, error), changed func(*store.Record, string, T)) (T, error) {
	account := l.Accounts[name]
	asking, done := finishing(ctx)
	result, replaced, err := call(asking, service, account.Credential)
	done()
	save := replaced != nil && !replaced.Data.Equal(account.Credential.Data)
	if save {
		account.Credential = *replaced
		l.Accounts[name] = account
	}
	if err == nil && changed != nil {
		changed(&l.Record, name, result)
		save = true
	}
	if save {
		err = errors.Join(err, l.Save())
	}
	return result, err
}
