package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// Token implements provider.TokenSource. The lifetime is the API's: Auth0 takes no other
// from a client.
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
// whose secret or key is set: for a job that keeps nothing.
func (p *auth0Provider) credentialOr(c *provider.Credential) (provider.Credential, error) {
	switch {
	case c != nil:
		return *c, nil
	case canProve(p.machines) && p.machines.ID != "":
		return p.encode(stored{Machine: true, Organization: p.settings.organization}, "", "", p.now()), nil
	}
	return provider.Credential{}, noCredential("not signed in")
}

// scopesFor are asked for with a token: nil is all that were granted.
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

// renew spends the credential for tokens. Where that replaced it, renewed is what has to
// be stored before anything else: the old refresh token would end the sign-in, and all
// of its tokens, if it were sent again.
func (p *auth0Provider) renew(ctx context.Context, s stored, old provider.Credential, scopes []string) (tokens oauth.Tokens, renewed *provider.Credential, err error) {
	if s.Machine {
		tokens, err = p.machineTokens(ctx, s, p.settings.audience, scopes)
		return tokens, nil, err
	}
	return p.spend(ctx, s, old, scopes, nil)
}

// spend is renew for a person, with further parameters.
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

// Refresh implements provider.Identity: it asks Auth0 whether the sign-in still stands,
// which replaces a refresh token that rotates.
func (p *auth0Provider) Refresh(ctx context.Context, credential provider.Credential) (provider.Credential, error) {
	if err := p.configured(); err != nil {
		return credential, err
	}
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
// token that came of it. Access tokens live on until they expire.
func (p *auth0Provider) Revoke(ctx context.Context, credential provider.Credential) error {
	if err := p.configured(); err != nil {
		return err
	}
	s, err := p.decode(credential)
	if err != nil {
		return err
	}
	if s.Machine {
		return errMachine
	}
	return p.people.Revoke(ctx, provider.NewSecret(s.Refresh))
}

// errMachine: the secret is the tenant's to take back.
var errMachine = &provider.Error{
	Kind:    errors.ErrUnsupported,
	Message: "auth0: the secret of an application is not revoked by a sign-out: rotate it in the Auth0 dashboard",
}

// Assertion implements provider.AssertionSource: the ID token, which is for the
// application; or, where that is what is asked for, the access token, which is for the
// API. A machine can state itself for every API that it is authorized for.
func (p *auth0Provider) Assertion(ctx context.Context, req provider.AssertionRequest) (provider.Assertion, *provider.Credential, error) {
	if err := p.configured(); err != nil {
		return provider.Assertion{}, nil, err
	}
	s, err := p.decode(req.Credential)
	if err != nil {
		return provider.Assertion{}, nil, err
	}
	if len(req.Kinds) > 0 && !slices.Contains(req.Kinds, provider.AssertionJWT) {
		return provider.Assertion{}, nil, &provider.Error{Kind: provider.ErrPermission, Message: "auth0: it can state who a person is only in a JWT"}
	}
	if s.Machine {
		audience := req.Audience
		if audience == "" {
			audience = p.settings.audience
		}
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
	id, err := p.people.VerifyID(ctx, p.identity.ExceptSignature().JustIssued(), tokens) // Auth0 gave it just now, and whoever takes it verifies it
	return provider.Assertion{Kind: provider.AssertionJWT, Value: tokens.ID, Expires: id.Expires}, renewed, err
}

// EndSessionURL implements provider.BrowserSession: the tenant's own session in the
// browser lives on beside the sign-in of a terminal. The page asks no question.
func (p *auth0Provider) EndSessionURL(_ context.Context, credential provider.Credential) (string, error) {
	if err := p.configured(); err != nil {
		return "", err
	}
	s, err := p.decode(credential)
	if err != nil {
		return "", err
	}
	if s.Machine {
		return "", fmt.Errorf("auth0: a machine has no browser: %w", errors.ErrUnsupported)
	}
	return p.people.EndSessionURL(), nil
}
