package clerk

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

type organization struct {
	Organization
	createdAt   time.Time
	createdBy   string // a user, or ""
	invitations []*invitation
}

type user struct {
	User
	emailID         string // id of the e-mail address, idn_…
	createdAt       time.Time
	updatedAt       time.Time
	privateMetadata map[string]any
	memberships     []*membership
}

type membership struct {
	Membership
	id           string
	organization *organization
	createdAt    time.Time
	updatedAt    time.Time
}

func (u *user) fullName() string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }

// membership finds what u is in an organization, named by id or slug, or nil.
func (u *user) membership(organization string) *membership {
	for _, m := range u.memberships {
		if organization != "" && (m.organization.ID == organization || m.organization.Slug == organization) {
			return m
		}
	}
	return nil
}

// organization finds one by id or slug, or nil.
func (inst *Instance) organization(name string) *organization {
	i := slices.IndexFunc(inst.organizations, func(o *organization) bool { return o.ID == name || o.Slug == name })
	if i < 0 {
		return nil
	}
	return inst.organizations[i]
}

func (inst *Instance) userByEmail(email string) *user {
	return inst.findUser(func(u *user) bool { return strings.EqualFold(u.Email, email) })
}

func (inst *Instance) userByID(id string) *user {
	return inst.findUser(func(u *user) bool { return u.ID == id })
}

func (inst *Instance) findUser(match func(*user) bool) *user {
	if i := slices.IndexFunc(inst.users, match); i >= 0 {
		return inst.users[i]
	}
	return nil
}

// plainJSON rewrites metadata as what JSON makes of it, so that shortcodes can
// walk it whatever Go types it was written with.
func plainJSON(metadata map[string]any) (map[string]any, error) {
	if metadata == nil {
		return map[string]any{}, nil
	}
	raw, err := json.Marshal(metadata)
	if err != nil {
		return nil, fmt.Errorf("public metadata: %w", err)
	}
	return decodeObject(raw)
}
