package clerk

// signedInUser returns the user of the session that _clerk_session_id names, as it
// must on every path outside /client.
func (inst *Instance) signedInUser(c *call) (*user, error) {
	s, err := inst.sessionOf(c.client, c.r.URL.Query().Get("_clerk_session_id"))
	if err != nil {
		return nil, errAuthenticationInvalid()
	}
	return s.user, nil
}

// organizationOf returns the organization in the path, if the user belongs to it and has
// the permission.
func (inst *Instance) organizationOf(c *call, permission string) (*user, *organization, error) {
	u, err := inst.signedInUser(c)
	if err != nil {
		return nil, nil, err
	}
	m := u.membership(c.r.PathValue("organization"))
	if m == nil || inst.fault(FaultOrganizationLeft) {
		return nil, nil, errOrganizationUnauthorized()
	}
	if permission != "" && !m.may(permission) || permission == permissionManageMembers && inst.fault(FaultTeamForbidden) {
		return nil, nil, errMissingPermission(permission)
	}
	return u, m.organization, nil
}

// getMe returns the user of the session.
func getMe(inst *Instance, c *call) (any, error) {
	u, err := inst.signedInUser(c)
	if err != nil {
		return nil, err
	}
	return inst.wrap(c, inst.userView(u)), nil
}

// updateMe changes what a user may change: the name, and the unsafe metadata, which
// therefore must not be used for decisions.
func updateMe(inst *Instance, c *call) (any, error) {
	u, err := inst.signedInUser(c)
	if err != nil {
		return nil, err
	}
	if raw := c.form.Get("unsafe_metadata"); raw != "" {
		metadata, err := decodeObject([]byte(raw))
		if err != nil {
			return nil, errParamInvalid("unsafe_metadata")
		}
		u.UnsafeMetadata = metadata
	}
	for name, field := range map[string]*string{"first_name": &u.FirstName, "last_name": &u.LastName} {
		if c.form.Has(name) {
			*field = c.form.Get(name)
		}
	}
	u.updatedAt = inst.now()
	return inst.wrap(c, inst.userView(u)), nil
}

// wrapList returns a list in the envelope; one that isn't paginated is a plain array.
func wrapList[T any](inst *Instance, c *call, paginated bool, items []T, view func(T) object) (any, error) {
	response, err := list(queryOf(c.r), items, view)
	if err != nil {
		return nil, err
	}
	if !paginated {
		return object{"response": response["data"], "client": inst.clientView(c.client)}, nil
	}
	return inst.wrap(c, response), nil
}

func (c *call) paginated() bool { return c.r.URL.Query().Get("paginated") == "true" }

func listMyMemberships(inst *Instance, c *call) (any, error) {
	u, err := inst.signedInUser(c)
	if err != nil {
		return nil, err
	}
	return wrapList(inst, c, c.paginated(), u.memberships, func(m *membership) object { return inst.membershipView(u, m) })
}

func listMyInvitations(inst *Instance, c *call) (any, error) {
	u, err := inst.signedInUser(c)
	if err != nil {
		return nil, err
	}
	var mine []*invitation
	for _, o := range inst.organizations {
		mine = append(mine, inst.filterInvitations(o, c.r.URL.Query()["status"], u.Email)...)
	}
	return wrapList(inst, c, true, mine, inst.frontendInvitationView)
}

func acceptMyInvitation(inst *Instance, c *call) (any, error) {
	u, err := inst.signedInUser(c)
	if err != nil {
		return nil, err
	}
	i, err := inst.acceptInvitation(u, c.r.PathValue("invitation"))
	if err != nil {
		return nil, err
	}
	return inst.wrap(c, inst.frontendInvitationView(i)), nil
}

// createMyOrganization makes an organization whose administrator is the user.
func createMyOrganization(inst *Instance, c *call) (any, error) {
	u, err := inst.signedInUser(c)
	if err != nil {
		return nil, err
	}
	o, err := inst.newOrganization(Organization{Name: c.form.Get("name"), Slug: c.form.Get("slug")}, u)
	if err != nil {
		return nil, err
	}
	return inst.wrap(c, inst.organizationView(o)), nil
}

func getOrganization(inst *Instance, c *call) (any, error) {
	_, o, err := inst.organizationOf(c, "")
	if err != nil {
		return nil, err
	}
	return inst.wrap(c, inst.organizationView(o)), nil
}

func listMembers(inst *Instance, c *call) (any, error) {
	_, o, err := inst.organizationOf(c, permissionReadMembers)
	if err != nil {
		return nil, err
	}
	q := queryOf(c.r)
	return wrapList(inst, c, c.paginated(), inst.filterMembers(o, q), func(m member) object {
		return inst.membershipView(m.user, m.membership)
	})
}

func createMember(inst *Instance, c *call) (any, error) {
	_, o, err := inst.organizationOf(c, permissionManageMembers)
	if err != nil {
		return nil, err
	}
	u, m, err := inst.addMember(o, c.form.Get("user_id"), c.form.Get("role"))
	if err != nil {
		return nil, err
	}
	return inst.wrap(c, inst.membershipView(u, m)), nil
}

func updateMember(inst *Instance, c *call) (any, error) {
	_, o, err := inst.organizationOf(c, permissionManageMembers)
	if err == nil {
		err = checkRole(c.form.Get("role"))
	}
	if err != nil {
		return nil, err
	}
	u, m, err := inst.changeMember(o, c.r.PathValue("user"), c.form.Get("role"))
	if err != nil {
		return nil, err
	}
	return inst.wrap(c, inst.membershipView(u, m)), nil
}

func deleteMember(inst *Instance, c *call) (any, error) {
	_, o, err := inst.organizationOf(c, permissionManageMembers)
	if err != nil {
		return nil, err
	}
	u, m, err := inst.changeMember(o, c.r.PathValue("user"), "")
	if err != nil {
		return nil, err
	}
	return inst.wrap(c, inst.membershipView(u, m)), nil
}

func listInvitations(inst *Instance, c *call) (any, error) {
	_, o, err := inst.organizationOf(c, permissionManageMembers)
	if err != nil {
		return nil, err
	}
	return wrapList(inst, c, true, inst.filterInvitations(o, c.r.URL.Query()["status"], ""), inst.frontendInvitationView)
}

func listPendingInvitations(inst *Instance, c *call) (any, error) {
	_, o, err := inst.organizationOf(c, permissionManageMembers)
	if err != nil {
		return nil, err
	}
	return wrapList(inst, c, true, inst.filterInvitations(o, []string{invitationPending}, ""), inst.frontendInvitationView)
}

func createInvitation(inst *Instance, c *call) (any, error) {
	u, o, err := inst.organizationOf(c, permissionManageMembers)
	if err != nil {
		return nil, err
	}
	// Only the Backend API can set an invitation's target and lifetime.
	i, err := inst.invite(o, c.form.Get("email_address"), c.form.Get("role"), u, defaultInvitationDays)
	if err != nil {
		return nil, err
	}
	return inst.wrap(c, inst.frontendInvitationView(i)), nil
}

// createInvitations invites several at once: all of them or, on an error, none.
func createInvitations(inst *Instance, c *call) (any, error) {
	u, o, err := inst.organizationOf(c, permissionManageMembers)
	if err != nil {
		return nil, err
	}
	emails := append(c.form["email_address"], c.form["email_address[]"]...)
	if len(emails) == 0 {
		return nil, errParamMissing("email_address")
	}
	before := len(o.invitations)
	views := []object{}
	for _, email := range emails {
		i, err := inst.invite(o, email, c.form.Get("role"), u, defaultInvitationDays)
		if err != nil {
			o.invitations = o.invitations[:before]
			return nil, err
		}
		views = append(views, inst.frontendInvitationView(i))
	}
	return object{"response": views, "client": inst.clientView(c.client)}, nil
}

func revokeInvitation(inst *Instance, c *call) (any, error) {
	_, o, err := inst.organizationOf(c, permissionManageMembers)
	if err != nil {
		return nil, err
	}
	i, err := inst.revokeInvitation(o, c.r.PathValue("invitation"))
	if err != nil {
		return nil, err
	}
	return inst.wrap(c, inst.frontendInvitationView(i)), nil
}
