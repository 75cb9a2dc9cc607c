package clerk

import (
	"net/http"
	"slices"
	"strings"
)

func (inst *Instance) pathOrganization(r *http.Request) (*organization, error) {
	if o := inst.organization(r.PathValue("organization")); o != nil {
		return o, nil
	}
	return nil, errOrganizationNotFound()
}

func (inst *Instance) backendOrganizationView(o *organization) object {
	view := inst.organizationView(o)
	view["private_metadata"], view["created_by"] = object{}, nullable(o.createdBy)
	return view
}

func listOrganizations(inst *Instance, r *http.Request, _ params) (any, error) {
	q := queryOf(r)
	part := strings.ToLower(q.Get("query"))
	found := slices.DeleteFunc(slices.Clone(inst.organizations), func(o *organization) bool {
		return !strings.Contains(strings.ToLower(o.Name+" "+o.Slug+" "+o.ID), part)
	})
	return list(q, found, inst.backendOrganizationView)
}

func createOrganization(inst *Instance, _ *http.Request, body params) (any, error) {
	var (
		o         Organization
		createdBy string
	)
	for _, err := range []error{
		body.only("name", "slug", "created_by", "public_metadata", "private_metadata", "max_allowed_memberships"),
		body.into("name", &o.Name), body.into("slug", &o.Slug), body.into("created_by", &createdBy),
		body.into("public_metadata", &o.PublicMetadata), body.into("max_allowed_memberships", &o.MaxMemberships),
	} {
		if err != nil {
			return nil, err
		}
	}
	creator := inst.userByID(createdBy)
	if createdBy != "" && creator == nil {
		return nil, errUserNotFound(createdBy)
	}
	added, err := inst.newOrganization(o, creator)
	if err != nil {
		return nil, err
	}
	return inst.backendOrganizationView(added), nil
}

func readOrganization(inst *Instance, r *http.Request, _ params) (any, error) {
	o, err := inst.pathOrganization(r)
	if err != nil {
		return nil, err
	}
	return inst.backendOrganizationView(o), nil
}

func deleteOrganization(inst *Instance, r *http.Request, _ params) (any, error) {
	o, err := inst.pathOrganization(r)
	if err != nil {
		return nil, err
	}
	for _, u := range inst.users {
		u.memberships = slices.DeleteFunc(u.memberships, func(m *membership) bool { return m.organization == o })
	}
	for _, s := range inst.sessions {
		if s.organizationID == o.ID {
			s.organizationID = ""
		}
	}
	inst.organizations = slices.DeleteFunc(inst.organizations, func(other *organization) bool { return other == o })
	return object{"object": "organization", "id": o.ID, "slug": o.Slug, "deleted": true}, nil
}

func (inst *Instance) memberView(m member) object {
	view := inst.membershipView(m.user, m.membership)
	view["private_metadata"] = object{}
	return view
}

func backendMembers(inst *Instance, r *http.Request, _ params) (any, error) {
	o, err := inst.pathOrganization(r)
	if err != nil {
		return nil, err
	}
	return list(queryOf(r), inst.filterMembers(o, queryOf(r)), inst.memberView)
}

func backendCreateMember(inst *Instance, r *http.Request, body params) (any, error) {
	o, err := inst.pathOrganization(r)
	if err != nil {
		return nil, err
	}
	var userID, role string
	for _, err := range []error{
		body.only("user_id", "role", "public_metadata", "private_metadata"), body.into("user_id", &userID), body.into("role", &role),
	} {
		if err != nil {
			return nil, err
		}
	}
	u, m, err := inst.addMember(o, userID, role)
	if err != nil {
		return nil, err
	}
	return inst.memberView(member{u, m}), nil
}

func backendUpdateMember(inst *Instance, r *http.Request, body params) (any, error) {
	o, err := inst.pathOrganization(r)
	if err != nil {
		return nil, err
	}
	var role string
	if err := body.into("role", &role); err != nil {
		return nil, err
	}
	if err := checkRole(role); err != nil {
		return nil, err
	}
	u, m, err := inst.changeMember(o, r.PathValue("user"), role)
	if err != nil {
		return nil, err
	}
	return inst.memberView(member{u, m}), nil
}

func backendDeleteMember(inst *Instance, r *http.Request, _ params) (any, error) {
	o, err := inst.pathOrganization(r)
	if err != nil {
		return nil, err
	}
	u, m, err := inst.changeMember(o, r.PathValue("user"), "")
	if err != nil {
		return nil, err
	}
	return inst.memberView(member{u, m}), nil
}

func backendInvitations(inst *Instance, r *http.Request, _ params) (any, error) {
	o, err := inst.pathOrganization(r)
	if err != nil {
		return nil, err
	}
	q := queryOf(r)
	return list(q, inst.filterInvitations(o, q.Values["status"], q.Get("email_address")), inst.backendInvitationView)
}

func backendCreateInvitation(inst *Instance, r *http.Request, body params) (any, error) {
	o, err := inst.pathOrganization(r)
	if err != nil {
		return nil, err
	}
	var email, role, inviterID string
	days := defaultInvitationDays
	for _, err := range []error{
		body.only("email_address", "role", "inviter_user_id", "public_metadata", "private_metadata", "redirect_url", "expires_in_days", "notify"),
		body.into("email_address", &email), body.into("role", &role), body.into("inviter_user_id", &inviterID), body.into("expires_in_days", &days),
	} {
		if err != nil {
			return nil, err
		}
	}
	inviter := inst.userByID(inviterID)
	if inviterID != "" {
		if inviter == nil {
			return nil, errUserNotFound(inviterID)
		}
		if m := inviter.membership(o.ID); m == nil || !m.may(permissionManageMembers) {
			return nil, errMissingPermission(permissionManageMembers)
		}
	}
	i, err := inst.invite(o, email, role, inviter, days)
	if err != nil {
		return nil, err
	}
	return inst.backendInvitationView(i), nil
}

func backendReadInvitation(inst *Instance, r *http.Request, _ params) (any, error) {
	o, err := inst.pathOrganization(r)
	if err != nil {
		return nil, err
	}
	i, err := o.invitation(r.PathValue("invitation"))
	if err != nil {
		return nil, err
	}
	return inst.backendInvitationView(i), nil
}

func backendRevokeInvitation(inst *Instance, r *http.Request, body params) (any, error) {
	o, err := inst.pathOrganization(r)
	if err == nil {
		err = body.only("requesting_user_id")
	}
	if err != nil {
		return nil, err
	}
	i, err := inst.revokeInvitation(o, r.PathValue("invitation"))
	if err != nil {
		return nil, err
	}
	return inst.backendInvitationView(i), nil
}
