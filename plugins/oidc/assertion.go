package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// Assertion implements provider.AssertionSource. For a person it is a new ID token, whose
// audience is the application; for a workload, a new statement for the requested
// audience.
func (p *oidcProvider) Assertion(ctx context.Context, req provider.AssertionRequest) (provider.Assertion, *provider.Credential, error) {
	s, err := p.decode(req.Credential)
	if err != nil {
		return provider.Assertion{}, nil, err
	}
	if len(req.Kinds) > 0 && !slices.Contains(req.Kinds, provider.AssertionJWT) {
		return provider.Assertion{}, nil, wrongKind()
	}
	if s.Workload != "" {
		token, claims, err := p.state(ctx, req.Audience)
		return provider.Assertion{Kind: provider.AssertionJWT, Value: token, Expires: claims.Expires}, nil, err
	}
	if err := p.checkAudience(req.Audience); err != nil {
		return provider.Assertion{}, nil, err
	}
	token, id, renewed, err := p.renew(ctx, s, req.Credential)
	return provider.Assertion{Kind: provider.AssertionJWT, Value: token, Expires: id.Expires}, renewed, err
}

// checkAudience checks whether a person's ID token can be for an audience.
func (p *oidcProvider) checkAudience(audience string) error {
	if audience == "" || audience == p.settings.clientID {
		return nil
	}
	return &provider.Error{
		Kind:    provider.ErrPermission,
		Message: fmt.Sprintf("oidc: a person's ID token is for the application %.100q, not for %.100q", p.settings.clientID, audience),
		Hint:    "have the application's client id accepted there as an audience",
	}
}

func wrongKind() error {
	return &provider.Error{Kind: provider.ErrPermission, Message: "oidc: it can state who a person is only in a JWT"}
}

// renew gets a person's current ID token. If that replaced the credential, renewed has to
// be stored before anything else.
func (p *oidcProvider) renew(ctx context.Context, s stored, old provider.Credential) (token provider.Secret, id oauth.IDClaims, renewed *provider.Credential, err error) {
	i, err := p.people(ctx)
	if err != nil {
		return token, id, nil, err
	}
	tokens := oauth.Tokens{ID: provider.NewSecret(s.ID)}
	if s.Refresh != "" {
		if tokens, err = i.client.Refresh(ctx, provider.NewSecret(s.Refresh)); err != nil {
			return token, id, nil, err
		}
		if tokens.Refresh.Reveal() != s.Refresh {
			s.Refresh = tokens.Refresh.Reveal()
			next := old
			next.Data = p.encode(s)
			renewed = &next
		}
		if tokens.ID.IsZero() {
			return token, id, renewed, &provider.Error{
				Kind: provider.ErrConfig, Message: "oidc: the issuer gives no ID token where a sign-in is renewed (OpenID Connect Core 12.2 leaves it that)",
				Hint: "is openid among the scopes that it keeps for the refresh token?",
			}
		}
	}
	// The issuer has just issued it, or its signature was verified at the sign-in, and
	// its recipient verifies it.
	verifier := i.verifier.ExceptSignature()
	if s.Refresh != "" {
		verifier = verifier.JustIssued()
	}
	id, err = i.client.VerifyID(ctx, verifier, tokens)
	return tokens.ID, id, renewed, err
}

// state gets the workload's statement for an audience from its place, and verifies it.
func (p *oidcProvider) state(ctx context.Context, audience string) (provider.Secret, provider.Claims, error) {
	place := p.settings.workload
	if place == nil {
		return provider.Secret{}, provider.Claims{}, noPlace()
	}
	name := cmp.Or(p.settings.workloadIssuer, place.issuer())
	if name == "" {
		return provider.Secret{}, provider.Claims{}, bad(keyWorkloadIssuer, "it is iss of the token, to the letter", "it is not set, and the issuer of %s is nobody's to guess", p.settings.workloadName)
	}
	audience = cmp.Or(audience, p.settings.audience)
	token, err := place.token(ctx, &http.Client{Transport: p.transport}, audience)
	if err == nil {
		err = checkToken(token)
	}
	if err != nil {
		return provider.Secret{}, provider.Claims{}, err
	}
	claims, err := p.verifyWorkload(ctx, name, token)
	switch {
	case err != nil:
		return provider.Secret{}, provider.Claims{}, err
	case audience != "" && !slices.Contains(claims.Audience, audience):
		return provider.Secret{}, provider.Claims{}, &provider.Error{
			Kind:    provider.ErrPermission,
			Message: fmt.Sprintf("oidc: the token of %s is for %.200q, not for %.100q", p.settings.workloadName, strings.Join(claims.Audience, ", "), audience),
			Hint:    place.declare(audience),
		}
	}
	return token, claims, nil
}

// checkToken refuses what isn't a JWT, such as an empty file or a proxy's page.
func checkToken(token provider.Secret) error {
	if err := (provider.Token{Value: token}).ValidateValue(); err != nil || strings.Count(token.Reveal(), ".") != 2 {
		return &provider.Error{Kind: provider.ErrTokenInvalid, Message: "oidc: what states who this workload is is not a JWT"}
	}
	return nil
}

func (p *oidcProvider) verifyWorkload(ctx context.Context, name string, token provider.Secret) (provider.Claims, error) {
	seen, err := jwks.DecodeUnverified(token)
	if err != nil {
		return provider.Claims{}, fmt.Errorf("oidc: %w", err)
	}
	if seen.Issuer != name {
		return provider.Claims{}, &provider.Error{
			Kind:    provider.ErrTokenInvalid,
			Message: fmt.Sprintf("oidc: the token of %s is of the issuer %.200q, not of %.200q", p.settings.workloadName, seen.Issuer, name),
			Hint:    "set workload_issuer to that, if it is the one that you trust",
		}
	}
	if !seen.Expires.IsZero() && p.now().After(seen.Expires.Add(time.Minute)) {
		return provider.Claims{}, &provider.Error{
			Kind:    provider.ErrTokenExpired,
			Message: fmt.Sprintf("oidc: the token of %s ended at %s", p.settings.workloadName, seen.Expires.Format(time.RFC3339)),
			Hint:    "a job that has its token from its variables has it for as long as that lives: start it again",
		}
	}
	i, err := p.at(ctx, name)
	if err != nil {
		return provider.Claims{}, err
	}
	claims, err := i.verifier.Verify(ctx, token)
	if err == nil && claims.Subject == "" {
		err = &provider.Error{Kind: provider.ErrTokenInvalid, Message: "it names nobody (sub)"}
	}
	if err != nil {
		return provider.Claims{}, fmt.Errorf("oidc: token of %s: %w", p.settings.workloadName, err)
	}
	return claims, nil
}

// Refresh implements provider.Identity: it asks the issuer whether a person's sign-in is
// still valid, or the place for a new statement of the workload.
func (p *oidcProvider) Refresh(ctx context.Context, credential provider.Credential) (provider.Credential, error) {
	s, err := p.decode(credential)
	if err != nil {
		return credential, err
	}
	if s.Workload != "" {
		_, _, err = p.state(ctx, "")
		return credential, err
	}
	_, _, renewed, err := p.renew(ctx, s, credential)
	if renewed != nil {
		credential = *renewed
	}
	return credential, err
}

// Verify implements provider.Identity.
func (p *oidcProvider) Verify(ctx context.Context, token provider.Secret) (provider.Claims, error) {
	if err := p.configured(); err != nil {
		return provider.Claims{}, err
	}
	seen, err := jwks.DecodeUnverified(token)
	if err != nil {
		return provider.Claims{}, fmt.Errorf("oidc: %w", err)
	}
	if p.settings.workload != nil && seen.Issuer != p.settings.issuer {
		name := cmp.Or(p.settings.workloadIssuer, p.settings.workload.issuer())
		return p.verifyWorkload(ctx, name, token)
	}
	i, err := p.people(ctx)
	if err != nil {
		return provider.Claims{}, err
	}
	id, err := i.client.VerifyID(ctx, i.verifier, oauth.Tokens{ID: token})
	return id.Claims, err
}

// Revoke implements provider.Identity. ID tokens and statements stay valid until they
// expire.
func (p *oidcProvider) Revoke(ctx context.Context, credential provider.Credential) error {
	s, err := p.decode(credential)
	if err != nil {
		return err
	}
	if s.Refresh == "" {
		return errNothingToRevoke
	}
	i, err := p.people(ctx)
	if err != nil {
		return err
	}
	return i.client.Revoke(ctx, provider.NewSecret(s.Refresh))
}

// EndSessionURL implements provider.BrowserSession.
func (p *oidcProvider) EndSessionURL(ctx context.Context, credential provider.Credential) (string, error) {
	s, err := p.decode(credential)
	if err != nil {
		return "", err
	}
	if s.Workload != "" {
		return "", fmt.Errorf("oidc: a workload has no browser: %w", errors.ErrUnsupported)
	}
	i, err := p.people(ctx)
	if err != nil {
		return "", err
	}
	if page := i.client.EndSessionURL(); page != "" {
		return page, nil
	}
	return "", fmt.Errorf("oidc: the issuer has no page that ends a browser's session: %w", errors.ErrUnsupported)
}
