// Package cache knows which stored token is whose, and whether it is good now. Sessions
// and the front share it: it starts nothing, writes nothing and links no network client.
package cache

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/store"
)

// Profile holds the parts of a profile that decide which token is good.
type Profile struct {
	// Name names the record in the store.
	Name string
	// Provider signs in; "" means the one that the last login chose, and before the
	// first one, DefaultProvider.
	Provider        string
	DefaultProvider string
	// Organization is the one that sign-ins and tokens have to be for, by its id or slug;
	// "" is whichever the sign-in is for.
	Organization string
	// TokenProvider issues the tokens; "" means the one that signs in.
	TokenProvider string
	// Fallback are the providers that issue the tokens, in this order, while those
	// of the profile's own don't reach the database.
	Fallback []string
	Target   provider.Target
	// OwnTarget says that the user's configuration names Target.URL as this profile's
	// database. A token whose database can't be compared with Target.DatabaseID goes
	// there alone.
	OwnTarget bool
	// OtherURL returns where the user's configuration has the database of an id, if that
	// is not at url; if nil, it has none.
	OtherURL    func(databaseID, url string) string
	Access      provider.Access
	Permissions []provider.Permission
	// SettingsHash changes whenever a setting of the named provider does;
	// envNames are further variables that count.
	SettingsHash func(name string, envNames []string) string
	// ConfigFile is the file that configures the profile, for hints.
	ConfigFile string
}

// FromConfig returns a resolved profile.
func FromConfig(cfg *config.Config, p config.Profile) Profile {
	c := Profile{
		Name:          p.Name.Value,
		Organization:  p.Organization.Value,
		TokenProvider: p.TokenProvider.Value,
		Fallback:      p.Fallback.Value,
		Target:        p.Target(),
		OwnTarget:     p.Own,
		OtherURL:      cfg.OtherURL,
		Access:        p.Access.Value,
		Permissions:   p.Permissions.Value,
		SettingsHash:  cfg.SettingsHash,
		ConfigFile:    cfg.Paths.ConfigFile,
	}
	// A login chooses the provider from then on; only what is said for this one
	// run is stronger, and what a project file's database was held to.
	switch kind := p.Provider.Origin.Kind; {
	case kind == config.KindFlag, kind == config.KindEnvironment, p.ProviderHeld:
		c.Provider = p.Provider.Value
	default:
		c.DefaultProvider = p.Provider.Value
	}
	return c
}

// Issuer names those who issue a token: the provider that signs in, the one that issues, and
// the most that the token may allow.
type Issuer struct {
	Identity, Provider string
	// Fallback says that it is not the profile's own.
	Fallback bool
	Rights   breaker.Rights
	// EnvNames are the variables of a fallback provider, which need not be signed in.
	EnvNames []string
}

// Providers returns the provider that signs in and the one that issues tokens.
func (p *Profile) Providers(record store.Record) (identity, issuing string) {
	identity = cmp.Or(p.Provider, record.Provider, p.DefaultProvider)
	return identity, cmp.Or(p.TokenProvider, identity)
}

// Own returns the profile's own issuer.
func (p *Profile) Own(record store.Record) Issuer {
	identity, issuing := p.Providers(record)
	return Issuer{Identity: identity, Provider: issuing, Rights: breaker.Rights{Access: p.Access, Permissions: p.Permissions}}
}

// FallbackOf returns the fallback that issues the tokens while a breaker is open.
func FallbackOf(state breaker.State) Issuer {
	return Issuer{Identity: state.Via, Provider: state.Via, Fallback: true, Rights: state.Rights, EnvNames: state.EnvNames}
}

// Key names the stored token of an issuer by everything that it depends on. It starts
// with the providers' names, so that a logout finds what is theirs.
func (p *Profile) Key(record store.Record, by Issuer) string {
	hash := func(name string) string {
		return p.SettingsHash(name, slices.Concat(record.Accounts[name].EnvNames, by.EnvNames))
	}
	identity := hash(by.Identity)
	issuing := identity
	if by.Provider != by.Identity {
		issuing = hash(by.Provider)
	}
	depends := []string{string(by.Rights.Access), identity, issuing}
	if o := record.Accounts[by.Identity].Claims.Organization; o != nil && o.ID != "" {
		depends = append(depends, "organization", o.ID)
	}
	if by.Fallback {
		depends = append(depends, "fallback") // its tokens live shorter
	}
	if !p.OwnTarget && p.Target.DatabaseID == "" {
		depends = append(depends, "confirmed") // by the provider, before it was stored
	}
	sum := sha256.Sum256(encodeKey(p.Target, by.Rights.Permissions, depends))
	return strings.Join([]string{by.Identity, by.Provider, hex.EncodeToString(sum[:16])}, "/")
}

// encodeKey is the JSON list of the target, the access, the permissions, and the rest of the
// texts that a key depends on. Most of it is written here: that encoding/json learns how
// would take a fiftieth of zen token.
func encodeKey(target provider.Target, permissions []provider.Permission, texts []string) []byte {
	b := appendText([]byte(`[{"URL":`), target.URL)
	b = append(appendText(append(b, `,"DatabaseID":`...), target.DatabaseID), '}')
	for i, text := range texts {
		b = appendText(append(b, ','), text)
		switch {
		case i > 0:
		case permissions == nil:
			b = append(b, ",null"...)
		default:
			b = append(append(b, ','), marshal(permissions)...)
		}
	}
	return append(b, ']')
}

func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return append(b, marshal(text)...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

func marshal(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic("cache: strings always encode: " + err.Error())
	}
	return text
}

// Breaker returns the breaker of the profile's own token.
func (p *Profile) Breaker(record store.Record, now time.Time) breaker.State {
	if len(record.Breakers) == 0 {
		return breaker.State{}
	}
	return record.Breakers[p.Key(record, p.Own(record))].Among(p.Fallback, now)
}

// ErrNone is no token in the record that meets the need.
var ErrNone = errors.New("no good token is cached")

// Clock is the time, and where in [0, 1) a token's renewal falls.
type Clock struct {
	Now    time.Time
	Jitter func(provider.Token) float64
}

// Token returns the stored token of an issuer, if it meets the need, has a good
// signature, and may go to the profile's target.
func (p *Profile) Token(record store.Record, by Issuer, n Need, clock Clock, verify func(provider.Token) (provider.Claims, error)) (provider.Token, error) {
	token, ok := record.Tokens[p.Key(record, by)]
	if !ok || !n.Fits(token, clock) {
		return provider.Token{}, ErrNone
	}
	if err := p.CheckOrganization(record, by); err != nil {
		return provider.Token{}, err
	}
	token, claims, err := p.Check(token, by.Rights, verify)
	if err != nil {
		return provider.Token{}, err
	}
	if !n.Fits(token, clock) {
		return provider.Token{}, ErrNone
	}
	return token, p.CheckStoredPlace(claims)
}

// Check verifies a token, and that it allows what rights say and no more. It returns
// the token with the earlier of two ends: what its provider said, and its own exp.
func (p *Profile) Check(token provider.Token, rights breaker.Rights, verify func(provider.Token) (provider.Claims, error)) (provider.Token, provider.Claims, error) {
	if err := token.ValidateValue(); err != nil {
		return provider.Token{}, provider.Claims{}, err
	}
	claims, err := verify(token)
	token.Expires = earlier(token.Expires, claims.Expires)
	if err != nil {
		return token, claims, err
	}
	return token, claims, claims.Authorizes(p.Target, rights.Access, rights.Permissions)
}

// Verify checks a token's signature as token.Verification says, against the key set of
// that URL, and its times. A token whose issuer publishes no keys (Turso, for those it
// mints) rests on the privacy of the file that it is in.
func Verify(ctx context.Context, token provider.Token, now func() time.Time, keys func(url string) (jwks.Source, error)) (provider.Claims, error) {
	if token.Verification == nil {
		claims, err := jwks.DecodeUnverified(token.Value)
		if end := earlier(token.Expires, claims.Expires); err == nil && !end.IsZero() && !now().Before(end) {
			err = fmt.Errorf("%w at %s", provider.ErrTokenExpired, end.UTC().Format(time.RFC3339))
		}
		return claims, err
	}
	policy, err := jwks.FromVerification(*token.Verification)
	if err != nil {
		return provider.Claims{}, err
	}
	policy.Now = now
	source, err := keys(token.Verification.KeySetURL)
	if err != nil {
		return provider.Claims{}, err
	}
	check, err := jwks.NewVerifier(source, policy)
	if err != nil {
		return provider.Claims{}, err
	}
	return check.Verify(ctx, token.Value)
}

// earlier returns the earlier of two ends, of which zero means none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Jitter returns the same for one token in one process, and differs between processes, so
// that those that share a token don't all renew it at once.
func Jitter(token provider.Token) float64 {
	h := fnv.New64a()
	pid := os.Getpid()
	_, _ = h.Write([]byte{byte(pid), byte(pid >> 8), byte(pid >> 16), byte(pid >> 24)})
	_, _ = h.Write([]byte(token.Value.Reveal()))
	return float64(h.Sum64()>>11) / (1 << 53)
}
