package cache

import (
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
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
	// Who is to issue the token, and what it may allow.
	Identity, IssuingProvider string
	Fallback                  bool
	Rights                    breaker.Rights
	EnvNames                  []string
	// What it has to be good for.
	MinTTL       time.Duration
	Ahead        bool
	Refused      string
	AfterRefusal bool
}

// Renewal returns the renewal of the profile by an issuer.
func (p *Profile) Renewal(by Issuer, n Need) Renewal {
	return Renewal{
		Profile: p.Name, Provider: p.Provider, DefaultProvider: p.DefaultProvider, TokenProvider: p.TokenProvider,
		Target: p.Target, OwnTarget: p.OwnTarget,
		Identity: by.Identity, IssuingProvider: by.Provider, Fallback: by.Fallback, Rights: by.Rights, EnvNames: by.EnvNames,
		MinTTL: n.MinTTL, Ahead: n.Ahead, Refused: n.Refused, AfterRefusal: n.AfterRefusal,
	}
}

// AtStake reports whether a provider of the issuer has a stored credential, which a renewal
// may replace.
func AtStake(record store.Record, by Issuer) bool {
	return !record.Accounts[by.Provider].Credential.Data.IsZero() || !record.Accounts[by.Identity].Credential.Data.IsZero()
}
