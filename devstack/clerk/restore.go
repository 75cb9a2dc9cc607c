package clerk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
)

// Restore puts what [Instance.Save] wrote into the place of everything that the
// instance knows but its OAuth applications. On an error nothing changes.
func (inst *Instance) Restore(r io.Reader) error {
	var saved state
	dec := json.NewDecoder(r)
	dec.UseNumber() // metadata has numbers of any size
	if err := dec.Decode(&saved); err != nil {
		return fmt.Errorf("clerk: restore: %w", err)
	}
	if saved.Version != stateVersion {
		return fmt.Errorf("clerk: restore: the state has version %d, want %d", saved.Version, stateVersion)
	}
	inst.mu.Lock()
	defer inst.mu.Unlock()
	// It is loaded into a second instance first, so that a bad state doesn't change this
	// one.
	next := &Instance{
		opts: inst.opts, templates: map[string]*template{}, clients: map[string]*client{}, sessions: map[string]*session{},
		tickets: map[string]*signInToken{}, windows: map[string]*window{}, apiKeys: map[string]*apiKey{}, oauth: newOAuthState(),
	}
	next.oauth.applications = maps.Clone(inst.oauth.applications)
	if err := next.load(&saved); err != nil {
		return fmt.Errorf("clerk: restore: %w", err)
	}
	inst.keys, inst.organizations, inst.users, inst.templates = next.keys, next.organizations, next.users, next.templates
	inst.clients, inst.sessions, inst.tickets, inst.windows = next.clients, next.sessions, next.tickets, next.windows
	inst.apiKeys, inst.oauth = next.apiKeys, next.oauth
	return nil
}

func (inst *Instance) load(saved *state) error {
	if len(saved.Keys) == 0 {
		return errors.New("the state has no key")
	}
	for _, k := range saved.Keys {
		key, err := k.restore()
		if err != nil {
			return err
		}
		inst.keys.published = append(inst.keys.published, key)
	}
	inst.keys.signing = inst.keys.published[0]
	inst.keys.clients = inst.keys.signing
	for _, o := range saved.Organizations {
		inst.organizations = append(inst.organizations, &organization{Organization: o.Organization, createdAt: o.CreatedAt, createdBy: o.CreatedBy})
	}
	for _, u := range saved.Users {
		if err := inst.loadUser(u); err != nil {
			return err
		}
	}
	for n, o := range saved.Organizations {
		to := inst.organizations[n]
		for _, i := range o.Invitations {
			to.invitations = append(to.invitations, &invitation{
				id: i.ID, organization: to, email: i.Email, role: i.Role, inviter: inst.userByID(i.Inviter), status: i.Status,
				createdAt: i.CreatedAt, updatedAt: i.UpdatedAt, expireAt: i.ExpireAt,
			})
		}
	}
	for _, t := range saved.Templates {
		claims, err := checkClaims(t.Claims)
		if err != nil {
			return fmt.Errorf("template %q: %w", t.Name, err)
		}
		inst.templates[t.Name] = &template{
			id: t.ID, name: t.Name, claims: claims, lifetime: t.Lifetime, skew: t.Skew, createdAt: t.CreatedAt, updatedAt: t.UpdatedAt,
		}
		if t.Algorithm != "" {
			if inst.templates[t.Name].signer, err = newCustomSigner(t.Algorithm, t.Key); err != nil {
				return fmt.Errorf("template %q: %w", t.Name, err)
			}
		}
	}
	for _, a := range saved.Applications {
		application := a.OAuthApplication
		application.createdAt, application.updatedAt, application.made = a.CreatedAt, a.UpdatedAt, true
		inst.oauth.applications[a.ClientID] = &application
	}
	if err := inst.loadSessions(saved); err != nil {
		return err
	}
	for _, k := range saved.APIKeys {
		inst.apiKeys[k.ID] = &apiKey{
			id: k.ID, secret: k.Secret, name: k.Name, description: k.Description, subject: k.Subject, claims: k.Claims, scopes: k.Scopes,
			createdBy: k.CreatedBy, reason: k.Reason, revoked: k.Revoked, createdAt: k.CreatedAt, updatedAt: k.UpdatedAt,
			lastUsedAt: k.LastUsedAt, expireAt: k.ExpireAt,
		}
	}
	// A grant of an application that no longer exists is dropped, as deleting the
	// application does.
	for _, a := range saved.AccessTokens {
		if g := inst.loadGrant(a.Grant); g != nil {
			inst.oauth.accessTokens[a.ID] = &oauthAccess{a.ID, a.Secret, g, a.IssuedAt, a.ExpireAt, a.Revoked}
		}
	}
	for _, r := range saved.RefreshTokens {
		if g := inst.loadGrant(r.Grant); g != nil {
			inst.oauth.refreshTokens[r.Token] = &oauthRefresh{g}
		}
	}
	return nil
}

func (inst *Instance) loadUser(saved savedUser) error {
	u := &user{User: saved.User, emailID: saved.EmailID, createdAt: saved.CreatedAt, updatedAt: saved.UpdatedAt, privateMetadata: saved.PrivateMetadata}
	if u.privateMetadata == nil {
		u.privateMetadata = map[string]any{}
	}
	if u.UnsafeMetadata == nil {
		u.UnsafeMetadata = map[string]any{}
	}
	for _, m := range saved.Joined {
		o := inst.organization(m.Organization)
		if o == nil {
			return fmt.Errorf("user %s: no organization %q", u.ID, m.Organization)
		}
		u.memberships = append(u.memberships, &membership{
			Membership: m.Membership, id: m.ID, organization: o, createdAt: m.CreatedAt, updatedAt: m.UpdatedAt,
		})
	}
	inst.users = append(inst.users, u)
	return nil
}

func (inst *Instance) loadSessions(saved *state) error {
	for _, s := range saved.Sessions {
		u := inst.userByID(s.User)
		if u == nil {
			return fmt.Errorf("session %s: no user %q", s.ID, s.User)
		}
		inst.sessions[s.ID] = &session{
			id: s.ID, user: u, clientID: s.Client, organizationID: s.Organization, status: s.Status,
			createdAt: s.CreatedAt, updatedAt: s.UpdatedAt, lastActiveAt: s.LastActiveAt, expireAt: s.ExpireAt,
		}
	}
	for _, c := range saved.Clients {
		cl := &client{
			id: c.ID, createdAt: c.CreatedAt, updatedAt: c.UpdatedAt, rotating: c.Rotating, previous: c.Previous, rotatedAt: c.RotatedAt, currentJWT: c.JWT,
		}
		for _, id := range c.Sessions {
			s := inst.sessions[id]
			if s == nil {
				return fmt.Errorf("client %s: no session %q", c.ID, id)
			}
			cl.sessions = append(cl.sessions, s)
		}
		inst.clients[c.ID] = cl
	}
	return nil
}

func (inst *Instance) loadGrant(saved savedGrant) *oauthGrant {
	application, u := inst.oauth.applications[saved.Application], inst.userByID(saved.User)
	if application == nil || u == nil {
		return nil
	}
	return &oauthGrant{application: application, user: u, scopes: saved.Scopes, nonce: saved.Nonce, organizationID: saved.Organization}
}
