package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
)

// stored is the content of a credential: a client session; after a sign-in by redirect, a
// token that can't be renewed; or a grant of an OAuth application.
type stored struct {
	session *clerk.Session
	// organization is a hash of the id of the one that the session was made for, or "".
	organization string
	token        provider.Secret
	grant        *grant
}

// grant is a sign-in by an OAuth application.
type grant struct {
	// refresh is zero if the application may have none; id is the ID token then.
	refresh, id provider.Secret
	// organization is the id of the chosen organization, or "".
	organization string
	// device is true if a code was typed in elsewhere.
	device bool
}

// encoded is stored as JSON, with the secrets in the clear.
type encoded struct {
	Version int `json:"v"`
	// Instance is a hash of the host. The whole of a credential counts as secret to
	// zen, which would take the name itself out of every message.
	Instance string `json:"instance"`
	Session  string `json:"session,omitempty"`
	Client   string `json:"client,omitempty"`
	Token    string `json:"token,omitempty"`

	// Application is a hash, too: of the client id.
	Application  string `json:"application,omitempty"`
	Refresh      string `json:"refresh,omitempty"`
	ID           string `json:"id,omitempty"`
	Organization string `json:"organization,omitempty"`
	Device       bool   `json:"device,omitempty"`
}

// application distinguishes OAuth applications without naming them.
func (s settings) application() string { return fingerprint(s.oauthClientID) }

func fingerprint(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:8])
}

// organizationMark distinguishes organizations without naming them; of nil it is "".
func organizationMark(o *provider.Organization) string {
	if o == nil {
		return ""
	}
	return fingerprint(o.ID)
}

const credentialVersion = 1

func (s stored) encode(c settings) provider.Secret {
	e := encoded{Version: credentialVersion, Instance: c.instance.Fingerprint(), Token: s.token.Reveal()}
	if s.grant != nil {
		e.Application, e.Organization, e.Device = c.application(), s.grant.organization, s.grant.device
		e.Refresh, e.ID = s.grant.refresh.Reveal(), s.grant.id.Reveal()
	}
	if s.session != nil {
		e.Session, e.Client, e.Organization = s.session.ID, s.session.Client.Reveal(), s.organization
	}
	data, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings and a number
	}
	return provider.NewSecret(string(data))
}

// decodeCredential reads a credential of this instance: one of another must never
// be sent here.
func (p *clerkProvider) decodeCredential(c provider.Credential) (stored, error) {
	if err := p.configured(); err != nil {
		return stored{}, err
	}
	var e encoded
	if json.Unmarshal([]byte(c.Data.Reveal()), &e) != nil || e.Version == 0 {
		return stored{}, noCredential("clerk: the stored credential is not one of this provider")
	}
	if e.Version != credentialVersion {
		return stored{}, noCredential(fmt.Sprintf("clerk: the stored credential is of version %d, and this provider reads %d", e.Version, credentialVersion))
	}
	if e.Instance != p.settings.instance.Fingerprint() {
		return stored{}, noCredential("clerk: the stored credential is of another Clerk instance than " + p.settings.instance.Host)
	}
	if e.Application != "" {
		if e.Application != p.settings.application() {
			return stored{}, noCredential("clerk: the stored credential is of another OAuth application than " + keyOAuthClientID + " names")
		}
		g := &grant{refresh: provider.NewSecret(e.Refresh), id: provider.NewSecret(e.ID), organization: e.Organization, device: e.Device}
		if g.refresh.IsZero() && g.id.IsZero() {
			return stored{}, noCredential("clerk: the stored credential is damaged")
		}
		return stored{grant: g}, nil
	}
	if e.Token != "" {
		return stored{token: provider.NewSecret(e.Token)}, nil
	}
	s := &clerk.Session{ID: e.Session, Client: provider.NewSecret(e.Client), Name: c.Subject, Expires: c.Expires}
	if !clerk.IsSessionID(s.ID) || (provider.Token{Value: s.Client}).ValidateValue() != nil {
		return stored{}, noCredential("clerk: the stored credential is damaged")
	}
	return stored{session: s, organization: e.Organization}, nil
}

func noCredential(message string) error {
	return &provider.Error{Kind: provider.ErrNoCredential, Message: message, Hint: loginHint}
}

// sessionCredential returns the credential for a session.
func (p *clerkProvider) sessionCredential(held stored, subject string, issued time.Time) provider.Credential {
	return provider.Credential{
		Data:    held.encode(p.settings),
		Subject: subject, Issued: issued, Expires: held.session.Expires,
	}
}
