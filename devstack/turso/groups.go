package turso

import (
	"errors"
	"net/http"
)

type groupJSON struct {
	UUID      string   `json:"uuid"`
	Name      string   `json:"name"`
	Locations []string `json:"locations"`
	Primary   string   `json:"primary"`
	Archived  bool     `json:"archived"`
	Version   string   `json:"version"`
	Protected bool     `json:"delete_protection"`
}

func (g *group) render() groupJSON {
	return groupJSON{UUID: g.ID, Name: g.Name, Locations: []string{region}, Primary: region, Version: "latest", Protected: g.DeleteProtection}
}

// group finds the group in the path.
func (c *call) group() (*group, error) {
	return c.groupNamed(c.r.PathValue("group"))
}

func (c *call) groupNamed(name string) (*group, error) {
	if g := c.org.Groups[name]; g != nil && c.token.sees(name) {
		return g, nil
	}
	return nil, errNoGroup
}

func (s *Server) listGroups(c *call) (any, error) {
	list := []groupJSON{}
	for _, name := range sortedKeys(c.org.Groups) {
		if !c.token.sees(name) {
			continue
		}
		list = append(list, c.org.Groups[name].render())
	}
	return map[string]any{"groups": list}, nil
}

func (s *Server) getGroup(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	return map[string]any{"group": g.render()}, nil
}

// newGroup takes its fields by whatever case, as the turso CLI sends them in
// capitals.
func (s *Server) newGroup(c *call) (any, error) {
	var body struct {
		Name     string `json:"name"`
		Location string `json:"location"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if err := errors.Join(checkLocation(body.Location), c.without("extensions")); err != nil {
		return nil, err
	}
	if err := checkName("group", body.Name); err != nil {
		return nil, badRequest("%v", err)
	}
	if c.token.Group != "" {
		return nil, errNoGroup
	}
	if c.org.Groups[body.Name] != nil {
		return nil, &statusError{http.StatusConflict, "group already exists"}
	}
	g := newGroup(body.Name)
	c.org.Groups[g.Name] = g
	c.audit("group-create", map[string]any{"group": g.Name})
	return map[string]any{"group": g.render()}, s.save()
}

// deleteGroup destroys its databases, too.
func (s *Server) deleteGroup(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	if g.DeleteProtection {
		return nil, errGroupProtected
	}
	var databases []*database
	for _, db := range c.org.Databases {
		if db.Group == g.Name {
			if db.protected() {
				return nil, errProtected
			}
			databases = append(databases, db)
		}
	}
	for _, db := range databases {
		if err := s.destroy(db); err != nil {
			return nil, err
		}
	}
	delete(c.org.Groups, g.Name)
	c.audit("group-delete", map[string]any{"group": g.Name})
	return map[string]any{"group": g.render()}, s.save()
}

var errGroupProtected = &statusError{http.StatusBadRequest, "group is protected from being deleted"}

type groupConfig struct {
	DeleteProtection bool `json:"delete_protection"`
}

func (s *Server) groupConfiguration(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	return groupConfig{g.DeleteProtection}, nil
}

// configureGroup changes what the body names, and leaves the rest.
func (s *Server) configureGroup(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	config := groupConfig{g.DeleteProtection}
	if err := c.decode(&config); err != nil {
		return nil, err
	}
	if g.DeleteProtection != config.DeleteProtection {
		code := "group-unprotect"
		if config.DeleteProtection {
			code = "group-protect"
		}
		c.audit(code, map[string]any{"group": g.Name})
	}
	g.DeleteProtection = config.DeleteProtection
	return config, s.save()
}

// renameGroup keeps the group's tokens good: they name it by its id.
func (s *Server) renameGroup(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	var body struct {
		Name string `json:"name"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if err := checkName("group", body.Name); err != nil {
		return nil, badRequest("%v", err)
	}
	if c.org.Groups[body.Name] != nil {
		return nil, &statusError{http.StatusConflict, "group already exists"}
	}
	for _, db := range c.org.Databases {
		if db.Group == g.Name {
			db.Group = body.Name
		}
	}
	for _, u := range s.state.Users {
		for _, t := range u.Tokens {
			if t.Organization == c.org.Slug && t.Group == g.Name {
				t.Group = body.Name
			}
		}
	}
	delete(c.org.Groups, g.Name)
	g.Name = body.Name
	c.org.Groups[g.Name] = g
	return map[string]any{"group": g.render()}, s.save()
}

// awaken answers for what nothing has to be done for: no group is ever archived, and
// all are up to date.
func (s *Server) awaken(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	return map[string]any{"group": g.render()}, nil
}

func (s *Server) newGroupToken(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	o, err := s.tokenOptions(c)
	if err != nil {
		return nil, err
	}
	c.audit("group-token-create", map[string]any{"group": g.Name})
	return map[string]any{"jwt": s.mintGroupToken(g, o)}, s.save()
}

// rotateGroup invalidates all tokens of the group and of its databases.
func (s *Server) rotateGroup(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	now := s.now().Unix()
	g.role = newRole(now)
	for _, db := range c.org.Databases {
		if db.Group == g.Name {
			db.role = newRole(now)
		}
	}
	return struct{}{}, s.save()
}
