package clerk

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/zen-auth/zen/devstack/jose"
)

// stateVersion changes when an older state can't be read any more.
const stateVersion = 1

// state is an instance between two runs. It doesn't include unfinished sign-ins, tickets,
// authorization codes and devices.
type state struct {
	Version       int
	Keys          []savedKey // the one that signs first
	Organizations []savedOrganization
	Users         []savedUser
	Templates     []savedTemplate
	Sessions      []savedSession
	Clients       []savedClient
	APIKeys       []savedAPIKey
	Applications  []savedApplication // those that the Backend API made
	AccessTokens  []savedAccess
	RefreshTokens []savedRefresh
}

type savedKey struct {
	ID      string
	Private []byte // PKCS #8
}

type savedOrganization struct {
	Organization
	CreatedAt   time.Time
	CreatedBy   string
	Invitations []savedInvitation
}

type savedInvitation struct {
	ID, Email, Role, Inviter, Status string
	CreatedAt, UpdatedAt, ExpireAt   time.Time
}

type savedUser struct {
	User
	EmailID              string
	CreatedAt, UpdatedAt time.Time
	PrivateMetadata      map[string]any
	Joined               []savedMembership
}

type savedMembership struct {
	Membership           // its organization is an id
	ID                   string
	CreatedAt, UpdatedAt time.Time
}

type savedTemplate struct {
	ID, Name             string
	Claims               json.RawMessage
	Lifetime, Skew       time.Duration
	CreatedAt, UpdatedAt time.Time
	Algorithm, Key       string // of a custom signer
}

type savedApplication struct {
	OAuthApplication
	CreatedAt, UpdatedAt time.Time
}

type savedSession struct {
	ID, User, Client, Organization, Status       string
	CreatedAt, UpdatedAt, LastActiveAt, ExpireAt time.Time
}

type savedClient struct {
	ID, Rotating, Previous, JWT     string
	CreatedAt, UpdatedAt, RotatedAt time.Time
	Sessions                        []string
}

type savedAPIKey struct {
	ID, Secret, Name, Description, Subject, CreatedBy, Reason string
	Claims                                                    json.RawMessage
	Scopes                                                    []string
	Revoked                                                   bool
	CreatedAt, UpdatedAt, LastUsedAt, ExpireAt                time.Time
}

type savedGrant struct {
	Application, User, Organization, Nonce string
	Scopes                                 []string
}

type savedAccess struct {
	ID, Secret         string
	Grant              savedGrant
	IssuedAt, ExpireAt time.Time
	Revoked            bool
}

type savedRefresh struct {
	Token string
	Grant savedGrant
}

// Save writes the instance's state, including private keys and passwords, so it must be
// kept secret. OAuth applications that are options are left out.
func (inst *Instance) Save(w io.Writer) error {
	inst.mu.Lock()
	saved, err := inst.state()
	inst.mu.Unlock()
	if err == nil {
		err = json.NewEncoder(w).Encode(saved)
	}
	if err != nil {
		return fmt.Errorf("clerk: save: %w", err)
	}
	return nil
}

func (inst *Instance) state() (*state, error) {
	out := &state{Version: stateVersion}
	for _, key := range inst.keys.published {
		der, err := key.Marshal()
		if err != nil {
			return nil, err
		}
		out.Keys = append(out.Keys, savedKey{key.ID, der})
	}
	for _, o := range inst.organizations {
		saved := savedOrganization{Organization: o.Organization, CreatedAt: o.createdAt, CreatedBy: o.createdBy}
		for _, i := range o.invitations {
			inviter := ""
			if i.inviter != nil {
				inviter = i.inviter.ID
			}
			saved.Invitations = append(saved.Invitations, savedInvitation{i.id, i.email, i.role, inviter, i.status, i.createdAt, i.updatedAt, i.expireAt})
		}
		out.Organizations = append(out.Organizations, saved)
	}
	for _, u := range inst.users {
		saved := savedUser{User: u.User, EmailID: u.emailID, CreatedAt: u.createdAt, UpdatedAt: u.updatedAt, PrivateMetadata: u.privateMetadata}
		saved.Memberships = nil
		for _, m := range u.memberships {
			joined := savedMembership{m.Membership, m.id, m.createdAt, m.updatedAt}
			joined.Organization = m.organization.ID
			saved.Joined = append(saved.Joined, joined)
		}
		out.Users = append(out.Users, saved)
	}
	for _, t := range inst.templates {
		claims, err := json.Marshal(t.claims)
		if err != nil {
			return nil, err
		}
		saved := savedTemplate{ID: t.id, Name: t.name, Claims: claims, Lifetime: t.lifetime, Skew: t.skew, CreatedAt: t.createdAt, UpdatedAt: t.updatedAt}
		if t.signer != nil {
			saved.Algorithm, saved.Key = t.signer.algorithm, t.signer.text
		}
		out.Templates = append(out.Templates, saved)
	}
	for _, s := range inst.sessions {
		out.Sessions = append(out.Sessions, savedSession{
			s.id, s.user.ID, s.clientID, s.organizationID, s.status, s.createdAt, s.updatedAt, s.lastActiveAt, s.expireAt,
		})
	}
	for _, cl := range inst.clients {
		saved := savedClient{cl.id, cl.rotating, cl.previous, cl.currentJWT, cl.createdAt, cl.updatedAt, cl.rotatedAt, nil}
		for _, s := range cl.sessions {
			saved.Sessions = append(saved.Sessions, s.id)
		}
		out.Clients = append(out.Clients, saved)
	}
	for _, k := range inst.apiKeys {
		out.APIKeys = append(out.APIKeys, savedAPIKey{
			k.id, k.secret, k.name, k.description, k.subject, k.createdBy, k.reason, k.claims, k.scopes, k.revoked,
			k.createdAt, k.updatedAt, k.lastUsedAt, k.expireAt,
		})
	}
	for _, a := range inst.oauth.applications {
		if a.made {
			out.Applications = append(out.Applications, savedApplication{*a, a.createdAt, a.updatedAt})
		}
	}
	for _, a := range inst.oauth.accessTokens {
		out.AccessTokens = append(out.AccessTokens, savedAccess{a.id, a.secret, a.grant.saved(), a.issuedAt, a.expireAt, a.revoked})
	}
	for token, r := range inst.oauth.refreshTokens {
		out.RefreshTokens = append(out.RefreshTokens, savedRefresh{token, r.grant.saved()})
	}
	return out, nil
}

func (g *oauthGrant) saved() savedGrant {
	return savedGrant{g.application.ClientID, g.user.ID, g.organizationID, g.nonce, g.scopes}
}

func (k savedKey) restore() (jose.Key, error) { return jose.ParseKey(k.ID, k.Private) }
