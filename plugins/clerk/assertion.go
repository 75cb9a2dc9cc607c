package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
)

// Assertion implements provider.AssertionSource: a new token of the session, by the
// template for it, or the session token itself.
func (p *clerkProvider) Assertion(ctx context.Context, req provider.AssertionRequest) (provider.Assertion, *provider.Credential, error) {
	var none provider.Assertion
	if err := p.configured(); err != nil {
		return none, nil, err
	}
	if err := checkKinds(req.Kinds); err != nil {
		return none, nil, err
	}
	held, err := p.decodeCredential(req.Credential)
	if err != nil {
		return none, nil, err
	}
	if held.grant != nil {
		if err := p.checkAudience(methodOAuth, req.Audience); err != nil {
			return none, nil, err
		}
		id, claims, renewed, err := p.renew(ctx, held.grant, req.Credential)
		return provider.Assertion{Kind: provider.AssertionJWT, Value: id, Expires: claims.Expires}, renewed, err
	}
	if held.session == nil {
		return none, nil, redirectStatesNothing()
	}
	if err := p.checkAudience(methodBridge, req.Audience); err != nil {
		return none, nil, err
	}
	before := held.session.Client
	value, err := p.frontend.Mint(ctx, held.session, p.settings.assertTemplate)
	var renewed *provider.Credential
	if !held.session.Client.Equal(before) {
		c := p.sessionCredential(held, req.Credential.Subject, req.Credential.Issued)
		renewed = &c
	}
	if err != nil {
		return none, renewed, err
	}
	claims, err := jwks.DecodeUnverified(value) // the recipient verifies it
	if err == nil && req.Audience != "" && !slices.Contains(claims.Audience, req.Audience) {
		err = &provider.Error{
			Kind: provider.ErrPermission, Message: fmt.Sprintf("clerk: tokens of the JWT template %q are not for %.100q", p.settings.assertTemplate, req.Audience),
			Hint: fmt.Sprintf("set its claim aud to %q", req.Audience),
		}
	}
	if err != nil {
		return none, renewed, err
	}
	return provider.Assertion{Kind: provider.AssertionJWT, Value: value, Expires: claims.Expires}, renewed, nil
}

func checkKinds(kinds []provider.AssertionKind) error {
	if len(kinds) == 0 || slices.Contains(kinds, provider.AssertionJWT) {
		return nil
	}
	return &provider.Error{Kind: provider.ErrPermission, Message: "clerk: a session can state who a person is only in a JWT"}
}

func redirectStatesNothing() error {
	return &provider.Error{
		Kind: provider.ErrPermission, Message: "clerk: a sign-in by redirect has one token, for a database, which is shown to nothing else",
		Hint: "use the method bridge",
	}
}

// checkAudience checks whether a method can yield an assertion for an audience.
func (p *clerkProvider) checkAudience(method, audience string) error {
	oauth := method == methodOAuth || method == methodDevice
	switch {
	case audience == "", oauth && audience == p.settings.oauthClientID, !oauth && p.settings.assertTemplate != "":
		return nil
	case oauth:
		return &provider.Error{
			Kind: provider.ErrPermission, Message: fmt.Sprintf("clerk: an ID token is for the OAuth application %.60q, and one for %.100q is asked for", p.settings.oauthClientID, audience),
			Hint: "have the application's client id accepted there as an audience, or use the method bridge or email with " + keyAssertionTemplate,
		}
	}
	return &provider.Error{
		Kind: provider.ErrPermission, Message: fmt.Sprintf("clerk: a session token is for no audience, and one for %.100q is asked for", audience),
		Hint: fmt.Sprintf("make a JWT template with the claim aud of %q and name it in %s", audience, keyAssertionTemplate),
	}
}
