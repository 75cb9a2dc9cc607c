package turso

// locationName describes the only location.
const locationName = "This machine"

func (s *Server) listLocations(*call) (any, error) {
	return map[string]any{"locations": map[string]string{region: locationName}}, nil
}

// organizationLocations are by the kind of the place.
func (s *Server) organizationLocations(*call) (any, error) {
	return map[string]any{"locations": map[string]any{region: map[string]string{region: locationName}}}, nil
}

func (s *Server) getLocation(c *call) (any, error) {
	if c.r.PathValue("location") != region {
		return nil, notFound("location not found")
	}
	return map[string]any{"location": map[string]any{"code": region, "description": locationName, "closest": []any{}}}, nil
}

// checkLocation refuses every place but this machine: what is made is here.
func checkLocation(name string) error {
	if name != "" && name != region {
		return lacking("the location " + name + ": its only one is " + region)
	}
	return nil
}

// addLocation has nothing to do for the only location.
func (s *Server) addLocation(c *call) (any, error) {
	g, err := c.group()
	if err == nil {
		err = checkLocation(c.r.PathValue("location"))
	}
	if err != nil {
		return nil, err
	}
	return map[string]any{"group": g.render()}, nil
}

func (s *Server) removeLocation(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	if name := c.r.PathValue("location"); name != region {
		return nil, badRequest("location %s is not in the group %s", name, g.Name)
	}
	return nil, badRequest("the primary location can't be removed")
}
