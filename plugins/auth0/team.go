package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// The My Organization API acts by the roles that a person has in the organization that
// the sign-in is for. Its tokens are issued from the sign-in's own refresh token, if the
// application's refresh token policies name the API.
const (
	myOrgAudience = "/my-org/"
	myOrgVersion  = "/my-org/v1/"
	// heldEarly is how long before its expiry a token is no longer used.
	heldEarly = 30 * time.Second
	// pageSize and maxPages bound a list.
	pageSize = 50
	maxPages = 200
	// maxInvitation is the longest lifetime that Auth0 accepts.
	maxInvitation = 30 * 24 * time.Hour
)

var myOrgScopes = []string{
	"read:my_org:members", "delete:my_org:memberships", "read:my_org:member_roles", "create:my_org:member_roles", "delete:my_org:member_roles",
	"read:my_org:member_invitations", "create:my_org:member_invitations", "delete:my_org:member_invitations", "read:my_org:user_stores",
}

// heldToken is a token of the My Organization API. Each refresh replaces the refresh token:
// fifty invitations are one refresh.
type heldToken struct {
	value   provider.Secret
	expires time.Time
}

// asMember calls fn with the My Organization API, as the person of the credential. It
// returns the credential that replaces it, or nil, also along with an error.
func (p *auth0Provider) asMember(ctx context.Context, req provider.TeamRequest, fn func(*management) error) (*provider.Credential, error) {
	s, err := p.decode(req.Credential)
	if err != nil {
		return nil, err
	}
	if s.Machine || s.Organization == "" {
		return nil, &provider.Error{
			Kind: provider.ErrConfig, Message: "auth0: this sign-in is for no organization, or of no person",
			Hint: "zen login --provider auth0 --org ORG, in the browser",
		}
	}
	token, renewed, err := p.myOrgToken(ctx, s, req.Credential)
	if err != nil {
		return renewed, err
	}
	claims, err := jwks.DecodeUnverified(token) // Auth0 gave it just now, and verifies it
	if err != nil {
		return renewed, err
	}
	if req.Organization != "" && req.Organization != s.Organization && !isOf(claims.Organization, req.Organization) {
		return renewed, &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("auth0: this sign-in is not for the organization %.60q", oauth.Harmless(req.Organization)),
			Hint: "zen login --provider auth0 --org ORG signs in to another one",
		}
	}
	api := &management{base: p.settings.base + myOrgVersion, token: token, refused: myOrgRefused, client: httpclient.Over(p.transport)}
	return renewed, fn(api)
}

// myOrgToken returns a token of the My Organization API: one from before, or a new one, which
// takes a refresh.
func (p *auth0Provider) myOrgToken(ctx context.Context, s stored, old provider.Credential) (provider.Secret, *provider.Credential, error) {
	p.mu.Lock()
	held, ok := p.held[s.Refresh]
	p.mu.Unlock()
	if ok && p.now().Before(held.expires.Add(-heldEarly)) {
		return held.value, nil, nil
	}
	audience := p.settings.base + myOrgAudience
	tokens, renewed, err := p.spend(ctx, s, old, myOrgScopes, url.Values{"audience": {audience}})
	if err != nil {
		return provider.Secret{}, renewed, err
	}
	claims, err := jwks.DecodeUnverified(tokens.Access)
	if err != nil || !slices.Contains(claims.Audience, audience) {
		// Auth0 ignores an audience that the policies don't name.
		return provider.Secret{}, renewed, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: "auth0: the application may not act in an organization: Auth0 gave a token of another API than " + audience,
			Hint:    "zen provider setup auth0 --topic team says what to switch on in the tenant",
		}
	}
	next := s.Refresh
	if !tokens.Refresh.IsZero() {
		next = tokens.Refresh.Reveal()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.held) // of used refresh tokens
	p.held[next] = heldToken{tokens.Access, claims.Expires}
	return tokens.Access, renewed, nil
}

// myOrgRefused returns the error of a response, without a class if it concerns only the
// person in the request.
func myOrgRefused(what string, res *http.Response, body []byte) error {
	var answer struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	_ = json.Unmarshal(body, &answer)
	text := fmt.Sprintf("auth0: %s: HTTP %d", what, res.StatusCode)
	if said := cmp.Or(oauth.Harmless(answer.Detail), oauth.Harmless(answer.Title)); said != "" {
		text += ", " + said
	}
	failure := &provider.Error{Message: text}
	switch {
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		failure.Kind, failure.RetryAfter = provider.ErrUnavailable, retryAfter(res.Header)
	case res.StatusCode == http.StatusUnauthorized:
		failure.Kind, failure.Hint = provider.ErrRejected, oauth.LoginHint
	case res.StatusCode == http.StatusForbidden:
		failure.Kind = provider.ErrPermission
		failure.Hint = "your roles in the organization, or what the application may do in it, lack the permission that Auth0 names"
	}
	return failure
}

// listAll reads all pages of a list; name is the field of the responses that has it.
func listAll[T any](ctx context.Context, api *management, path, name string, query url.Values) ([]T, error) {
	items := []T{}
	if query == nil {
		query = url.Values{}
	}
	query.Set("take", strconv.Itoa(pageSize))
	for range maxPages {
		var answer map[string]json.RawMessage
		if err := api.call(ctx, http.MethodGet, path+"?"+query.Encode(), nil, &answer); err != nil {
			return nil, err
		}
		var page []T
		var next string
		if json.Unmarshal(answer[name], &page) != nil {
			return nil, &provider.Error{Kind: provider.ErrUnavailable, Message: "auth0: list " + path + ": the answer is not Auth0's: is there a proxy between?"}
		}
		items = append(items, page...)
		if _ = json.Unmarshal(answer["next"], &next); next == "" {
			return items, nil
		}
		query.Set("from", next)
	}
	return nil, &provider.Error{Kind: provider.ErrUnavailable, Message: "auth0: list " + path + ": it has no end"}
}

type orgRole struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type orgMember struct {
	ID    string    `json:"user_id"`
	Email string    `json:"email"`
	Name  string    `json:"name"`
	Roles []orgRole `json:"roles"`
}

// member converts a member to zen's form. Auth0 doesn't say when a person joined.
func (m orgMember) member() provider.Member {
	names := make([]string, 0, len(m.Roles))
	for _, r := range m.Roles {
		names = append(names, r.Name)
	}
	return provider.Member{ID: m.ID, Email: m.Email, Name: m.Name, Role: strings.Join(names, ",")}
}

// Members implements provider.Team.
func (p *auth0Provider) Members(ctx context.Context, req provider.TeamRequest) (members []provider.Member, credential *provider.Credential, err error) {
	credential, err = p.asMember(ctx, req, func(api *management) error {
		found, err := orgMembers(ctx, api)
		for _, m := range found {
			members = append(members, m.member())
		}
		return err
	})
	return members, credential, err
}

func orgMembers(ctx context.Context, api *management) ([]orgMember, error) {
	return listAll[orgMember](ctx, api, "members", "members", url.Values{"fields": {"user_id,email,name,roles"}, "include_fields": {"true"}})
}

type orgInvitation struct {
	ID      string `json:"id"`
	Invitee struct {
		Email string `json:"email"`
	} `json:"invitee"`
	Roles   []string  `json:"roles"`
	URL     string    `json:"invitation_url"`
	Expires time.Time `json:"expires_at"`
}

func (i orgInvitation) invitation(roles []orgRole) provider.Invitation {
	names := make([]string, 0, len(i.Roles))
	for _, id := range i.Roles {
		if at := slices.IndexFunc(roles, func(r orgRole) bool { return r.ID == id }); at >= 0 {
			id = roles[at].Name
		}
		names = append(names, id)
	}
	return provider.Invitation{
		ID: i.ID, Email: i.Invitee.Email, Role: strings.Join(names, ","), Status: "pending", URL: provider.NewSecret(i.URL), Expires: i.Expires,
	}
}

// Invitations implements provider.Team.
func (p *auth0Provider) Invitations(ctx context.Context, req provider.TeamRequest) (invitations []provider.Invitation, credential *provider.Credential, err error) {
	credential, err = p.asMember(ctx, req, func(api *management) error {
		found, err := listAll[orgInvitation](ctx, api, "member-invitations", "invitations", nil)
		if err != nil || len(found) == 0 {
			return err
		}
		roles, err := orgRoles(ctx, api)
		for _, i := range found {
			invitations = append(invitations, i.invitation(roles))
		}
		return err
	})
	return invitations, credential, err
}

func orgRoles(ctx context.Context, api *management) ([]orgRole, error) {
	return listAll[orgRole](ctx, api, "roles", "roles", nil)
}

// findRole returns a role by its id, or by its name, ignoring case.
func findRole(ctx context.Context, api *management, name string) (orgRole, []orgRole, error) {
	roles, err := orgRoles(ctx, api)
	if err != nil {
		return orgRole{}, nil, err
	}
	names := make([]string, 0, len(roles))
	for _, r := range roles {
		if r.ID == name || strings.EqualFold(r.Name, name) {
			return r, roles, nil
		}
		names = append(names, oauth.Harmless(r.Name))
	}
	return orgRole{}, nil, &provider.Error{
		Message: fmt.Sprintf("auth0: the organization has no role %.60q: it has %s", oauth.Harmless(name), strings.Join(names, ", ")),
	}
}

// Invite implements provider.Team. Auth0 ends an earlier invitation of the same address.
func (p *auth0Provider) Invite(ctx context.Context, req provider.TeamRequest, invite provider.Invite) (invitation provider.Invitation, credential *provider.Credential, err error) {
	switch {
	case invite.RedirectURL != "":
		return invitation, nil, &provider.Error{
			Kind: errors.ErrUnsupported, Message: "auth0: an invitation takes no redirect URL: it leads to the login URI of the application, or the tenant's",
			Hint: "leave it out",
		}
	case invite.Lifetime > maxInvitation:
		return invitation, nil, &provider.Error{Kind: errors.ErrUnsupported, Message: "auth0: an invitation is good for 30 days at most"}
	}
	credential, err = p.asMember(ctx, req, func(api *management) error {
		store, err := p.findUserStore(ctx, api)
		if err != nil {
			return err
		}
		invitee := map[string]any{"email": invite.Email}
		var roles []orgRole
		if invite.Role != "" {
			var role orgRole
			if role, roles, err = findRole(ctx, api, invite.Role); err != nil {
				return err
			}
			invitee["roles"] = []string{role.ID}
		}
		body := map[string]any{"invitees": []any{invitee}, "inviter": map[string]string{"name": req.Credential.Subject}, "user_store_id": store}
		if invite.Lifetime > 0 {
			body["ttl_sec"] = int((invite.Lifetime + time.Second - 1) / time.Second)
		}
		var made []orgInvitation
		if err := api.call(ctx, http.MethodPost, "member-invitations", body, &made); err != nil {
			return err
		}
		if len(made) != 1 {
			return &provider.Error{Kind: provider.ErrUnavailable, Message: "auth0: invite: the answer is not Auth0's: is there a proxy between?"}
		}
		invitation = made[0].invitation(roles)
		return nil
	})
	return invitation, credential, err
}

// findUserStore returns the id of the store that people are invited to.
func (p *auth0Provider) findUserStore(ctx context.Context, api *management) (string, error) {
	var answer struct {
		Stores []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"user_stores"`
	}
	if err := api.call(ctx, http.MethodGet, "user-stores", nil, &answer); err != nil {
		return "", err
	}
	var names []string
	for _, s := range answer.Stores {
		if s.ID == p.settings.userStore || s.Name == p.settings.userStore || p.settings.userStore == "" && len(answer.Stores) == 1 {
			return s.ID, nil
		}
		names = append(names, oauth.Harmless(s.Name))
	}
	if len(names) == 0 {
		names = []string{"none"}
	}
	return "", &provider.Error{
		Kind: provider.ErrConfig, Message: fmt.Sprintf("auth0: it is not clear which user store people are asked into: the organization has %s", strings.Join(names, ", ")),
		Hint: "name one in " + keyUserStore,
	}
}

// RevokeInvitation implements provider.Team.
func (p *auth0Provider) RevokeInvitation(ctx context.Context, req provider.TeamRequest, id string) (*provider.Credential, error) {
	return p.asMember(ctx, req, func(api *management) error {
		return api.call(ctx, http.MethodPost, "delete-member-invitations", map[string]any{"invitations": []string{id}}, nil)
	})
}

// RemoveMember implements provider.Team.
func (p *auth0Provider) RemoveMember(ctx context.Context, req provider.TeamRequest, id string) (*provider.Credential, error) {
	return p.asMember(ctx, req, func(api *management) error {
		return api.call(ctx, http.MethodPost, "delete-memberships", map[string]any{"members": []string{id}}, nil)
	})
}

// ChangeRole implements provider.Team: afterwards the member has only that role. The new
// role is assigned before the others are removed, so that a failure leaves no member
// without a role.
func (p *auth0Provider) ChangeRole(ctx context.Context, req provider.TeamRequest, id, role string) (changed provider.Member, credential *provider.Credential, err error) {
	credential, err = p.asMember(ctx, req, func(api *management) error {
		to, _, err := findRole(ctx, api, role)
		if err != nil {
			return err
		}
		members, err := orgMembers(ctx, api)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(members, func(m orgMember) bool { return m.ID == id })
		if i < 0 {
			return &provider.Error{Message: fmt.Sprintf("auth0: the organization has no member %.60q", oauth.Harmless(id))}
		}
		has, others := false, []string{}
		for _, r := range members[i].Roles {
			if has = has || r.ID == to.ID; r.ID != to.ID {
				others = append(others, r.ID)
			}
		}
		path := "members/" + escape(id)
		if !has {
			err = api.call(ctx, http.MethodPost, path+"/roles", map[string]any{"role_ids": []string{to.ID}}, nil)
		}
		if err == nil && len(others) > 0 {
			err = api.call(ctx, http.MethodPost, path+"/unassign-roles", map[string]any{"role_ids": others}, nil)
		}
		members[i].Roles = []orgRole{to}
		changed = members[i].member()
		return err
	})
	return changed, credential, err
}
