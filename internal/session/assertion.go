package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/store"
)

// assertion asks the provider that signed in for the statement that the one which makes
// the tokens needs. It is the proof that the sign-in is still good, so that nothing is
// refreshed beside it. It is never kept: neither in the store nor for another call.
func (s *Session) assertion(ctx context.Context, l *store.Locked, by cache.Issuer, need provider.AssertionNeed) (*provider.Assertion, error) {
	source, err := s.config.Providers.AssertionSource(ctx, by.Identity)
	if err != nil {
		return nil, err
	}
	sent := l.Accounts[by.Identity].Credential.Data
	a, err := s.assert(ctx, l, source, by.Identity, need)
	if errors.Is(err, provider.ErrRejected) && s.adopt(ctx, l, by.Identity, sent) {
		a, err = s.assert(ctx, l, source, by.Identity, need)
	}
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil, noAssertion(by.Identity, by.Provider)
	case err != nil:
		return nil, err
	}
	if err := s.checkAssertion(a, need); err != nil {
		return nil, fmt.Errorf("check what %s says to %s: %w", by.Identity, by.Provider, err)
	}
	return &a, nil
}

// assert makes one call. A replaced credential is stored before the statement is used.
func (s *Session) assert(ctx context.Context, l *store.Locked, source provider.AssertionSource, name string, need provider.AssertionNeed) (provider.Assertion, error) {
	account := l.Accounts[name]
	asking, done := finishing(ctx)
	a, next, err := source.Assertion(asking, provider.AssertionRequest{
		Credential: account.Credential, Audience: need.Audience, Kinds: need.Kinds,
	})
	done()
	return a, errors.Join(err, replaced(l, name, next))
}

// checkAssertion refuses a statement that another provider must not see: one that was
// made for another audience.
func (s *Session) checkAssertion(a provider.Assertion, need provider.AssertionNeed) error {
	wrong := func(kind error, format string, args ...any) error {
		return &provider.Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
	}
	switch {
	case a.Value.IsZero():
		return wrong(provider.ErrTokenInvalid, "it is empty")
	case !slices.Contains(need.Kinds, a.Kind):
		return wrong(provider.ErrPermission, "it is of the kind %.40q, which was not asked for", a.Kind)
	case !a.Expires.IsZero() && !s.config.Now().Round(0).Before(a.Expires.Round(0)):
		return wrong(provider.ErrTokenExpired, "it ended at %s", a.Expires.UTC())
	case a.Kind != provider.AssertionJWT || need.Audience == "":
		return nil
	}
	claims, err := jwks.DecodeUnverified(a.Value) // the one that takes it verifies it
	switch {
	case err != nil:
		return err
	case !slices.Contains(claims.Audience, need.Audience):
		return wrong(provider.ErrPermission, "it is not for the audience %s", need.Audience)
	}
	return nil
}

func noAssertion(identity, issuing string) error {
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("provider %s can't tell %s who signed in", identity, issuing),
		Hint:    fmt.Sprintf("sign in with a provider that makes assertions, or have the tokens made by another one than %s (token_provider)", issuing),
	}
}

// foresee finds out before the sign-in what would only fail afterwards, and tells
// the request what the sign-in is for.
func (s *Session) foresee(ctx context.Context, name string, d provider.Description, req *provider.LoginRequest) error {
	if s.issues(name) {
		if len(d.Methods) > 0 && identityOnly(d.Methods, req.Method) {
			return &provider.Error{
				Kind:    provider.ErrConfig,
				Message: fmt.Sprintf("provider %s signs in%s, and makes no tokens for databases", name, byMethod(req.Method)),
				Hint:    "name the provider that makes them: token_provider in the profile, or ZEN_TOKEN_PROVIDER=platformtoken",
			}
		}
		return nil
	}
	need, err := s.config.Providers.Need(ctx, s.config.TokenProvider)
	if err != nil || need == nil {
		return err
	}
	if !slices.ContainsFunc(need.Kinds, func(k provider.AssertionKind) bool { return slices.Contains(d.Assertions, k) }) {
		return noAssertion(name, s.config.TokenProvider)
	}
	req.Audience, req.AssertionKinds = need.Audience, need.Kinds
	return nil
}

// identityOnly reports whether a method, or where none is named each of them, yields no
// database tokens.
func identityOnly(methods []provider.Method, named string) bool {
	return !slices.ContainsFunc(methods, func(m provider.Method) bool {
		return !m.IdentityOnly && (named == "" || m.Name == named)
	}) && (named == "" || slices.ContainsFunc(methods, func(m provider.Method) bool { return m.Name == named }))
}

func byMethod(named string) string {
	if named == "" {
		return ""
	}
	return " by " + named
}
