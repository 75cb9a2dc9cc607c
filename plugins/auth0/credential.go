package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// stored is the content of a credential: a person's refresh token, or a marker that a
// machine signs in, with its secret if it was typed in.
type stored struct {
	Version int `json:"v"`
	// Application is a hash of the domain and the client id. The whole of a credential
	// counts as secret to zen, which would take the names themselves out of every
	// message.
	Application string `json:"application"`
	// Organization is the one that was signed in to, as Auth0 names it in tokens.
	Organization string `json:"organization,omitempty"`
	Refresh      string `json:"refresh,omitempty"`
	Machine      bool   `json:"machine,omitempty"`
	Secret       string `json:"secret,omitempty"`
}

const credentialVersion = 1

func fingerprint(c *oauth.Client) string {
	sum := sha256.Sum256([]byte(c.Metadata.Issuer + " " + c.ID))
	return hex.EncodeToString(sum[:8])
}

// encode returns a credential of the application that s belongs to.
func (p *auth0Provider) encode(s stored, subject, detail string, issued time.Time) provider.Credential {
	s.Version, s.Application = credentialVersion, fingerprint(p.application(s))
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings, a number and a bool
	}
	return provider.Credential{Data: provider.NewSecret(string(data)), Subject: subject, Detail: detail, Issued: issued}
}

// application returns the client under which the tenant knows a credential's holder.
func (p *auth0Provider) application(s stored) *oauth.Client {
	if !s.Machine {
		return p.people
	}
	machine := *p.machines
	if machine.Key == nil && machine.Secret.IsZero() {
		machine.Secret = provider.NewSecret(s.Secret)
	}
	return &machine
}

// decode reads a credential of these settings' tenant and application: one of another
// must never be sent here.
func (p *auth0Provider) decode(c provider.Credential) (stored, error) {
	var s stored
	if err := p.configured(); err != nil {
		return s, err
	}
	switch err := json.Unmarshal([]byte(c.Data.Reveal()), &s); {
	case err != nil || s.Version == 0:
		return s, noCredential("the stored credential is not one of this provider")
	case s.Version != credentialVersion:
		return s, noCredential(fmt.Sprintf("the stored credential is of version %d, and this provider reads %d", s.Version, credentialVersion))
	case s.Application != fingerprint(p.application(s)):
		return s, noCredential("the stored credential is of another tenant or application than " + p.settings.domain() + ", " + p.application(s).ID)
	case !s.Machine && (provider.Token{Value: provider.NewSecret(s.Refresh)}).ValidateValue() != nil:
		return s, noCredential("the stored credential is damaged")
	case s.Machine && !canProve(p.application(s)):
		return s, noSecret()
	}
	return s, nil
}

func canProve(c *oauth.Client) bool { return c.Key != nil || !c.Secret.IsZero() }

func noCredential(message string) error {
	return &provider.Error{Kind: provider.ErrNoCredential, Message: "auth0: " + message, Hint: oauth.LoginHint}
}

func noSecret() error {
	return &provider.Error{
		Kind: provider.ErrNoCredential, Message: "auth0: there is no secret and no private key of the application for machines",
		Hint: "set ZEN_AUTH0__CLIENT_SECRET (or ZEN_AUTH0__PRIVATE_KEY), or run zen login --provider auth0 --method client-credentials in a terminal",
	}
}
