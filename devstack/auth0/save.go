package auth0

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/zen-auth/zen/devstack/jose"
)

// stateVersion changes when an older state can't be read any more.
const stateVersion = 1

// state is a tenant between two runs, without unfinished requests and browsers' sign-ins.
type state struct {
	Version       int
	Current, Next savedKey
	Previous      []savedKey
	SealKey       []byte
	Organizations []Organization
	Users         []savedUser
	Families      []savedFamily
}

type savedKey struct {
	ID          string
	Private     []byte // PKCS #8
	Certificate []byte
}

type savedUser struct {
	User
	UpdatedAt time.Time
}

type savedFamily struct {
	Application, User, Audience, Organization, Nonce, SessionID string
	Scopes                                                      []string
	AuthTime, ExpireAt                                          time.Time
	Revoked                                                     bool
	Generation                                                  int
	Tokens                                                      []savedToken
}

type savedToken struct {
	Token      string
	Generation int
	UsedAt     time.Time
}

// Save writes the tenant's state, including private keys and passwords, so it must be
// kept secret. Applications, APIs and the Action are left out, because they are options.
func (t *Tenant) Save(w io.Writer) error {
	t.mu.Lock()
	saved, err := t.state()
	t.mu.Unlock()
	if err == nil {
		err = json.NewEncoder(w).Encode(saved)
	}
	if err != nil {
		return fmt.Errorf("auth0: save: %w", err)
	}
	return nil
}

func (t *Tenant) state() (*state, error) {
	out := &state{Version: stateVersion, SealKey: t.sealKey[:]}
	var err error
	if out.Current, err = t.keys.current.saved(); err != nil {
		return nil, err
	}
	if out.Next, err = t.keys.next.saved(); err != nil {
		return nil, err
	}
	for _, k := range t.keys.previous {
		saved, err := k.saved()
		if err != nil {
			return nil, err
		}
		out.Previous = append(out.Previous, saved)
	}
	for _, o := range t.organizations {
		out.Organizations = append(out.Organizations, o.Organization)
	}
	for _, u := range t.users {
		out.Users = append(out.Users, savedUser{u.User, u.updatedAt})
	}
	families := map[*family]*savedFamily{}
	for token, r := range t.refreshTokens {
		if families[r.family] == nil {
			families[r.family] = r.family.saved()
		}
		families[r.family].Tokens = append(families[r.family].Tokens, savedToken{token, r.generation, r.usedAt})
	}
	for _, f := range families {
		out.Families = append(out.Families, *f)
	}
	return out, nil
}

func (f *family) saved() *savedFamily {
	g := f.grant
	saved := &savedFamily{
		Application: g.application.ClientID, User: g.user.ID, Audience: g.audience(), Nonce: g.nonce, SessionID: g.sessionID,
		Scopes: g.scopes, AuthTime: g.authTime, ExpireAt: f.expireAt, Revoked: f.revoked, Generation: f.generation,
	}
	if g.organization != nil {
		saved.Organization = g.organization.ID
	}
	return saved
}

func (k signingKey) saved() (savedKey, error) {
	der, err := k.Marshal()
	return savedKey{k.ID, der, k.certificate}, err
}

func (k savedKey) restore() (signingKey, error) {
	key, err := jose.ParseKey(k.ID, k.Private)
	return signingKey{key, k.Certificate}, err
}

// Restore puts what [Tenant.Save] wrote into the place of the tenant's keys,
// organizations, users and refresh tokens. On an error nothing changes.
func (t *Tenant) Restore(r io.Reader) error {
	var saved state
	if err := json.NewDecoder(r).Decode(&saved); err != nil {
		return fmt.Errorf("auth0: restore: %w", err)
	}
	if saved.Version != stateVersion {
		return fmt.Errorf("auth0: restore: the state has version %d, want %d", saved.Version, stateVersion)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	// It is loaded into a second tenant first, so that a bad state doesn't change this
	// one.
	next := &Tenant{opts: t.opts, applications: t.applications, apis: t.apis, refreshTokens: map[string]*refreshToken{}}
	next.keys.spare = t.keys.spare
	if err := next.load(&saved); err != nil {
		return fmt.Errorf("auth0: restore: %w", err)
	}
	t.keys, t.sealKey, t.organizations, t.users, t.refreshTokens = next.keys, next.sealKey, next.organizations, next.users, next.refreshTokens
	t.browsers, t.transactions, t.codes, t.devices = map[string]*browser{}, map[string]*transaction{}, map[string]*code{}, map[string]*device{}
	return nil
}

func (t *Tenant) load(saved *state) (err error) {
	if t.keys.current, err = saved.Current.restore(); err != nil {
		return err
	}
	if t.keys.next, err = saved.Next.restore(); err != nil {
		return err
	}
	for _, k := range saved.Previous {
		key, err := k.restore()
		if err != nil {
			return err
		}
		t.keys.previous = append(t.keys.previous, key)
	}
	if copy(t.sealKey[:], saved.SealKey) != len(t.sealKey) {
		return errors.New("the state has no key for opaque tokens")
	}
	for _, o := range saved.Organizations {
		t.organizations = append(t.organizations, &organization{Organization: o})
	}
	for _, u := range saved.Users {
		added := &user{User: u.User, updatedAt: u.UpdatedAt}
		for _, name := range u.Organizations {
			org := t.organization(name)
			if org == nil {
				return fmt.Errorf("user %s: no organization %q", u.ID, name)
			}
			added.organizations = append(added.organizations, org)
		}
		t.users = append(t.users, added)
	}
	for _, f := range saved.Families {
		t.loadFamily(f)
	}
	return nil
}

// loadFamily drops families of an application, an API or a user that no longer exists, as
// deleting these does.
func (t *Tenant) loadFamily(saved savedFamily) {
	application, api, u := t.applications[saved.Application], t.apis[saved.Audience], t.userByID(saved.User)
	if application == nil || u == nil || (saved.Audience != "" && api == nil) {
		return
	}
	f := &family{expireAt: saved.ExpireAt, revoked: saved.Revoked, generation: saved.Generation, grant: &grant{
		user: u, application: application, api: api, scopes: saved.Scopes, nonce: saved.Nonce, authTime: saved.AuthTime, sessionID: saved.SessionID,
	}}
	if saved.Organization != "" {
		f.grant.organization = t.organization(saved.Organization)
	}
	for _, token := range saved.Tokens {
		t.refreshTokens[token.Token] = &refreshToken{f, token.Generation, token.UsedAt}
	}
}
