package cache

import (
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
)

// Renewal is a renewal that another process is to make: one that goes on when this one is
// killed. An issuer that has replaced a credential doesn't do it again, and what was only in
// the memory of a killed process is lost.
//
// It has no secret in it.
type Renewal struct {
	Profile                                  string
	Provider, DefaultProvider, TokenProvider string
	Target                                   provider.Target
	OwnTarget                                bool
	// By is to issue the token, and says what it may allow; Need is what it has to be good for.
	By   Issuer
	Need Need
}

// Renewal returns the renewal of the profile by an issuer.
func (p *Profile) Renewal(by Issuer, n Need) Renewal {
	return Renewal{
		Profile: p.Name, Provider: p.Provider, DefaultProvider: p.DefaultProvider, TokenProvider: p.TokenProvider,
		Target: p.Target, OwnTarget: p.OwnTarget, By: by, Need: n,
	}
}

// AtStake reports whether a provider of the issuer has a stored credential, which a renewal
// may replace.
func AtStake(record store.Record, by Issuer) bool {
	return !record.Accounts[by.Provider].Credential.Data.IsZero() || !record.Accounts[by.Identity].Credential.Data.IsZero()
}
