package turso

import (
	"errors"
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
		o := organizationJSON{ID: org.ID, Name: org.Name, Slug: slug, Type: "team"}
		if org.Personal {
			o.Type = "personal"
		}
		list = append(list, o)
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
		list = append(list, c.user.Tokens[name])
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
	if limit := c.token.Organization; limit != "" && body.Organization != limit {
		return nil, errNotMember
	}
	if !c.token.sees(body.Group) {
		return nil, errNoGroup
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
	return map[string]any{"token": map[string]any{"name": rec.Name, "id": rec.ID, "value": token}}, nil
}

func (s *Server) revokeAPIToken(c *call) (any, error) {
	name := c.r.PathValue("name")
	if c.user.Tokens[name] == nil {
		return nil, notFound("api token %s not found", name)
	}
	delete(c.user.Tokens, name)
	return map[string]any{"token": name}, s.save()
}

// RevokeAPIToken makes a token of the Platform API useless.
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
