package clerk

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// Membership is a person in an organization, as Clerk has it.
type Membership struct {
	// Organization is which one, with the role in it.
	Organization provider.Organization
	// OrganizationName is its name for people.
	OrganizationName string
	// UserID is the member's id, Identifier what they sign in with, and Name their name.
	UserID, Identifier, Name string
	Since                    time.Time
}

// Invitation asks a person into an organization, as Clerk has it.
type Invitation struct {
	ID, Email, Role, Status string
	// URL accepts the invitation. Anyone who has it can use it.
	URL     provider.Secret
	Expires time.Time
}

type membershipView struct {
	Role         string   `json:"role"`
	Permissions  []string `json:"permissions"`
	CreatedAt    int64    `json:"created_at"`
	Organization struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Slug string `json:"slug"`
	} `json:"organization"`
	User struct {
		ID         string `json:"user_id"`
		FirstName  string `json:"first_name"`
		LastName   string `json:"last_name"`
		Identifier string `json:"identifier"`
	} `json:"public_user_data"`
}

func (v membershipView) membership() Membership {
	return Membership{
		Organization:     provider.Organization{ID: v.Organization.ID, Slug: v.Organization.Slug, Role: v.Role, Permissions: v.Permissions},
		OrganizationName: v.Organization.Name, UserID: v.User.ID, Identifier: v.User.Identifier,
		Name: strings.TrimSpace(v.User.FirstName + " " + v.User.LastName), Since: instant(v.CreatedAt),
	}
}

type invitationView struct {
	ID        string `json:"id"`
	Email     string `json:"email_address"`
	Role      string `json:"role"`
	Status    string `json:"status"`
	URL       string `json:"url"`
	ExpiresAt int64  `json:"expires_at"`
}

func (v invitationView) invitation() Invitation {
	return Invitation{ID: v.ID, Email: v.Email, Role: v.Role, Status: v.Status, URL: provider.NewSecret(v.URL), Expires: instant(v.ExpiresAt)}
}

// Memberships returns the organizations of the session's user. The list is
// complete only if the error is nil.
func (f *Frontend) Memberships(ctx context.Context, s *Session) ([]Membership, error) {
	return listAll(ctx, f, s, call{
		what: "list your organizations", path: "/v1/me/organization_memberships", query: url.Values{"paginated": {"true"}},
	}, membershipView.membership)
}

// Members returns the members of an organization, by its id, that the session's user may see.
func (f *Frontend) Members(ctx context.Context, s *Session, organization string) ([]Membership, error) {
	return listAll(ctx, f, s, call{
		what: "list the members", path: organizationPath(organization, "memberships"), query: url.Values{"paginated": {"true"}},
	}, membershipView.membership)
}

// Invitations returns the pending ones of an organization.
func (f *Frontend) Invitations(ctx context.Context, s *Session, organization string) ([]Invitation, error) {
	return listAll(ctx, f, s, call{
		what: "list the invitations", path: organizationPath(organization, "invitations"), query: url.Values{"status": {"pending"}},
	}, invitationView.invitation)
}

// Invite asks a person into an organization, in a role. Clerk mails the invitation. Where it
// leads, and when it ends, can be set with the Backend API alone.
func (f *Frontend) Invite(ctx context.Context, s *Session, organization, email, role string) (Invitation, error) {
	var answer struct {
		Response invitationView `json:"response"`
	}
	err := f.userCall(ctx, s, call{
		what: "invite", method: http.MethodPost, path: organizationPath(organization, "invitations"),
		form: url.Values{"email_address": {email}, "role": {role}},
	}, &answer)
	return answer.Response.invitation(), err
}

// RevokeInvitation ends an invitation.
func (f *Frontend) RevokeInvitation(ctx context.Context, s *Session, organization, id string) error {
	return f.userCall(ctx, s, call{
		what: "revoke the invitation", method: http.MethodPost, path: organizationPath(organization, "invitations", id, "revoke"),
	}, nil)
}

// ChangeRole gives a member another role.
func (f *Frontend) ChangeRole(ctx context.Context, s *Session, organization, userID, role string) (Membership, error) {
	var answer struct {
		Response membershipView `json:"response"`
	}
	err := f.userCall(ctx, s, call{
		what: "change the role", method: http.MethodPatch, path: organizationPath(organization, "memberships", userID),
		form: url.Values{"role": {role}},
	}, &answer)
	return answer.Response.membership(), err
}

// RemoveMember takes a member out of an organization.
func (f *Frontend) RemoveMember(ctx context.Context, s *Session, organization, userID string) error {
	return f.userCall(ctx, s, call{
		what: "remove the member", method: http.MethodDelete, path: organizationPath(organization, "memberships", userID),
	}, nil)
}

func organizationPath(elements ...string) string {
	path := "/v1/organizations"
	for _, element := range elements {
		path += "/" + url.PathEscape(element)
	}
	return path
}

// userCall makes a call in the name of the session's user, on a path outside /client.
func (f *Frontend) userCall(ctx context.Context, s *Session, c call, out any) error {
	c.client = &s.Client
	query := url.Values{"_clerk_session_id": {s.ID}}
	maps.Copy(query, c.query)
	c.query = query
	return declined(f.do(ctx, c, out))
}

// declined distinguishes a refusal of the request from one of the sign-in: the sign-in is still
// good, so that it takes no second sign-in for it.
func declined(err error) error {
	var failure *provider.Error
	var answer *AnswerError
	if !errors.As(err, &failure) || !errors.As(err, &answer) || failure.Kind != provider.ErrRejected {
		return err
	}
	switch answer.Status {
	case http.StatusUnauthorized:
	case http.StatusForbidden:
		failure.Kind = provider.ErrPermission
	default:
		failure.Kind = nil
	}
	return err
}

const (
	// pageSize keeps a page below maxBody, maxPages bounds a list.
	pageSize = 100
	maxPages = 500
)

// listAll reads all pages of a list.
func listAll[View, Item any](ctx context.Context, f *Frontend, s *Session, c call, item func(View) Item) ([]Item, error) {
	items := []Item{}
	c.method = http.MethodGet
	for range maxPages {
		c.query.Set("limit", strconv.Itoa(pageSize))
		c.query.Set("offset", strconv.Itoa(len(items)))
		var answer struct {
			Response listView[View] `json:"response"`
		}
		if err := f.userCall(ctx, s, c, &answer); err != nil {
			return nil, err
		}
		for _, view := range answer.Response.Data {
			items = append(items, item(view))
		}
		if len(answer.Response.Data) < pageSize || len(items) == answer.Response.Total {
			return items, nil
		}
	}
	return nil, Unavailable(c.what, "the list has no end")
}

// listView is a list as Clerk has it: with a number of all items, or the items alone.
type listView[View any] struct {
	Data  []View `json:"data"`
	Total int    `json:"total_count"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *listView[View]) UnmarshalJSON(data []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(data)), "[") {
		return json.Unmarshal(data, &l.Data)
	}
	type plain listView[View]
	return json.Unmarshal(data, (*plain)(l))
}
