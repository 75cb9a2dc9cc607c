package provider

import (
	"context"
	"time"
)

// Team manages the members of an organisation, with the credential of one of them.
type Team interface {
	Members(ctx context.Context, req TeamRequest) ([]Member, error)
	Invitations(ctx context.Context, req TeamRequest) ([]Invitation, error)
	Invite(ctx context.Context, req TeamRequest, email, role string) (Invitation, error)
	RevokeInvitation(ctx context.Context, req TeamRequest, id string) error
}

// TeamRequest says in whose name and where.
type TeamRequest struct {
	Credential Credential
	// Organization is the organisation's id or slug; "" is the active one.
	Organization string
}

// Member is somebody in an organisation.
type Member struct {
	ID    string
	Email string
	Name  string
	Role  string
	Since time.Time
}

// Invitation is somebody asked into an organisation.
type Invitation struct {
	ID      string
	Email   string
	Role    string
	Status  string
	URL     string
	Expires time.Time
}
