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

// stored is the content of a credential: for a person the refresh token or, if the issuer
// gave none, the ID token until it expires; for a workload only where it runs.
type stored struct {
	Version int `json:"v"`
	// Issuer is a hash of the issuer and the client id. The whole of a credential counts
	// as secret to zen, which would take the names themselves out of every message.
	Issuer   string `json:"issuer,omitempty"`
	Refresh  string `json:"refresh,omitempty"`
	ID       string `json:"id,omitempty"`
	Workload string `json:"workload,omitempty"`
	// Device is true if a code was typed in elsewhere.
	Device bool `json:"device,omitempty"`
}

const credentialVersion = 1

func (p *oidcProvider) fingerprint() string {
	sum := sha256.Sum256([]byte(p.settings.issuer + " " + p.settings.clientID))
	return hex.EncodeToString(sum[:8])
}

func (p *oidcProvider) encode(s stored) provider.Secret {
	s.Version = credentialVersion
	if s.Workload == "" {
		s.Issuer = p.fingerprint()
	}
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and a number
	}
	return provider.NewSecret(string(data))
}

// decode reads a credential of these settings' issuer: one of another must never be sent
// there.
func (p *oidcProvider) decode(c provider.Credential) (stored, error) {
	var s stored
	if err := p.configured(); err != nil {
		return s, err
	}
	switch err := json.Unmarshal([]byte(c.Data.Reveal()), &s); {
	case err != nil || s.Version == 0:
		return s, noCredential("the stored credential is not one of this provider")
	case s.Version != credentialVersion:
		return s, noCredential(fmt.Sprintf("the stored credential is of version %d, and this provider reads %d", s.Version, credentialVersion))
	case s.Workload == "" && s.Issuer != p.fingerprint():
		return s, noCredential("the stored credential is of another issuer or application than " + p.settings.issuer + ", " + p.settings.clientID)
	case s.Workload == "" && s.Refresh == "" && s.ID == "":
		return s, noCredential("the stored credential is damaged")
	case s.Workload != "" && p.settings.workload == nil:
		return s, noPlace()
	}
	return s, nil
}

// personal returns the credential of a person's sign-in. If there is a refresh token, the
// ID token is not kept: each use gets a new one.
func (p *oidcProvider) personal(tokens oauth.Tokens, id oauth.IDClaims, device bool, issued time.Time) provider.Credential {
	s := stored{Refresh: tokens.Refresh.Reveal(), Device: device}
	c := provider.Credential{Subject: id.Person(), Issued: issued}
	if s.Refresh == "" {
		s.ID, c.Expires = tokens.ID.Reveal(), id.Expires
		c.Detail = "the issuer gave no refresh token: it ends, and can't be renewed"
	}
	c.Data = p.encode(s)
	return c
}

func noCredential(message string) error {
	return &provider.Error{Kind: provider.ErrNoCredential, Message: "oidc: " + message, Hint: oauth.LoginHint}
}
