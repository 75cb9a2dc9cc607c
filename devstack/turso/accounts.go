package turso

import (
	"errors"
	"strings"

	"github.com/zen-auth/zen/devstack/fault"
)

func (s *Server) validate(c *call) (any, error) { return map[string]any{"exp": c.exp}, nil }

// plan is the name of the only plan that there is.
const plan = "starter"

func (s *Server) currentUser(c *call) (any, error) {
	return map[string]any{"user": map[string]any{
		"username": c.user.Name, "name": c.user.Name, "email": c.user.Email, "plan": plan,
	}}, nil
}

type organizationJSON struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	Slug          string `json:"slug"`
	Type          string `json:"type"`
	Overages      bool   `json:"overages"`
	BlockedReads  bool   `json:"blocked_reads"`
	BlockedWrites bool   `json:"blocked_writes"`
}

func (s *Server) organizations(c *call) []organizationJSON {
	list := []organizationJSON{}
	for _, slug := range sortedKeys(s.state.Organizations) {
		org := s.state.Organizations[slug]
		if org.Members[c.user.Name] == "" || c.token.Organization != "" && c.token.Organization != slug {
			continue
		}
		r := org.render()
		r.BlockedReads = s.opts.Faults.On(fault.ReadsBlocked)
		r.BlockedWrites = r.BlockedReads || s.opts.Faults.On(fault.WritesBlocked)
		list = append(list, r)
	}
	return list
}

func (s *Server) listOrganizations(c *call) (any, error) {
	return map[string]any{"organizations": s.organizations(c)}, nil
}

// listOrganizationsV1 answers with a bare array.
func (s *Server) listOrganizationsV1(c *call) (any, error) { return s.organizations(c), nil }

func (s *Server) listAPITokens(c *call) (any, error) {
	list := []*apiToken{}
	for _, name := range sortedKeys(c.user.Tokens) {
		if !strings.HasPrefix(name, sessionPrefix) {
			list = append(list, c.user.Tokens[name])
		}
	}
	return map[string]any{"tokens": list}, nil
}

func (s *Server) newAPIToken(c *call) (any, error) {
	var body struct {
		Organization string   `json:"organization"`
		Group        string   `json:"group"`
		Scopes       []string `json:"scopes"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if c.token.Organization != "" {
		return nil, lacking("what a token that is bound to an organization may mint")
	}
	if err := checkScopes(body.Scopes); err != nil {
		return nil, err
	}
	if body.Organization != "" {
		org := s.state.Organizations[body.Organization]
		if org == nil {
			return nil, errNoOrg
		}
		if org.Members[c.user.Name] == "" {
			return nil, errNotMember
		}
		if body.Group != "" && org.Groups[body.Group] == nil {
			return nil, errNoGroup
		}
	} else if body.Group != "" {
		return nil, badRequest("a group needs an organization")
	}
	rec, token, err := s.createAPIToken(c.user, APIToken{
		Name: c.r.PathValue("name"), Organization: body.Organization, Group: body.Group, Scopes: body.Scopes,
	})
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(c.r.URL.Path, "/v1/") {
		return map[string]any{"name": rec.Name, "id": rec.ID, "token": token}, nil
	}
	return map[string]any{"token": map[string]any{"name": rec.Name, "id": rec.ID, "value": token}}, nil
}

// organizationTokens returns the tokens that are bound to the organization: to admins all, to
// others their own.
func (s *Server) organizationTokens(c *call) (any, error) {
	list := []map[string]any{}
	for _, name := range sortedKeys(s.state.Users) {
		u := s.state.Users[name]
		if c.administers() != nil && u != c.user {
			continue
		}
		for _, token := range sortedKeys(u.Tokens) {
			t := u.Tokens[token]
			if t.Organization != c.org.Slug {
				continue
			}
			list = append(list, map[string]any{
				"name": t.Name, "id": t.ID, "organization": t.Organization, "group": t.Group, "scopes": t.Scopes,
				"owner": map[string]string{"username": u.Name, "email": u.Email}, "created_at": t.CreatedAt,
			})
		}
	}
	return map[string]any{"tokens": list}, nil
}

func (s *Server) revokeOrganizationToken(c *call) (any, error) {
	id := c.r.PathValue("token")
	for _, u := range s.state.Users {
		for name, t := range u.Tokens {
			if t.ID != id || t.Organization != c.org.Slug {
				continue
			}
			if err := c.administers(); err != nil && u != c.user {
				return nil, err
			}
			delete(u.Tokens, name)
			return map[string]any{"token": id}, s.save()
		}
	}
	return nil, notFound("api token %s not found", id)
}

// invalidateSessions revokes all tokens of the user.
func (s *Server) invalidateSessions(c *call) (any, error) {
	clear(c.user.Tokens)
	return map[string]any{"valid_from": c.now.Unix()}, s.save()
}

// revokeAPIToken revokes a token. That needs a token with all rights, or the token
// itself. It is unknown whether Turso lets a token with scopes revoke itself.
func (s *Server) revokeAPIToken(c *call) (any, error) {
	name := c.r.PathValue("name")
	if c.token.Name != name {
		if err := c.token.may(scopeFull); err != nil {
			return nil, err
		}
	}
	if c.user.Tokens[name] == nil {
		return nil, notFound("api token %s not found", name)
	}
	delete(c.user.Tokens, name)
	return map[string]any{"token": name}, s.save()
}

// RevokeAPIToken revokes a token of the Platform API.
func (s *Server) RevokeAPIToken(username, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.state.Users[username]
	if u == nil || u.Tokens[name] == nil {
		return errors.Join(errors.New("revoke api token"), ErrNotFound)
	}
	delete(u.Tokens, name)
	return s.save()
}
