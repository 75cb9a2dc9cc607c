package main

import (
	"context"
	"errors"

	"github.com/zen-auth/zen/core/provider"
)

// Refresh implements provider.Identity: it asks Clerk for the client again, which may
// replace the client JWT. The credential is returned also along with an error.
func (p *clerkProvider) Refresh(ctx context.Context, credential provider.Credential) (provider.Credential, error) {
	held, err := p.decodeCredential(credential)
	if err != nil {
		return credential, err
	}
	if held.grant != nil {
		_, _, renewed, err := p.renew(ctx, held.grant, credential)
		if renewed != nil {
			credential = *renewed
		}
		return credential, err
	}
	if held.session == nil {
		// It can't be renewed; a token that is still valid is kept.
		if _, err := p.settings.instance.Verify(ctx, p.issued, held.token); err != nil { // its signature was verified at the sign-in
			return credential, hinted(err)
		}
		return credential, nil
	}
	err = p.frontend.Reload(ctx, held.session)
	return p.sessionCredential(held, credential.Subject, credential.Issued), err
}

// hinted adds what to do about a token that can't be renewed.
func hinted(err error) error {
	if kind := provider.Kind(err); kind == provider.ErrTokenExpired && provider.Hint(err) == "" {
		return &provider.Error{
			Kind: kind, Message: err.Error(), Err: err,
			Hint: "a sign-in by redirect can't be renewed: " + loginHint + ", or use the method bridge",
		}
	}
	return err
}

// Revoke implements provider.Identity: it ends the session or grant, which stops new
// tokens; existing ones stay valid until they expire.
func (p *clerkProvider) Revoke(ctx context.Context, credential provider.Credential) error {
	held, err := p.decodeCredential(credential)
	if err != nil {
		return err
	}
	if held.grant != nil {
		return p.revokeGrant(ctx, held.grant)
	}
	if held.session == nil {
		return &provider.Error{
			Kind:    errors.ErrUnsupported,
			Message: "clerk: a token of a sign-in by redirect can't be revoked: it is good until it expires",
		}
	}
	return p.frontend.End(ctx, held.session)
}
