package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/store"
)

// steppedBack is the step back of the clock from which nothing is believed of a
// token's times but what a new look shows. Time servers correct less.
const steppedBack = 5 * time.Second

// cached returns the token of the record for this issuer, if it meets the need.
func (s *Session) cached(ctx context.Context, record store.Record, by cache.Issuer, n cache.Need) (provider.Token, error) {
	return s.config.Token(record, by, n, s.clock(), s.verify(ctx, false))
}

func (s *Session) clock() cache.Clock {
	return cache.Clock{Now: s.config.Now(), Jitter: s.config.Jitter}
}

// verify returns the Verifier for one check.
func (s *Session) verify(ctx context.Context, offline bool) func(provider.Token) (provider.Claims, error) {
	return func(token provider.Token) (provider.Claims, error) {
		return s.config.Verifier.Verify(ctx, token, offline)
	}
}

// keep caches a token and drops those that ended long ago.
func (s *Session) keep(record *store.Record, token provider.Token, by cache.Issuer) {
	now := s.config.Now()
	for key, old := range record.Tokens {
		if breaker.Forgotten(old.Expires, now) {
			delete(record.Tokens, key)
		}
	}
	record.Tokens[s.config.Key(*record, by)] = token
	for key, refusal := range record.Refusals {
		if _, ok := record.Tokens[key]; !ok || breaker.Forgotten(refusal.RetryAt, now) {
			delete(record.Refusals, key)
		}
	}
}

// forget drops the cached tokens that the named provider had a part in.
func forget(record *store.Record, name string) {
	for key := range record.Tokens {
		identity, rest, _ := strings.Cut(key, "/")
		issuing, _, _ := strings.Cut(rest, "/")
		if identity == name || issuing == name {
			delete(record.Tokens, key)
			delete(record.Refusals, key)
		}
	}
}

// breaker returns the breaker of the profile's own token.
func (s *Session) breaker(record store.Record) breaker.State {
	return s.config.Breaker(record, s.config.Now())
}

// setBreaker keeps a state in the record; a closed one is forgotten.
func (s *Session) setBreaker(record *store.Record, state breaker.State) {
	key := s.config.Key(*record, s.config.Own(*record))
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
	by    cache.Issuer
	// since is the time at which it became current. From early on its successor is issued in the
	// background, from late on it isn't handed out. Zero means never.
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
func (s *Session) use(token provider.Token, by cache.Issuer, retryAt time.Time) provider.Token {
	c := current{token: token, by: by, since: s.config.Now().Round(0), retryAt: retryAt}
	if !token.Expires.IsZero() {
		end, j := token.Expires.Round(0), s.config.Jitter(token)
		c.late = end.Add(-cache.Late(token, j))
		c.early = end.Add(-cache.Early(token, j))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current, s.trial = c, provider.Token{}
	return token
}

// drop leaves no token current: the sign-in that it came from was replaced or has ended.
func (s *Session) drop() {
	s.use(provider.Token{}, cache.Issuer{}, time.Time{})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announced = ""
	s.refusals = false
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

// State describes a token without asking a provider or the network.
type State string

// The states. StateNone is no token cached, which is no fault.
const (
	StateNone       State = "none"
	StateValid      State = "valid"
	StateInvalid    State = "invalid"
	StateUnverified State = "unverified"
)

// Status describes a profile without network, process or keyring.
type Status struct {
	Profile       string
	Provider      string
	TokenProvider string
	// SignedIn is false where Account is empty.
	SignedIn bool
	Account  store.Account
	// Others are further providers with a stored sign-in.
	Others []string
	// Storage says how it is stored, or would be by a store that writes nothing; "" is
	// not at all. Reason says why it is a plain file although none was asked for.
	Storage       store.Storage
	StorageReason string
	// File is the file in which it is stored; "" for StorageNone.
	File string
	// Breaker is open where a fallback provider issues the tokens.
	Breaker breaker.State
	// Doubt says why all this may be older than what is stored; nil otherwise.
	Doubt error

	State State
	// Reason says why the state is not valid; nil otherwise.
	Reason error
	// Token is the cached token, Claims what it says (verified or not, see State).
	Token  provider.Token
	Claims provider.Claims
}

// errNoKeys is why no token of its issuer can be verified.
var errNoKeys = errors.New("its issuer publishes no keys")

// Status reads the store, and checks the cached token against the keys on disk. It
// opens no seal: of a sealed token it says what was written down when it was verified.
func (s *Session) Status(ctx context.Context) (Status, error) {
	meta, plain, err := s.config.Store.MetaAndRecord(s.config.Name)
	if err != nil {
		return Status{}, err
	}
	record := meta.Record()
	identity, issuing := s.config.Profile.Providers(record)
	status := Status{
		Profile: s.config.Name, Provider: identity, TokenProvider: issuing,
		Storage: meta.Storage, StorageReason: meta.Reason, Doubt: meta.Doubt,
		File: s.config.Store.Path(s.config.Name), State: StateNone,
	}
	status.Account, status.SignedIn = record.Accounts[identity]
	for _, name := range slices.Sorted(maps.Keys(record.Accounts)) {
		if name != identity {
			status.Others = append(status.Others, name)
		}
	}
	status.Breaker = s.breaker(record)
	token, ok := meta.Tokens[s.config.Key(record, s.config.Own(record))]
	if !ok {
		return status, nil
	}
	status.Token = provider.Token{Issued: token.Issued, Expires: token.Expires, Verification: token.Verification}
	if meta.Storage != store.StorageKeyring {
		s.checkPlain(ctx, &status, plain)
		return status, nil
	}
	status.Claims.KeyID = token.KeyID
	if token.Verification != nil {
		status.Claims.Issuer = token.Verification.Issuer
	}
	status.State, status.Reason = s.checkSealed(ctx, token, meta.Doubt)
	return status, nil
}

// checkPlain verifies the cached token itself, which is there to be read.
func (s *Session) checkPlain(ctx context.Context, status *Status, record store.Record) {
	token := record.Tokens[s.config.Key(record, s.config.Own(record))]
	status.Token, status.Claims, status.Reason = s.config.Check(token, s.config.Own(record).Rights, s.verify(ctx, true))
	switch {
	case status.Reason == nil && token.Verification == nil:
		status.State, status.Reason = StateUnverified, errNoKeys
	case status.Reason == nil:
		status.State = StateValid
	case errors.Is(status.Reason, provider.ErrUnavailable):
		status.State = StateUnverified
	default:
		status.State = StateInvalid
	}
}

// checkSealed says what can be said of a token without opening the seal: it was
// verified when it was stored; its times, and that its issuer still has the key, can
// be checked now.
func (s *Session) checkSealed(ctx context.Context, token store.TokenMeta, doubt error) (State, error) {
	now := s.config.Now()
	switch {
	case doubt != nil:
		return StateUnverified, fmt.Errorf("%w; zen token checks it", doubt)
	case !token.Expires.IsZero() && !now.Before(token.Expires):
		return StateInvalid, fmt.Errorf("%w at %s", provider.ErrTokenExpired, token.Expires.UTC().Format(time.RFC3339))
	case token.Verification == nil:
		return StateUnverified, errNoKeys
	case token.Verified.IsZero() || token.KeyID == "":
		return StateUnverified, errors.New("nothing was written down about its signature; zen token checks it")
	}
	holder, ok := s.config.Verifier.(keyHolder)
	if !ok {
		return StateUnverified, errors.New("its signature was not looked at")
	}
	err := holder.HoldsKey(ctx, *token.Verification, token.KeyID)
	switch {
	case err == nil:
		return StateValid, nil
	case errors.Is(err, provider.ErrUnavailable):
		return StateUnverified, err
	}
	return StateInvalid, err
}

// verifier checks tokens against the key sets on disk, fetching what is missing.
type verifier struct {
	cacheDir string
	client   *http.Client
	now      func() time.Time
}

// Verify implements session.Verifier.
func (v verifier) Verify(ctx context.Context, token provider.Token, offline bool) (provider.Claims, error) {
	return cache.Verify(ctx, token, v.now, func(url string) (jwks.Source, error) {
		if offline {
			return jwks.Disk{Dir: v.cacheDir, URL: url}, nil
		}
		return keyset.New(url, keyset.Options{CacheDir: v.cacheDir, Client: v.client, Now: v.now})
	})
}

// keyHolder is an optional capability of a Verifier: to say whether the key set on disk still
// has the key that a token was verified with.
type keyHolder interface {
	// HoldsKey is nil if it has, ErrTokenInvalid if it has others only, and
	// ErrUnavailable if there is no key set.
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

// backedOff is ErrUnavailable while no other token is to be issued in place of a refused
// one. What was refused is stored: otherwise each process would ask for a token of its own.
func (s *Session) backedOff(record store.Record, by cache.Issuer) error {
	remaining := record.Refusals[s.config.Key(record, by)].Remaining(s.config.Now())
	if remaining == 0 {
		return nil
	}
	return &provider.Error{
		Kind:       provider.ErrUnavailable,
		Message:    fmt.Sprintf("a new token of %s was refused, too; the next one is asked for in %s", by.Provider, remaining.Round(time.Second)),
		RetryAfter: remaining,
	}
}

// backOff counts a token that was issued in place of a refused one.
func (s *Session) backOff(record *store.Record, by cache.Issuer) {
	if record.Refusals == nil {
		record.Refusals = map[string]breaker.Backoff{}
	}
	key := s.config.Key(*record, by)
	record.Refusals[key] = record.Refusals[key].Renewed(s.config.Now())
}

// noteRefusals remembers whether there is something to forget once the database takes a
// token.
func (s *Session) noteRefusals(refused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals = refused
}

// endBackOff forgets the refusals of the issuer of a token, which the database has taken.
// It reads the store only if there are any.
func (s *Session) endBackOff(ctx context.Context, token provider.Token) {
	s.mu.Lock()
	by, ends := s.current.by, s.refusals && s.current.token.Value.Equal(token.Value)
	s.refusals = s.refusals && !ends
	s.mu.Unlock()
	if !ends {
		return
	}
	record, err := s.config.Store.LoadContext(ctx, s.config.Name)
	if _, ok := record.Refusals[s.config.Key(record, by)]; err != nil || !ok {
		return
	}
	err = s.config.Store.Lock(ctx, s.config.Name, func(l *store.Locked) error {
		delete(l.Refusals, s.config.Key(l.Record, by))
		return l.Save()
	})
	if err != nil {
		s.noteRefusals(true) // the next request's token shows it as well
	}
}

// checkSignedIn is ErrNoCredential where the named provider has no stored sign-in.
func (s *Session) checkSignedIn(record store.Record, identity string) error {
	hint := names.LoginCommand(s.config.Name)
	if identity == "" {
		return &provider.Error{
			Kind:    provider.ErrNoCredential,
			Message: fmt.Sprintf("not signed in to profile %q", s.config.Name),
			Hint:    hint + " --provider NAME",
		}
	}
	if _, ok := record.Accounts[identity]; !ok {
		return &provider.Error{
			Kind:    provider.ErrNoCredential,
			Message: fmt.Sprintf("profile %q is not signed in with %s", s.config.Name, identity),
			Hint:    hint + " --provider " + identity,
		}
	}
	return nil
}
