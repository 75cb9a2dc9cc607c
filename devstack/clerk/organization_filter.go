package clerk

import (
	"slices"
	"strings"
)

// filterInvitations returns an organization's invitations, newest first, of the given
// statuses and for an address; empty means any.
func (inst *Instance) filterInvitations(o *organization, statuses []string, email string) []*invitation {
	found := []*invitation{}
	for _, i := range o.invitations {
		if len(statuses) > 0 && !slices.Contains(statuses, inst.currentStatus(i)) {
			continue
		}
		if email == "" || strings.EqualFold(email, i.email) {
			found = append(found, i)
		}
	}
	slices.Reverse(found)
	return found
}

// filterMembers returns an organization's members, by role, user id, e-mail address
// or a part of name or address.
func (inst *Instance) filterMembers(o *organization, q urlQuery) []member {
	matches := func(name, value string) bool {
		return len(q.Values[name]) == 0 || slices.Contains(q.Values[name], value)
	}
	part := strings.ToLower(q.Get("query"))
	return slices.DeleteFunc(inst.members(o), func(m member) bool {
		return !matches("role", m.Role) || !matches("user_id", m.user.ID) || !matches("email_address", m.Email) ||
			!strings.Contains(strings.ToLower(m.fullName()+" "+m.Email+" "+m.user.ID), part)
	})
}
