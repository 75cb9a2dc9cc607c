package turso

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Roles of members.
const (
	roleOwner  = "owner"
	roleAdmin  = "admin"
	roleMember = "member"
)

var errNotAdmin = &statusError{http.StatusForbidden, "only organization admins or owners may do that"}

// administers refuses a caller who may not manage members.
func (c *call) administers() error {
	if role := c.org.Members[c.user.Name]; role != roleOwner && role != roleAdmin {
		return errNotAdmin
	}
	return nil
}

func checkRole(role string) (string, error) {
	role = cmp.Or(role, roleMember)
	if !slices.Contains([]string{roleAdmin, roleMember, "viewer"}, role) {
		return "", badRequest("invalid role: %s", role)
	}
	return role, nil
}

func (o *organization) render() organizationJSON {
	r := organizationJSON{ID: o.ID, Name: o.Name, Slug: o.Slug, Type: "team", Overages: o.Overages}
	if o.Personal {
		r.Type = "personal"
	}
	return r
}

var noSlug = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[^a-z0-9]+`) })

// newOrganization makes the caller the owner. A dry run only says whether the name is
// free.
func (s *Server) newOrganization(c *call) (any, error) {
	var body struct {
		Name string `json:"name"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	slug := strings.Trim(noSlug().ReplaceAllString(strings.ToLower(body.Name), "-"), "-")
	if err := checkName("organization", slug); err != nil {
		return nil, badRequest("%v", err)
	}
	if c.token.Organization != "" {
		return nil, errNotMember
	}
	if s.state.Organizations[slug] != nil {
		return nil, &statusError{http.StatusConflict, "organization name already exists"}
	}
	o := Organization{Slug: slug, Name: body.Name, Members: []string{c.user.Name}}
	if c.r.URL.Query().Get("dry_run") == "true" {
		return map[string]any{"org": (&organization{Slug: slug, Name: body.Name}).render()}, nil
	}
	org, err := s.createOrganization(o)
	if err != nil {
		return nil, err
	}
	c.org = org
	c.audit("org-create", map[string]any{"organization": slug})
	return map[string]any{"org": org.render()}, s.save()
}

func (s *Server) getOrganization(c *call) (any, error) {
	return map[string]any{"organization": c.org.render()}, nil
}

func (s *Server) updateOrganization(c *call) (any, error) {
	if err := c.without("require_mfa"); err != nil {
		return nil, err
	}
	var body struct {
		Overages *bool `json:"overages"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if err := c.administers(); err != nil {
		return nil, err
	}
	if body.Overages != nil {
		c.org.Overages = *body.Overages
		c.audit("org-set-overages", map[string]any{"overages": c.org.Overages})
	}
	return map[string]any{"organization": c.org.render()}, s.save()
}

// deleteOrganization destroys what is in it.
func (s *Server) deleteOrganization(c *call) (any, error) {
	if c.org.Members[c.user.Name] != roleOwner {
		return nil, errNotAdmin
	}
	if c.org.Personal {
		return nil, badRequest("the personal organization can't be deleted")
	}
	for _, db := range c.org.Databases {
		if db.protected() {
			return nil, errProtected
		}
	}
	for _, name := range sortedKeys(c.org.Databases) {
		if err := s.destroy(c.org.Databases[name]); err != nil {
			return nil, err
		}
	}
	delete(s.state.Organizations, c.org.Slug)
	return map[string]any{"organization": c.org.render()}, s.save()
}

type memberJSON struct {
	Username string `json:"username"`
	Role     string `json:"role"`
	Email    string `json:"email"`
}

func (s *Server) member(c *call, name string) memberJSON {
	m := memberJSON{Username: name, Role: c.org.Members[name]}
	if u := s.state.Users[name]; u != nil {
		m.Email = u.Email
	}
	return m
}

func (s *Server) listMembers(c *call) (any, error) {
	list := []memberJSON{}
	for _, name := range sortedKeys(c.org.Members) {
		list = append(list, s.member(c, name))
	}
	return map[string]any{"members": list}, nil
}

func (s *Server) getMember(c *call) (any, error) {
	name := c.r.PathValue("member")
	if c.org.Members[name] == "" {
		return nil, notFound("could not find user %s", name)
	}
	return map[string]any{"member": s.member(c, name)}, nil
}

func (s *Server) addMember(c *call) (any, error) {
	var body struct {
		Username string `json:"username"`
		Role     string `json:"role"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	role, err := checkRole(body.Role)
	if err == nil {
		err = c.administers()
	}
	switch {
	case err != nil:
		return nil, err
	case s.state.Users[body.Username] == nil:
		return nil, notFound("could not find user %s", body.Username)
	case c.org.Members[body.Username] != "":
		return nil, &statusError{http.StatusConflict, fmt.Sprintf("user %s is already a member of organization %s", body.Username, c.org.Slug)}
	}
	c.org.Members[body.Username] = role
	c.audit("org-member-add", map[string]any{"username": body.Username, "role": role})
	return map[string]any{"member": body.Username, "role": role}, s.save()
}

func (s *Server) updateMember(c *call) (any, error) {
	var body struct {
		Role string `json:"role"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	name := c.r.PathValue("member")
	role, err := checkRole(body.Role)
	if err == nil {
		err = c.administers()
	}
	switch {
	case err != nil:
		return nil, err
	case c.org.Members[name] == "":
		return nil, notFound("could not find user %s", name)
	case c.org.Members[name] == roleOwner:
		return nil, &statusError{http.StatusForbidden, "the owner's role can't be changed"}
	}
	c.org.Members[name] = role
	return map[string]any{"member": s.member(c, name)}, s.save()
}

func (s *Server) removeMember(c *call) (any, error) {
	name := c.r.PathValue("member")
	role := c.org.Members[name]
	if name != c.user.Name {
		if err := c.administers(); err != nil {
			return nil, err
		}
	}
	switch role {
	case "":
		return nil, notFound("could not find user %s", name)
	case roleOwner:
		return nil, &statusError{http.StatusForbidden, "the owner can't be removed"}
	}
	delete(c.org.Members, name)
	code := "org-member-rm"
	if name == c.user.Name {
		code = "org-member-leave"
	}
	c.audit(code, map[string]any{"username": name})
	return map[string]any{"member": name}, s.save()
}

// invite is one that waits to be accepted. No one is sent a mail.
type invite struct {
	ID        int    `json:"id"`
	Email     string `json:"email"`
	Role      string `json:"role"`
	Accepted  bool   `json:"accepted"`
	CreatedAt string `json:"created_at"`
}

func (s *Server) listInvites(c *call) (any, error) {
	if err := c.administers(); err != nil {
		return nil, err
	}
	list := []*invite{}
	for _, email := range sortedKeys(c.org.Invites) {
		list = append(list, c.org.Invites[email])
	}
	return map[string]any{"invites": list}, nil
}

// newInvite replaces one for the same address.
func (s *Server) newInvite(c *call) (any, error) {
	var body struct {
		Email    string `json:"email"`
		Username string `json:"username"`
		Role     string `json:"role"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	role, err := checkRole(body.Role)
	if err == nil {
		err = c.administers()
	}
	if err != nil {
		return nil, err
	}
	if (body.Email == "") == (body.Username == "") {
		return nil, badRequest("exactly one of email and username must be provided")
	}
	if body.Username != "" {
		u := s.state.Users[body.Username]
		if u == nil {
			return nil, notFound("could not find user %s", body.Username)
		}
		body.Email = u.Email
	}
	if c.org.Invites == nil {
		c.org.Invites = make(map[string]*invite)
	}
	s.state.LastInvite++
	c.org.Invites[body.Email] = &invite{ID: s.state.LastInvite, Email: body.Email, Role: role, CreatedAt: s.now().UTC().Format(time.RFC3339)}
	return map[string]any{"invited": map[string]string{"email": body.Email, "role": role, "organization": c.org.Name}}, s.save()
}

func (s *Server) deleteInvite(c *call) (any, error) {
	email := c.r.PathValue("email")
	if err := c.administers(); err != nil {
		return nil, err
	}
	if c.org.Invites[email] == nil {
		return nil, notFound("could not find invite for %s", email)
	}
	delete(c.org.Invites, email)
	return struct{}{}, s.save()
}
