package clerk

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// System permissions, which decide who manages an organization. They never reach
// a token.
const (
	permissionReadMembers   = "org:sys_memberships:read"
	permissionManageMembers = "org:sys_memberships:manage"
)

var rolePermissions = map[string][]string{
	"org:admin": {
		"org:sys_profile:manage", "org:sys_profile:delete", permissionReadMembers, permissionManageMembers,
		"org:sys_domains:read", "org:sys_domains:manage",
	},
	"org:member": {permissionReadMembers},
}

const (
	defaultMaxMemberships = 5
	defaultInvitationDays = 30
	invitationPending     = "pending"
	invitationAccepted    = "accepted"
	invitationRevoked     = "revoked"
	invitationExpired     = "expired"
	maxInvitationDays     = 365
	organizationAdmin     = "org:admin"
)

// invitation is an invitation to an organization.
type invitation struct {
	id           string
	organization *organization
	email        string
	role         string
	inviter      *user // nil: the Backend API
	status       string
	createdAt    time.Time
	updatedAt    time.Time
	expireAt     time.Time
}

// permissions returns what the membership allows, system permissions included.
func (m *membership) permissions() []string {
	return append(slices.Clone(rolePermissions[m.Role]), m.Permissions...)
}

func (m *membership) may(permission string) bool { return slices.Contains(m.permissions(), permission) }

// members returns an organization's memberships, oldest first, each with its user.
func (inst *Instance) members(o *organization) []member {
	var found []member
	for _, u := range inst.users {
		if m := u.membership(o.ID); m != nil {
			found = append(found, member{u, m})
		}
	}
	slices.SortStableFunc(found, func(a, b member) int { return a.membership.createdAt.Compare(b.membership.createdAt) })
	return found
}

type member struct {
	*user
	*membership
}

// currentStatus turns an outdated pending invitation into an expired one.
func (inst *Instance) currentStatus(i *invitation) string {
	if i.status == invitationPending && !inst.now().Before(i.expireAt) {
		i.status, i.updatedAt = invitationExpired, inst.now()
	}
	return i.status
}

func (inst *Instance) pendingInvitations(o *organization) int {
	count := 0
	for _, i := range o.invitations {
		if inst.currentStatus(i) == invitationPending {
			count++
		}
	}
	return count
}

// checkRoom refuses another member if the organization is full, counting pending
// invitations.
func (inst *Instance) checkRoom(o *organization) error {
	if inst.fault(FaultInvitationQuota) {
		return errMembershipQuota(o.MaxMemberships)
	}
	if o.MaxMemberships > 0 && len(inst.members(o))+inst.pendingInvitations(o) >= o.MaxMemberships {
		return errMembershipQuota(o.MaxMemberships)
	}
	return nil
}

func checkRole(role string) error {
	switch {
	case role == "":
		return errParamMissing("role")
	case !strings.HasPrefix(role, "org:"):
		return errParamInvalid("role")
	}
	return nil
}

// invite makes an invitation. No e-mail goes out.
func (inst *Instance) invite(o *organization, email, role string, inviter *user, days int) (*invitation, error) {
	email = strings.TrimSpace(email)
	switch {
	case email == "":
		return nil, errParamMissing("email_address")
	case !strings.Contains(email, "@"):
		return nil, errParamInvalid("email_address")
	case days < 1 || days > maxInvitationDays:
		return nil, errParamInvalid("expires_in_days")
	}
	if err := checkRole(role); err != nil {
		return nil, err
	}
	if u := inst.userByEmail(email); u != nil && u.membership(o.ID) != nil {
		return nil, errAlreadyMember(email)
	}
	for _, i := range o.invitations {
		if strings.EqualFold(i.email, email) && inst.currentStatus(i) == invitationPending {
			return nil, errInvitationNotUnique()
		}
	}
	if err := inst.checkRoom(o); err != nil {
		return nil, err
	}
	if err := inst.limitInvitations(o); err != nil {
		return nil, err
	}
	now := inst.now()
	i := &invitation{
		id: newID("orginv"), organization: o, email: email, role: role, inviter: inviter, status: invitationPending,
		createdAt: now, updatedAt: now, expireAt: now.AddDate(0, 0, days),
	}
	o.invitations = append(o.invitations, i)
	return i, nil
}

func (o *organization) invitation(id string) (*invitation, error) {
	for _, i := range o.invitations {
		if i.id == id {
			return i, nil
		}
	}
	return nil, errInvitationNotFound(id)
}

func (inst *Instance) revokeInvitation(o *organization, id string) (*invitation, error) {
	i, err := o.invitation(id)
	if err != nil {
		return nil, err
	}
	if inst.currentStatus(i) != invitationPending {
		return nil, errInvitationNotPending()
	}
	i.status, i.updatedAt = invitationRevoked, inst.now()
	return i, nil
}

// acceptInvitation makes the invited user a member.
func (inst *Instance) acceptInvitation(u *user, id string) (*invitation, error) {
	for _, o := range inst.organizations {
		i, err := o.invitation(id)
		if err != nil || !strings.EqualFold(i.email, u.Email) {
			continue
		}
		switch inst.currentStatus(i) {
		case invitationAccepted:
			return nil, errInvitationAccepted()
		case invitationRevoked:
			return nil, errInvitationRevoked()
		case invitationExpired:
			return nil, errInvitationNotPending()
		}
		i.status, i.updatedAt = invitationAccepted, inst.now()
		inst.join(u, o, i.role)
		return i, nil
	}
	return nil, errInvitationNotFound(id)
}

var notInSlug = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[^a-z0-9]+`) })

// newOrganization makes an organization, with its creator, if any, as administrator.
func (inst *Instance) newOrganization(o Organization, creator *user) (*organization, error) {
	if o.Name == "" {
		return nil, errParamMissing("name")
	}
	if o.Slug == "" {
		o.Slug = strings.Trim(notInSlug().ReplaceAllString(strings.ToLower(o.Name), "-"), "-")
	}
	if inst.organization(o.Slug) != nil || o.Slug == "" {
		return nil, errIdentifierExists("slug", "That slug is taken. Please try another.")
	}
	added, err := inst.addOrganization(o)
	if err != nil {
		return nil, errParamInvalid("public_metadata")
	}
	if creator != nil {
		added.createdBy = creator.ID
		inst.join(creator, added, organizationAdmin)
	}
	return added, nil
}

func (inst *Instance) join(u *user, o *organization, role string) *membership {
	now := inst.now()
	m := &membership{
		Membership: Membership{Organization: o.Slug, Role: role}, id: newID("orgmem"), organization: o, createdAt: now, updatedAt: now,
	}
	u.memberships = append(u.memberships, m)
	return m
}

func (inst *Instance) addMember(o *organization, userID, role string) (*user, *membership, error) {
	u := inst.userByID(userID)
	if u == nil {
		return nil, nil, errUserNotFound(userID)
	}
	if err := checkRole(role); err != nil {
		return nil, nil, err
	}
	if u.membership(o.ID) != nil {
		return nil, nil, errAlreadyMember(u.Email)
	}
	if err := inst.checkRoom(o); err != nil {
		return nil, nil, err
	}
	return u, inst.join(u, o, role), nil
}

// changeMember changes a member's role, or removes the member if it is none. Someone has
// to be able to manage the organization afterwards.
func (inst *Instance) changeMember(o *organization, userID, role string) (*user, *membership, error) {
	u := inst.userByID(userID)
	if u == nil || u.membership(o.ID) == nil {
		return nil, nil, errNotFound()
	}
	m := u.membership(o.ID)
	managers := 0
	for _, other := range inst.members(o) {
		if other.may(permissionManageMembers) {
			managers++
		}
	}
	if managers == 1 && m.may(permissionManageMembers) && !slices.Contains(rolePermissions[role], permissionManageMembers) {
		return nil, nil, errMinimumPermissions()
	}
	if role != "" {
		m.Role, m.updatedAt = role, inst.now()
		return u, m, nil
	}
	u.memberships = slices.DeleteFunc(u.memberships, func(other *membership) bool { return other == m })
	for _, s := range inst.sessions {
		if s.user == u && s.organizationID == o.ID {
			s.organizationID = ""
		}
	}
	return u, m, nil
}

// page returns the part of a list that limit and offset ask for.
func page[T any](r urlQuery, items []T) (part []T, total int, err error) {
	limit, err := r.number("limit", 10, 1, 500)
	if err != nil {
		return nil, 0, err
	}
	offset, err := r.number("offset", 0, 0, 1<<31-1)
	if err != nil {
		return nil, 0, err
	}
	total = len(items)
	offset = min(offset, total)
	return items[offset:min(offset+limit, total)], total, nil
}
