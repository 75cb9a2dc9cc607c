package clerk

func getClient(inst *Instance, c *call) (any, error) {
	if c.client == nil {
		return object{"response": nil, "client": nil}, nil
	}
	return object{"response": inst.clientView(c.client), "client": nil}, nil
}

func createClient(inst *Instance, c *call) (any, error) {
	if c.client == nil {
		var err error
		if c.client, err = inst.newClient(); err != nil {
			return nil, err
		}
	}
	return getClient(inst, c)
}

// deleteClient signs out of every session. Without a client there is nothing to end,
// which Clerk also answers with a 200.
func deleteClient(inst *Instance, c *call) (any, error) {
	if c.client == nil {
		return object{"response": nil, "client": nil}, nil
	}
	if err := inst.endSessions(c.client, statusRemoved, inst.activeSessions(c.client)...); err != nil {
		return nil, err
	}
	c.client.signIn = nil
	return getClient(inst, c)
}

func getClientSession(inst *Instance, c *call) (any, error) {
	s, err := inst.sessionOf(c.client, c.r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return inst.wrap(c, inst.clientSessionView(s)), nil
}

// endSession ends one session of the client (Clerk: end marks it ended, remove
// deletes it).
func endSession(status string) frontendHandler {
	return func(inst *Instance, c *call) (any, error) {
		s, err := inst.sessionOf(c.client, c.r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		if err := inst.endSessions(c.client, status, s); err != nil {
			return nil, err
		}
		return inst.wrap(c, inst.clientSessionView(s)), nil
	}
}

// touchSession makes an organization the active one. If empty, it activates the personal
// account, unless the instance requires an organization: then the active one stays.
func touchSession(inst *Instance, c *call) (any, error) {
	s, err := inst.sessionOf(c.client, c.r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if organization := c.form.Get("active_organization_id"); organization != "" || c.form.Has("active_organization_id") && inst.opts.NoActiveOrganization {
		if err := inst.activate(s, organization, errOrganizationUnauthorized()); err != nil {
			return nil, err
		}
	}
	s.lastActiveAt = inst.now()
	return inst.wrap(c, inst.clientSessionView(s)), nil
}

// activate changes a session's organization; refusal is the error for someone who does
// not belong to it.
func (inst *Instance) activate(s *session, organization string, refusal error) error {
	if organization == "" {
		s.organizationID = ""
		return nil
	}
	m := s.user.membership(organization)
	if m == nil {
		return refusal
	}
	s.organizationID = m.organization.ID
	return nil
}

func createSessionToken(inst *Instance, c *call) (any, error) {
	s, err := inst.sessionOf(c.client, c.r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if c.form.Has("organization_id") {
		if err := inst.activate(s, c.form.Get("organization_id"), errNotMember()); err != nil {
			return nil, err
		}
	}
	signed, err := inst.sessionToken(s, c.origin(), inst.opts.SessionTokenLifetime)
	return object{"object": "token", "jwt": signed}, err
}

func createTemplateToken(inst *Instance, c *call) (any, error) {
	s, err := inst.sessionOf(c.client, c.r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	t, err := inst.findTemplate(c.r.PathValue("template"))
	if err != nil {
		return nil, err
	}
	signed, err := inst.templateToken(s, t, c.origin(), t.lifetime)
	return object{"object": "token", "jwt": signed}, err
}

// wrap returns the envelope of answers that carry the client along.
func (inst *Instance) wrap(c *call, response object) object {
	return object{"response": response, "client": inst.clientView(c.client)}
}
