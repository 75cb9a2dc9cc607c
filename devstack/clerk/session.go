package clerk

import (
	"fmt"
	"slices"
	"time"
)

// Session statuses, as the API names them.
const (
	statusActive  = "active"
	statusEnded   = "ended"
	statusRemoved = "removed"
	statusRevoked = "revoked"
	statusExpired = "expired"
)

// session is one signed-in user on one client.
type session struct {
	id             string
	user           *user
	clientID       string // "" when the Backend API made it
	organizationID string // active organization, or ""
	status         string
	createdAt      time.Time
	updatedAt      time.Time
	lastActiveAt   time.Time
	expireAt       time.Time
}

// newSession signs a user in. The organization, an id or slug, becomes active if
// the user belongs to it; empty means the user's first, unless the instance
// leaves new sessions without one.
func (inst *Instance) newSession(u *user, clientID, organization string) *session {
	organizationID := ""
	if m := u.membership(organization); m != nil {
		organizationID = m.organization.ID
	} else if organization == "" && !inst.opts.NoActiveOrganization && len(u.memberships) > 0 {
		organizationID = u.memberships[0].organization.ID
	}
	now := inst.now()
	s := &session{
		id: newID("sess"), user: u, clientID: clientID, organizationID: organizationID, status: statusActive,
		createdAt: now, updatedAt: now, lastActiveAt: now, expireAt: now.Add(inst.opts.SessionLifetime),
	}
	inst.sessions[s.id] = s
	return s
}

// activeMembership returns the user's membership in the session's active organization, or nil.
func (inst *Instance) activeMembership(s *session) *membership {
	if inst.fault(FaultOrganizationLeft) {
		return nil
	}
	return s.user.membership(s.organizationID)
}

// active reports whether tokens can be minted from s. It also marks an outdated session
// as expired.
func (inst *Instance) active(s *session) bool {
	if s.status == statusActive && !inst.now().Before(s.expireAt) {
		inst.closeSession(s, statusExpired)
	}
	return s.status == statusActive
}

func (inst *Instance) closeSession(s *session, status string) {
	s.status, s.updatedAt = status, inst.now()
}

// CreateSession signs a user in without a client, as the Backend API does on a
// development instance, and returns the session's id. The organization, an id
// or slug, may be empty.
func (inst *Instance) CreateSession(userID, organization string) (string, error) {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	u := inst.userByID(userID)
	if u == nil {
		return "", fmt.Errorf("clerk: create session: no user %q", userID)
	}
	if organization != "" && u.membership(organization) == nil {
		return "", fmt.Errorf("clerk: create session: %s is not a member of %q", u.Email, organization)
	}
	return inst.newSession(u, "", organization).id, nil
}

// RevokeSession revokes a session, as the dashboard does: no more tokens are minted from
// it; existing ones stay valid until they expire.
func (inst *Instance) RevokeSession(id string) error {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	s := inst.sessions[id]
	if s == nil || !inst.active(s) {
		return fmt.Errorf("clerk: revoke session %q: not an active session", id)
	}
	inst.closeSession(s, statusRevoked)
	return nil
}

// SessionIDs lists the active sessions of a user, oldest first.
func (inst *Instance) SessionIDs(userID string) []string {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	var ids []string
	for _, s := range inst.sessionsOf(userID) {
		if inst.active(s) {
			ids = append(ids, s.id)
		}
	}
	return ids
}

func (inst *Instance) sessionsOf(userID string) []*session {
	var found []*session
	for _, s := range inst.sessions {
		if s.user.ID == userID {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b *session) int {
		if c := a.createdAt.Compare(b.createdAt); c != 0 {
			return c
		}
		if a.id < b.id {
			return -1
		}
		return 1
	})
	return found
}
