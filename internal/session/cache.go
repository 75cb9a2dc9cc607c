package session

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
	"github.com/zen-auth/zen/internal/store"
)

// margin is how long before its end a token of this life is renewed: a minute, or
// a fifth of the life where that is less, because Clerk's default token lives for
// one minute altogether.
func margin(life time.Duration) time.Duration {
	return min(time.Minute, life/5)
}

// late is how long before its end a token isn't handed out any more: the margin and
// up to a quarter more, by the jitter j.
func late(token provider.Token, j float64) time.Duration {
	m := margin(token.Expires.Sub(token.Issued))
	return m + time.Duration(j*float64(m)/4)
}

// early is how long before its end a token that is in use gets a successor in the
// background: up to a margin before it would have to be waited for.
func early(token provider.Token, j float64) time.Duration {
	m := margin(token.Expires.Sub(token.Issued))
	return late(token, j) + m/2 + time.Duration(j*float64(m)/2)
}

// jitter is the same for one token in one process, and differs between processes.
func jitter(token provider.Token) float64 {
	h := fnv.New64a()
	pid := os.Getpid()
	_, _ = h.Write([]byte{byte(pid), byte(pid >> 8), byte(pid >> 16), byte(pid >> 24)})
	_, _ = h.Write([]byte(token.Value.Reveal()))
	return float64(h.Sum64()>>11) / (1 << 53)
}

const (
	// maxSkew is how far in the future a stored token may have been issued. Of verified
	// tokens the verification takes less.
	maxSkew = 2 * time.Minute
	// steppedBack is how far the clock may go back before nothing is believed of a
	// token's times but what a new look tells. Time servers correct less.
	steppedBack = 5 * time.Second
)

// need says which token is wanted.
type need struct {
	// minTTL is how long it has to live; zero is the margin.
	minTTL time.Duration
	// ahead wants one that is not yet due for renewal in the background.
	ahead bool
	// refused is the fingerprint of a token that it may not be.
	refused string
}

// fits reports whether a token can be handed out. It compares wall clocks (Round
// strips the monotonic reading), which go on while a machine sleeps.
func (s *Session) fits(token provider.Token, n need) bool {
	if token.Value.IsZero() || n.refused != "" && fingerprint(token) == n.refused {
		return false
	}
	now := s.config.Now().Round(0)
	if token.Issued.Round(0).After(now.Add(maxSkew)) {
		return false // the clock was set back: what is left of its life is not known
	}
	if token.Expires.IsZero() {
		return true
	}
	left := token.Expires.Round(0).Sub(now)
	switch j := s.config.Jitter(token); {
	case n.minTTL > 0:
		return left >= n.minTTL
	case n.ahead:
		return left > early(token, j)
	default:
		return left > late(token, j)
	}
}

// fingerprint tells tokens apart without giving them away.
func fingerprint(token provider.Token) string {
	sum := sha256.Sum256([]byte(token.Value.Reveal()))
	return hex.EncodeToString(sum[:])
}

// providers returns the provider that signs in and the one that issues tokens.
func (s *Session) providers(record store.Record) (identity, issuing string) {
	identity = cmp.Or(s.config.Provider, record.Provider, s.config.DefaultProvider)
	return identity, cmp.Or(s.config.TokenProvider, identity)
}

// key names the cached token of an issuer by everything that it depends on. It starts
// with the providers' names, so that a logout finds what is theirs.
func (s *Session) key(record store.Record, by issuer) string {
	hash := func(name string) string {
		return s.config.SettingsHash(name, slices.Concat(record.Accounts[name].EnvNames, by.envNames))
	}
	depends := []any{s.config.Target, by.rights.Access, by.rights.Permissions, hash(by.identity), hash(by.provider)}
	if by.fallback {
		depends = append(depends, "fallback") // its tokens live shorter
	}
	if !s.config.OwnTarget && s.config.Target.DatabaseID == "" {
		depends = append(depends, "confirmed") // by the provider, before it was stored
	}
	parts, err := json.Marshal(depends)
	if err != nil {
		panic("session: strings always encode: " + err.Error())
	}
	sum := sha256.Sum256(parts)
	return strings.Join([]string{by.identity, by.provider, hex.EncodeToString(sum[:16])}, "/")
}

var errNotCached = errors.New("no good token is cached")

// cached returns the token of the record for this issuer, if it meets the need.
func (s *Session) cached(ctx context.Context, record store.Record, by issuer, n need) (provider.Token, error) {
	token, ok := record.Tokens[s.key(record, by)]
	if !ok || !s.fits(token, n) {
		return provider.Token{}, errNotCached
	}
	token, claims, err := s.check(ctx, token, by.rights, false)
	if err != nil {
		return provider.Token{}, err
	}
	if !s.fits(token, n) {
		return provider.Token{}, errNotCached
	}
	return token, s.checkCachedPlace(claims)
}

// keep caches a token and drops those that ended long ago.
func (s *Session) keep(record *store.Record, token provider.Token, by issuer) {
	now := s.config.Now()
	for key, old := range record.Tokens {
		if breaker.Forgotten(old.Expires, now) {
			delete(record.Tokens, key)
		}
	}
	record.Tokens[s.key(*record, by)] = token
}

// forget drops the cached tokens that the named provider had a part in.
func forget(record *store.Record, name string) {
	for key := range record.Tokens {
		identity, rest, _ := strings.Cut(key, "/")
		issuing, _, _ := strings.Cut(rest, "/")
		if identity == name || issuing == name {
			delete(record.Tokens, key)
		}
	}
}

// breaker is the breaker of the profile's own token.
func (s *Session) breaker(record store.Record) breaker.State {
	if len(record.Breakers) == 0 {
		return breaker.State{}
	}
	return record.Breakers[s.key(record, s.own(record))].Among(s.config.Fallback, s.config.Now())
}

// setBreaker keeps a state in the record; a closed one is forgotten.
func (s *Session) setBreaker(record *store.Record, state breaker.State) {
	key := s.key(*record, s.own(*record))
	if !state.Open() {
		delete(record.Breakers, key)
		return
	}
	if record.Breakers == nil {
		record.Breakers = map[string]breaker.State{}
	}
	record.Breakers[key] = state
}

// current is the token that requests use, so that a program with many of them reads and
// verifies each token once.
type current struct {
	token provider.Token
	by    issuer
	// since is when it became current. From early on its successor is issued in the
	// background, from late on it isn't handed out. Zero is never.
	since, early, late time.Time
	// retryAt is, for a fallback's token, when the profile's own provider is to be tried
	// again.
	retryAt time.Time
}

func (c current) good(now time.Time) bool {
	now = now.Round(0)
	return !c.token.Value.IsZero() && (c.late.IsZero() || now.Before(c.late)) && !now.Before(c.since.Add(-steppedBack))
}

// use makes a token the current one. retryAt is as in current.
func (s *Session) use(token provider.Token, by issuer, retryAt time.Time) provider.Token {
	c := current{token: token, by: by, since: s.config.Now().Round(0), retryAt: retryAt}
	if !token.Expires.IsZero() {
		end, j := token.Expires.Round(0), s.config.Jitter(token)
		c.late = end.Add(-late(token, j))
		c.early = end.Add(-early(token, j))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current, s.trial = c, provider.Token{}
	return token
}

// drop leaves no token current: somebody else is signed in now, or nobody.
func (s *Session) drop() {
	s.use(provider.Token{}, issuer{}, time.Time{})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announced = ""
}

func (s *Session) held() current {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

func (s *Session) isTrial(token provider.Token) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.trial.Value.IsZero() && s.trial.Value.Equal(token.Value)
}

// usable returns the current token, if it is good and nothing else is to be tried, and
// sees to its successor.
func (s *Session) usable() (provider.Token, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, now := &s.current, s.config.Now().Round(0)
	if !c.good(now) || c.by.fallback && !now.Before(c.retryAt) {
		return provider.Token{}, false
	}
	if !c.early.IsZero() && !now.Before(c.early) && c.since.Before(c.early) && !s.renewing && !s.closed {
		s.renewing = true
		s.background.Go(s.renewAhead)
	}
	return c.token, true
}

// aheadTimeout bounds a renewal in the background.
const aheadTimeout = time.Minute

// renewAhead issues the successor of the current token, which became current before its
// renewal was due: a program that runs for a moment doesn't begin one. After a failure
// the next use tries again, when a third of what is left has passed; when nothing is
// left, the use itself has to wait for a token.
func (s *Session) renewAhead() {
	ctx, cancel := context.WithTimeout(s.base, aheadTimeout)
	defer cancel()
	before := s.held()
	_, err := s.inTurn(ctx, func() (provider.Token, error) {
		if now := s.held(); !now.token.Value.Equal(before.token.Value) {
			return now.token, nil
		}
		record, err := s.config.Store.LoadContext(ctx, s.config.Profile)
		if err != nil {
			return provider.Token{}, err
		}
		token, err := s.renew(ctx, record, before.by, need{ahead: true})
		if err == nil {
			s.use(token, before.by, before.retryAt)
		}
		return token, err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewing = false
	if err != nil && s.current.token.Value.Equal(before.token.Value) {
		now := s.config.Now().Round(0)
		s.current.early = now.Add(s.current.late.Sub(now) / 3)
	}
}

// check verifies a token, and that it allows what rights say and no more. It returns
// the token with the earlier of two ends: what its provider said, and its own exp.
func (s *Session) check(ctx context.Context, token provider.Token, rights breaker.Rights, offline bool) (provider.Token, provider.Claims, error) {
	if err := token.ValidateValue(); err != nil {
		return provider.Token{}, provider.Claims{}, err
	}
	claims, err := s.config.Verifier.Verify(ctx, token, offline)
	token.Expires = earlier(token.Expires, claims.Expires)
	if err != nil {
		return token, claims, err
	}
	return token, claims, claims.Authorizes(s.config.Target, rights.Access, rights.Permissions)
}

// earlier is the first of two ends, where zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// verifier checks tokens against the key sets on disk, fetching what is missing.
type verifier struct {
	cacheDir string
	client   *http.Client
	now      func() time.Time
}

// Verify implements session.Verifier. A token whose issuer publishes no keys
// (Turso, for those it mints) rests on the privacy of the file that it is in.
func (v verifier) Verify(ctx context.Context, token provider.Token, offline bool) (provider.Claims, error) {
	if token.Verification == nil {
		claims, err := jwks.DecodeUnverified(token.Value)
		if end := earlier(token.Expires, claims.Expires); err == nil && !end.IsZero() && !v.now().Before(end) {
			err = fmt.Errorf("%w at %s", provider.ErrTokenExpired, end.UTC().Format(time.RFC3339))
		}
		return claims, err
	}
	policy, err := jwks.FromVerification(*token.Verification)
	if err != nil {
		return provider.Claims{}, err
	}
	policy.Now = v.now
	var keys jwks.Source = jwks.Disk{Dir: v.cacheDir, URL: token.Verification.KeySetURL}
	if !offline {
		keys, err = keyset.New(token.Verification.KeySetURL, keyset.Options{CacheDir: v.cacheDir, Client: v.client, Now: v.now})
		if err != nil {
			return provider.Claims{}, err
		}
	}
	check, err := jwks.NewVerifier(keys, policy)
	if err != nil {
		return provider.Claims{}, err
	}
	return check.Verify(ctx, token.Value)
}

// keyHolder is what a Verifier can do beside: say whether the key set on disk still
// has the key that a token was verified with.
type keyHolder interface {
	// HoldsKey is nil where it has, ErrTokenInvalid where it has others only, and
	// ErrUnavailable where there is no key set.
	HoldsKey(ctx context.Context, v provider.Verification, keyID string) error
}

// HoldsKey implements keyHolder. It uses no network.
func (v verifier) HoldsKey(_ context.Context, how provider.Verification, keyID string) error {
	set, err := jwks.Disk{Dir: v.cacheDir, URL: how.KeySetURL}.Load()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(set.Keys, func(k jwks.Key) bool { return k.ID == keyID }) {
		return nil
	}
	return fmt.Errorf("%w: the key that signed it (kid %.80q) is not in the key set of %s any more", provider.ErrTokenInvalid, keyID, how.Issuer)
}

// Interface guards
var _ keyHolder = verifier{}
