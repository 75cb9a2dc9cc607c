package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
)

const (
	// ticketLifetime is the life of a sign-in token, which is used at once.
	ticketLifetime = 30 * time.Second
	// cleanupTimeout is the timeout for ending a session that is no longer needed.
	cleanupTimeout = 5 * time.Second
)

// Token implements provider.TokenSource, for the key of a user: from a session of that
// user, which a sign-in token begins. The key is verified again each time; when Clerk
// doesn't take it any more, the session is ended.
func (p *apiKey) Token(ctx context.Context, req provider.TokenRequest) (provider.TokenResponse, error) {
	var response provider.TokenResponse
	h, err := p.hold(req.Credential)
	if err != nil {
		return response, err
	}
	k, err := p.verify(ctx, h)
	if err != nil {
		if req.Credential != nil {
			if without := p.ended(ctx, h, *req.Credential, err); !without.Data.IsZero() {
				response.Credential = &without
			}
		}
		return response, err
	}
	token, s, err := p.mint(ctx, h, k, req)
	switch {
	case s == nil:
	case !h.kept: // nothing is stored, so it could not be ended later
		p.endSession(ctx, s)
	default:
		next := h.with(*p.settings.instance, s)
		if next != h.stored {
			renewed := *req.Credential
			renewed.Data, renewed.Expires = next.encode(), k.Expires
			response.Credential = &renewed
		}
	}
	response.Token = token
	return response, err
}

// mint makes a token in the session of the credential, or in a new one. The session is
// the one to store, beside an error too; it is nil if there is none.
func (p *apiKey) mint(ctx context.Context, h held, k clerk.APIKey, req provider.TokenRequest) (provider.Token, *clerk.Session, error) {
	if isOrganization(k.Subject) {
		return provider.Token{}, nil, configError("name a provider that makes tokens: token_provider in the profile, or ZEN_TOKEN_PROVIDER=platformtoken",
			"the API key is of the organization %s, and only people have sessions", k.Subject)
	}
	rights, err := p.settings.rightsOf(k)
	if err != nil {
		return provider.Token{}, nil, err
	}
	if req, err = narrow(rights, req); err != nil {
		return provider.Token{}, nil, err
	}
	template := p.settings.template
	if req.Access == provider.AccessReadOnly {
		if template = p.settings.readOnlyTemplate; template == "" {
			return provider.Token{}, nil, configError(`make one from "turso org jwks template --scope read-only" and name it in `+keyReadOnlyTemplate,
				"there is no template for read-only access")
		}
	}
	s := h.session(*p.settings.instance)
	if s != nil {
		token, err := p.mintIn(ctx, s, k, template, req)
		if !errors.Is(err, provider.ErrRejected) {
			return token, s, err
		}
	}
	if s, err = p.begin(ctx, k); err != nil {
		return provider.Token{}, nil, err
	}
	token, err := p.mintIn(ctx, s, k, template, req)
	if err != nil {
		p.endSession(ctx, s)
		return provider.Token{}, nil, err
	}
	return token, s, nil
}

// begin starts a session of the key's user.
func (p *apiKey) begin(ctx context.Context, k clerk.APIKey) (*clerk.Session, error) {
	ticket, err := p.backend.SignInToken(ctx, k.Subject, ticketLifetime)
	if err != nil {
		return nil, err
	}
	return p.frontend.SignIn(ctx, ticket)
}

// mintIn makes a token in a session, and checks that it is this user's, for this database,
// and for no more than the request.
func (p *apiKey) mintIn(ctx context.Context, s *clerk.Session, k clerk.APIKey, template string, req provider.TokenRequest) (provider.Token, error) {
	value, err := p.frontend.Mint(ctx, s, template)
	if err != nil {
		return provider.Token{}, err
	}
	// The host has the key set on disk, and verifies the signature.
	claims, err := p.settings.instance.Verify(ctx, p.verifier.ExceptSignature().JustIssued(), value)
	if err != nil {
		return provider.Token{}, fmt.Errorf("%w (from the template %q)", err, template)
	}
	if claims.Subject != k.Subject {
		return provider.Token{}, permissionError("report this, with the output of zen version", "the token is of %s, and the API key of %s", claims.Subject, k.Subject)
	}
	if err := claims.Authorizes(req.Target, req.Access, req.Permissions); err != nil {
		return provider.Token{}, fmt.Errorf("apikey: %w (from the template %q)", err, template)
	}
	return provider.Token{
		Value: value, Issued: claims.Issued, Expires: claims.Expires, Verification: p.settings.instance.Verification(),
	}, nil
}

// endSession reports whether the session has ended, also when ctx is over.
func (p *apiKey) endSession(ctx context.Context, s *clerk.Session) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	return p.frontend.End(ctx, s) == nil
}
