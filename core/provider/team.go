package provider

import (
	"context"
	"time"
)

// Team manages the members of an organization, with the credential of one of them and
// by that one's rights: what they don't allow is ErrPermission. credential, where not
// nil, replaces the one of the request, beside an error too.
//
// An error of no class is about the one person that was asked for: that person is a member
// already, or invited, or has no address. zen goes on with the next one then. What would
// stop the next one as well has a class.
type Team interface {
	Members(ctx context.Context, req TeamRequest) (members []Member, credential *Credential, err error)
	Invitations(ctx context.Context, req TeamRequest) (invitations []Invitation, credential *Credential, err error)
	Invite(ctx context.Context, req TeamRequest, invite Invite) (invitation Invitation, credential *Credential, err error)
	// RevokeInvitation ends an invitation, by its ID.
	RevokeInvitation(ctx context.Context, req TeamRequest, id string) (credential *Credential, err error)
	// RemoveMember takes a member out of the organization, and ChangeRole gives one
	// another role, both by Member.ID.
	RemoveMember(ctx context.Context, req TeamRequest, id string) (credential *Credential, err error)
	ChangeRole(ctx context.Context, req TeamRequest, id, role string) (member Member, credential *Credential, err error)
}

// Organizations knows the organizations of the person who signed in. credential, if not
// nil, replaces the one of the request, beside an error too.
type Organizations interface {
	// Organizations lists them. TeamRequest.Organization is not used.
	Organizations(ctx context.Context, req TeamRequest) (memberships []Membership, credential *Credential, err error)
	// UseOrganization makes one the active one of the credential, or none where
	// TeamRequest.Organization is empty, and returns what the credential is then.
	UseOrganization(ctx context.Context, req TeamRequest) (membership Membership, credential *Credential, err error)
}

// TeamRequest says in whose name and where.
type TeamRequest struct {
	Credential Credential
	// Organization is the organization's id or slug; "" means the active one.
	Organization string
}

// Membership is an organization and the role that a person has in it.
type Membership struct {
	Organization
	Name string
	// Active is true for the one that tokens are made in.
	Active bool
}

// Member is a person in an organization.
type Member struct {
	ID    string
	Email string
	Name  string
	Role  string
	Since time.Time
}

// Invite is an invitation to make.
type Invite struct {
	Email string
	// Role is the issuer's name for it; "" means the organization's default.
	Role string
	// RedirectURL is the page that the invitation leads to; "" means the issuer's default.
	// An issuer that takes none, or no Lifetime, is errors.ErrUnsupported: no one is
	// invited otherwise than was asked for.
	RedirectURL string
	// Lifetime limits how long it can be accepted. Zero means the issuer's default.
	Lifetime time.Duration
}

// Invitation asks a person into an organization.
type Invitation struct {
	ID      string
	Email   string
	Role    string
	Status  string
	URL     Secret `json:"-"`
	Expires time.Time
}
