package turso

type groupJSON struct {
	UUID      string   `json:"uuid"`
	Name      string   `json:"name"`
	Locations []string `json:"locations"`
	Primary   string   `json:"primary"`
	Archived  bool     `json:"archived"`
	Version   string   `json:"version"`
}

func (g *group) render() groupJSON {
	return groupJSON{UUID: g.ID, Name: g.Name, Locations: []string{region}, Primary: region, Version: "latest"}
}

// group finds the group in the path.
func (c *call) group() (*group, error) {
	if g := c.org.Groups[c.r.PathValue("group")]; g != nil {
		return g, nil
	}
	return nil, errNoGroup
}

func (s *Server) listGroups(c *call) (any, error) {
	list := []groupJSON{}
	for _, name := range sortedKeys(c.org.Groups) {
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

func (s *Server) newGroupToken(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	o, err := s.tokenOptions(c)
	if err != nil {
		return nil, err
	}
	return map[string]any{"jwt": s.mintGroupToken(g, o)}, nil
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
