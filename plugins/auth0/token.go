package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// Token implements provider.TokenSource. The API sets the lifetime: a client of Auth0
// can't choose it.
func (p *auth0Provider) Token(ctx context.Context, req provider.TokenRequest) (provider.TokenResponse, error) {
	var response provider.TokenResponse
	if err := p.configured(); err != nil {
		return response, err
	}
	credential, err := p.credentialOr(req.Credential)
	if err != nil {
		return response, err
	}
	s, err := p.decode(credential)
	if err != nil {
		return response, err
	}
	tokens, renewed, err := p.renew(ctx, s, credential, p.scopesFor(req.Access))
	response.Credential = renewed
	if err != nil {
		return response, err
	}
	response.Token, err = p.vouch(ctx, tokens.Access, s, want{req.Target, req.Access, req.Permissions})
	return response, err
}

// credentialOr returns the stored credential or, if there is none, that of the machine
// whose secret or key is set, for a job without a store.
func (p *auth0Provider) credentialOr(c *provider.Credential) (provider.Credential, error) {
	switch {
	case c != nil:
		return *c, nil
	case canProve(p.machines) && p.machines.ID != "":
		return p.encode(stored{Machine: true, Organization: p.settings.organization}, "", "", p.now()), nil
	}
	return provider.Credential{}, noCredential("not signed in")
}

// scopesFor returns the scopes to request with a token; nil requests all that were
// granted.
func (p *auth0Provider) scopesFor(access provider.Access) []string {
	if p.settings.writeScope == "" {
		return nil
	}
	scopes := p.scopes()
	if access == provider.AccessReadOnly {
		scopes = slices.DeleteFunc(scopes, func(s string) bool { return s == p.settings.writeScope })
	}
	return scopes
}

// renew exchanges the credential for tokens. If that replaced the credential, renewed has
// to be stored before anything else: sending the old refresh token again would end the
// sign-in and all of its tokens.
func (p *auth0Provider) renew(ctx context.Context, s stored, old provider.Credential, scopes []string) (tokens oauth.Tokens, renewed *provider.Credential, err error) {
	if s.Machine {
		tokens, err = p.machineTokens(ctx, s, p.settings.audience, scopes)
		return tokens, nil, err
	}
	return p.spend(ctx, s, old, scopes, nil)
}

// spend is renew for a person, with additional parameters.
func (p *auth0Provider) spend(ctx context.Context, s stored, old provider.Credential, scopes []string, extra url.Values) (tokens oauth.Tokens, renewed *provider.Credential, err error) {
	tokens, err = p.people.RefreshWith(ctx, provider.NewSecret(s.Refresh), scopes, extra)
	if oauth.Code(err) == oauth.CodeInvalidGrant {
		return tokens, nil, &provider.Error{
			Kind: provider.ErrRejected, Message: err.Error(), Err: err,
			Hint: "the sign-in has ended at Auth0 (it expired, was revoked, or its refresh token was used elsewhere): " + oauth.LoginHint,
		}
	}
	if oauth.Code(err) == "invalid_scope" {
		return tokens, nil, &provider.Error{
			Kind: provider.ErrConfig, Message: err.Error(), Err: err,
			Hint: "the sign-in was made without the scope of write_scope, or the API has none of that name: " + oauth.LoginHint,
		}
	}
	if err != nil || tokens.Refresh.Reveal() == s.Refresh {
		return tokens, nil, err
	}
	s.Refresh = tokens.Refresh.Reveal()
	next := p.encode(s, old.Subject, old.Detail, old.Issued)
	return tokens, &next, nil
}

// Refresh implements provider.Identity: it asks Auth0 whether the sign-in is still valid,
// which replaces a rotating refresh token.
func (p *auth0Provider) Refresh(ctx context.Context, credential provider.Credential) (provider.Credential, error) {
	s, err := p.decode(credential)
	if err != nil {
		return credential, err
	}
	_, renewed, err := p.renew(ctx, s, credential, nil)
	if renewed != nil {
		credential = *renewed
	}
	return credential, err
}

// Revoke implements provider.Identity: it ends the sign-in, and with it every refresh
// token derived from it. Access tokens stay valid until they expire.
func (p *auth0Provider) Revoke(ctx context.Context, credential provider.Credential) error {
	s, err := p.decode(credential)
	if err != nil {
		return err
	}
	if s.Machine {
		return errMachine
	}
	return p.people.Revoke(ctx, provider.NewSecret(s.Refresh))
}

// errMachine: only the tenant can revoke a machine's secret.
var errMachine = &provider.Error{
	Kind:    errors.ErrUnsupported,
	Message: "auth0: the secret of an application is not revoked by a sign-out: rotate it in the Auth0 dashboard",
}

// Assertion implements provider.AssertionSource: the ID token, whose audience is the
// application, or, if requested, the access token, whose audience is the API. A machine
// can get one for every API that it is authorized for.
func (p *auth0Provider) Assertion(ctx context.Context, req provider.AssertionRequest) (provider.Assertion, *provider.Credential, error) {
	s, err := p.decode(req.Credential)
	if err != nil {
		return provider.Assertion{}, nil, err
	}
	if len(req.Kinds) > 0 && !slices.Contains(req.Kinds, provider.AssertionJWT) {
		return provider.Assertion{}, nil, &provider.Error{Kind: provider.ErrPermission, Message: "auth0: it can state who a person is only in a JWT"}
	}
	if s.Machine {
		audience := cmp.Or(req.Audience, p.settings.audience)
		tokens, err := p.machineTokens(ctx, s, audience, nil)
		return provider.Assertion{Kind: provider.AssertionJWT, Value: tokens.Access, Expires: tokens.Expires}, nil, err
	}
	if !slices.Contains([]string{"", p.settings.clientID, p.settings.audience}, req.Audience) {
		return provider.Assertion{}, nil, &provider.Error{
			Kind:    provider.ErrPermission,
			Message: fmt.Sprintf("auth0: it can't state who a person is to %.100q", req.Audience),
			Hint:    fmt.Sprintf("have %s (in ID tokens) or %.100q (in access tokens) accepted there", p.settings.clientID, p.settings.audience),
		}
	}
	tokens, renewed, err := p.renew(ctx, s, req.Credential, nil)
	if err != nil {
		return provider.Assertion{}, renewed, err
	}
	if req.Audience == p.settings.audience {
		return provider.Assertion{Kind: provider.AssertionJWT, Value: tokens.Access, Expires: tokens.Expires}, renewed, nil
	}
	id, err := p.people.VerifyID(ctx, p.identity.ExceptSignature().JustIssued(), tokens) // Auth0 has just issued it, and its recipient verifies it
	return provider.Assertion{Kind: provider.AssertionJWT, Value: tokens.ID, Expires: id.Expires}, renewed, err
}

// EndSessionURL implements provider.BrowserSession: the tenant's own session in the
// browser outlives the terminal's sign-in. The page asks no question.
func (p *auth0Provider) EndSessionURL(_ context.Context, credential provider.Credential) (string, error) {
	s, err := p.decode(credential)
	if err != nil {
		return "", err
	}
	if s.Machine {
		return "", fmt.Errorf("auth0: a machine has no browser: %w", errors.ErrUnsupported)
	}
	return p.people.EndSessionURL(), nil
}
