package clerk

func (inst *Instance) organizationView(o *organization) object {
	return object{
		"object":                    "organization",
		"id":                        o.ID,
		"name":                      o.Name,
		"slug":                      o.Slug,
		"image_url":                 "",
		"has_image":                 false,
		"members_count":             len(inst.members(o)),
		"pending_invitations_count": inst.pendingInvitations(o),
		"max_allowed_memberships":   o.MaxMemberships,
		"admin_delete_enabled":      true,
		"public_metadata":           o.PublicMetadata,
		"created_at":                ms(o.createdAt),
		"updated_at":                ms(o.createdAt),
	}
}

func (inst *Instance) membershipView(u *user, m *membership) object {
	return object{
		"object":           "organization_membership",
		"id":               m.id,
		"role":             m.Role,
		"role_name":        roleName(m.Role),
		"permissions":      m.permissions(),
		"public_metadata":  object{},
		"organization":     inst.organizationView(m.organization),
		"public_user_data": publicUserView(u),
		"created_at":       ms(m.createdAt),
		"updated_at":       ms(m.updatedAt),
	}
}

func publicUserView(u *user) object {
	return object{
		"user_id":    u.ID,
		"first_name": nullable(u.FirstName),
		"last_name":  nullable(u.LastName),
		"image_url":  "",
		"has_image":  false,
		"identifier": u.Email,
		"username":   nil,
		"banned":     false,
	}
}

// invitationView is both APIs' view of an invitation. The Backend API adds who
// made it, the Frontend API what the organization is called.
func (inst *Instance) invitationView(i *invitation) object {
	return object{
		"object":          "organization_invitation",
		"id":              i.id,
		"email_address":   i.email,
		"role":            i.role,
		"role_name":       roleName(i.role),
		"organization_id": i.organization.ID,
		"status":          inst.currentStatus(i),
		"public_metadata": object{},
		"url":             inst.baseURL + "/v1/tickets/accept?ticket=" + i.id,
		"expires_at":      ms(i.expireAt),
		"created_at":      ms(i.createdAt),
		"updated_at":      ms(i.updatedAt),
	}
}

func (inst *Instance) frontendInvitationView(i *invitation) object {
	view := inst.invitationView(i)
	view["public_organization_data"] = object{
		"id": i.organization.ID, "name": i.organization.Name, "slug": i.organization.Slug, "image_url": "", "has_image": false,
	}
	return view
}

func (inst *Instance) backendInvitationView(i *invitation) object {
	view := inst.invitationView(i)
	view["inviter_id"], view["public_inviter_data"], view["private_metadata"] = nil, nil, object{}
	if i.inviter != nil {
		view["inviter_id"], view["public_inviter_data"] = i.inviter.ID, publicUserView(i.inviter)
	}
	return view
}
