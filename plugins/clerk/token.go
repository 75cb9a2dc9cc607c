package main

import (
	"context"
	"fmt"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
)

// Token implements provider.TokenSource. The lifetime is the template's: a client of
// Clerk can't choose it.
func (p *clerkProvider) Token(ctx context.Context, req provider.TokenRequest) (provider.TokenResponse, error) {
	var response provider.TokenResponse
	if err := p.configured(); err != nil {
		return response, err
	}
	if req.Credential == nil {
		return response, noCredential("clerk: not signed in")
	}
	held, err := p.decodeCredential(*req.Credential)
	if err != nil {
		return response, err
	}
	if held.grant != nil {
		return response, noClaims()
	}
	if held.session == nil {
		response.Token, err = p.vouch(ctx, p.issued, held.token, req.Target, req.Access, req.Permissions)
		return response, hinted(err)
	}
	before := held.session.Client
	response.Token, err = p.mint(ctx, held.session, req.Target, req.Access, req.Permissions)
	if !held.session.Client.Equal(before) {
		renewed := p.sessionCredential(held, req.Credential.Subject, req.Credential.Issued)
		response.Credential = &renewed
	}
	return response, err
}

// mint makes a token for a database from the session and checks it. The session then has
// the current client JWT, even after an error.
func (p *clerkProvider) mint(ctx context.Context, s *clerk.Session, target provider.Target, access provider.Access, permissions []provider.Permission) (provider.Token, error) {
	template, err := p.settings.templateFor(access)
	if err != nil {
		return provider.Token{}, err
	}
	value, err := p.frontend.Mint(ctx, s, template)
	if err != nil {
		return provider.Token{}, err
	}
	token, err := p.vouch(ctx, p.issued.JustIssued(), value, target, access, permissions)
	if err != nil {
		return provider.Token{}, fmt.Errorf("%w (from the template %q)", err, template)
	}
	return token, nil
}

// vouch checks a token for a database. The host verifies its signature, since it has the
// key set on disk; this process would have to fetch it. verifier is p.issued, or
// p.verifier for a token that is also stored.
func (p *clerkProvider) vouch(ctx context.Context, verifier *jwks.Verifier, value provider.Secret, target provider.Target, access provider.Access, permissions []provider.Permission) (provider.Token, error) {
	claims, err := p.settings.instance.Verify(ctx, verifier, value)
	if err != nil {
		return provider.Token{}, err
	}
	if err := claims.Authorizes(target, access, permissions); err != nil {
		return provider.Token{}, fmt.Errorf("clerk: %w", err)
	}
	return provider.Token{
		Value: value, Issued: claims.Issued, Expires: claims.Expires, Verification: p.settings.instance.Verification(),
	}, nil
}
