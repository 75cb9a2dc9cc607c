package session

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
)

// way is one way to a token: who signs in, who makes the token, and the most that
// it may allow.
type way struct {
	identity, minter string
	// rank is 0 for the profile's own way, and then counts its fallback providers.
	rank        int
	access      provider.Access
	permissions []provider.Permission
	// envNames are those of a fallback provider, which need not be signed in.
	envNames []string
}

// own is the profile's own way.
func (c Config) own(record store.Record) way {
	identity, minter := c.names(record)
	return way{identity: identity, minter: minter, access: c.Access, permissions: c.Permissions}
}

// names returns the provider that signs in and the one that makes tokens.
func (c Config) names(record store.Record) (identity, minter string) {
	identity = cmp.Or(c.Provider, record.Provider, c.DefaultProvider)
	return identity, cmp.Or(c.TokenProvider, identity)
}

// key names the cached token of the profile's own way.
func (c Config) key(record store.Record) string { return c.keyOf(record, c.own(record)) }

// keyOf names the cached token of a way by everything that it depends on. It starts
// with the providers' names, so that a logout finds what is theirs.
func (c Config) keyOf(record store.Record, w way) string {
	depends := []any{
		c.Target, w.access, w.permissions,
		c.SettingsHash(w.identity, slices.Concat(record.Accounts[w.identity].EnvNames, w.envNames)),
		c.SettingsHash(w.minter, slices.Concat(record.Accounts[w.minter].EnvNames, w.envNames)),
	}
	if w.rank > 0 {
		depends = append(depends, "fallback") // its tokens live shorter
	}
	if !c.OwnTarget && c.Target.DatabaseID == "" {
		depends = append(depends, "confirmed") // by the provider, before it was stored
	}
	parts, err := json.Marshal(depends)
	if err != nil {
		panic("session: strings always encode: " + err.Error())
	}
	sum := sha256.Sum256(parts)
	return strings.Join([]string{w.identity, w.minter, hex.EncodeToString(sum[:16])}, "/")
}
