package clerk

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"
)

// AddOrganization adds an organization and returns its id.
func (inst *Instance) AddOrganization(o Organization) (string, error) {
	if o.Slug == "" {
		return "", errors.New("clerk: add organization: want a slug")
	}
	inst.mu.Lock()
	defer inst.mu.Unlock()
	if inst.organization(o.Slug) != nil {
		return "", fmt.Errorf("clerk: add organization %q: exists", o.Slug)
	}
	added, err := inst.addOrganization(o)
	if err != nil {
		return "", fmt.Errorf("clerk: add organization %q: %w", o.Slug, err)
	}
	return added.ID, nil
}

func (inst *Instance) addOrganization(o Organization) (added *organization, err error) {
	if o.ID == "" {
		o.ID = newID("org")
	}
	o.Name = cmp.Or(o.Name, o.Slug)
	o.MaxMemberships = cmp.Or(o.MaxMemberships, defaultMaxMemberships)
	if o.PublicMetadata, err = plainJSON(o.PublicMetadata); err != nil {
		return nil, err
	}
	added = &organization{Organization: o, createdAt: inst.now()}
	inst.organizations = append(inst.organizations, added)
	return added, nil
}

// SetOrganizationMetadata sets a field of an organization's public metadata.
func (inst *Instance) SetOrganizationMetadata(organization, name string, value any) error {
	plain, err := plainJSON(map[string]any{name: value})
	if err != nil {
		return fmt.Errorf("clerk: organization %q: %w", organization, err)
	}
	inst.mu.Lock()
	defer inst.mu.Unlock()
	o := inst.organization(organization)
	if o == nil {
		return fmt.Errorf("clerk: no organization %q", organization)
	}
	metadata := maps.Clone(o.PublicMetadata)
	maps.Copy(metadata, plain)
	o.PublicMetadata = metadata
	return nil
}

// AddUser adds a user and returns its id.
func (inst *Instance) AddUser(u User) (string, error) {
	if u.Email == "" {
		return "", errors.New("clerk: add user: want an e-mail address")
	}
	inst.mu.Lock()
	defer inst.mu.Unlock()
	if inst.userByEmail(u.Email) != nil {
		return "", fmt.Errorf("clerk: add user %q: exists", u.Email)
	}
	added, err := inst.addUser(u)
	if err != nil {
		return "", fmt.Errorf("clerk: add user %q: %w", u.Email, err)
	}
	return added.ID, nil
}

func (inst *Instance) addUser(u User) (added *user, err error) {
	if u.ID == "" {
		u.ID = newID("user")
	}
	if u.PublicMetadata, err = plainJSON(u.PublicMetadata); err != nil {
		return nil, err
	}
	if u.UnsafeMetadata, err = plainJSON(u.UnsafeMetadata); err != nil {
		return nil, err
	}
	now := inst.now()
	added = &user{User: u, emailID: newID("idn"), createdAt: now, updatedAt: now, privateMetadata: map[string]any{}}
	for _, m := range u.Memberships {
		org := inst.organization(m.Organization)
		if org == nil {
			return nil, fmt.Errorf("no organization %q", m.Organization)
		}
		joined := inst.join(added, org, m.Role)
		joined.Permissions = m.Permissions
	}
	inst.users = append(inst.users, added)
	return added, nil
}

// UserID returns the id of the user with this e-mail address, or "".
func (inst *Instance) UserID(email string) string {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	if u := inst.userByEmail(email); u != nil {
		return u.ID
	}
	return ""
}

// SetTemplate adds or replaces a JWT template. A lifetime of 0 is 60 s.
func (inst *Instance) SetTemplate(name string, claims json.RawMessage, lifetime time.Duration) error {
	return inst.AddTemplate(Template{Name: name, Claims: claims, Lifetime: lifetime})
}

// SetSessionClaims customises session tokens, as the dashboard does: a JSON object whose
// strings may hold shortcodes. Claims that every token has can't be set.
func (inst *Instance) SetSessionClaims(raw json.RawMessage) error {
	claims, err := checkClaims(raw)
	if err != nil {
		return fmt.Errorf("clerk: session token: claims: %w", err)
	}
	inst.mu.Lock()
	defer inst.mu.Unlock()
	inst.sessionClaims = claims
	return nil
}

// AddTemplate adds or replaces a JWT template.
func (inst *Instance) AddTemplate(t Template) error {
	parsed, err := parseTemplate(t, inst.now())
	if err != nil {
		return err
	}
	inst.mu.Lock()
	defer inst.mu.Unlock()
	if old := inst.templates[t.Name]; old != nil {
		parsed.id, parsed.createdAt = old.id, old.createdAt
	}
	inst.templates[t.Name] = parsed
	return nil
}
