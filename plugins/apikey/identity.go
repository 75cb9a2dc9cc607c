package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
)

// Login implements provider.Identity. Where the provider that issues the tokens verifies
// API keys, the key is stored as it is; else Clerk verifies it now.
func (p *apiKey) Login(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	if req.Method != "" && req.Method != methodKey {
		return configError("the method is "+methodKey, "no method %.40q", req.Method)
	}
	asserting := slices.Contains(req.AssertionKinds, provider.AssertionClerkAPIKey)
	if !asserting && p.backend == nil {
		return errNoWay
	}
	h := held{key: p.settings.key, kept: true}
	if h.key.IsZero() {
		var err error
		if h.key, err = askKey(ctx, host); err != nil {
			return err
		}
		h.Key = h.key.Reveal()
	}
	h.Hash = fingerprint(h.key.Reveal())
	if asserting {
		return host.Store(ctx, provider.SignIn{Credential: provider.Credential{
			Data: h.encode(), Subject: "an API key", Issued: p.now().UTC(),
			Detail: "the provider that issues the tokens is shown the key, and has Clerk verify it",
		}})
	}
	if err := host.Progress(ctx, "asking Clerk whose API key it is"); err != nil {
		return err
	}
	return p.loginVerified(ctx, req, h, host)
}

func (p *apiKey) loginVerified(ctx context.Context, req provider.LoginRequest, h held, host provider.Host) error {
	k, err := p.verify(ctx, h)
	if err != nil {
		return err
	}
	rights, err := p.settings.rightsOf(k)
	if err != nil {
		return err
	}
	if isOrganization(k.Subject) && rights == nil {
		return permissionError("give the key the scope "+p.settings.readScope+" or "+p.settings.writeScope+", or the claim a (ro or rw) or perm",
			"%s says nothing of what it may do at databases", k.Label())
	}
	h.ID, h.Rights = k.ID, rightsMark(k)
	result := provider.SignIn{Claims: p.claimsOf(k, rights)}
	detail := "Clerk verifies the key for each token, which another provider issues"
	var made *clerk.Session
	if req.Target.URL != "" {
		token, session, err := p.mint(ctx, h, k, provider.TokenRequest{Target: req.Target, Access: req.Access, Permissions: req.Permissions})
		if err != nil {
			return err
		}
		made, result.Token, h.stored = session, &token, h.with(*p.settings.instance, session)
		detail = "Clerk verifies the key for each token, which a session of its user makes"
	}
	result.Credential = credentialOf(k, h.stored, p.now())
	result.Credential.Detail = detail
	err = host.Store(ctx, result)
	if err != nil && made != nil {
		p.endSession(ctx, made) // no credential refers to it
	}
	return err
}

func askKey(ctx context.Context, host provider.Host) (provider.Secret, error) {
	answer, err := host.AskSecret(ctx, "Clerk API key (ak_...)")
	if errors.Is(err, provider.ErrNoCredential) {
		return provider.Secret{}, &provider.Error{
			Kind: provider.ErrNoCredential, Message: "apikey: no API key, and no one to ask for one", Hint: "set " + keyVariable,
		}
	}
	if err != nil {
		return provider.Secret{}, err
	}
	key := provider.NewSecret(strings.TrimSpace(answer.Reveal()))
	if key.IsZero() {
		return key, noCredential("no API key was given")
	}
	return key, checkAPIKey(key, "what was typed")
}

// Refresh implements provider.Identity. API keys are not renewed: Clerk says whether this
// one is still good, and until when.
func (p *apiKey) Refresh(ctx context.Context, credential provider.Credential) (provider.Credential, error) {
	h, err := p.hold(&credential)
	if err != nil {
		return provider.Credential{}, err
	}
	if h.ID == "" && p.backend == nil {
		return provider.Credential{}, fmt.Errorf("apikey: who is shown the key verifies it: %w", errors.ErrUnsupported)
	}
	k, err := p.verify(ctx, h)
	if err != nil {
		return p.ended(ctx, h, credential, err), err
	}
	credential.Expires = k.Expires
	return credential, nil
}

// ended ends the session of a key that Clerk no longer accepts, so that the session
// doesn't outlive the key. It returns the credential without the session, or nil if
// nothing changed.
func (p *apiKey) ended(ctx context.Context, h held, credential provider.Credential, err error) provider.Credential {
	if !errors.Is(err, provider.ErrRejected) || p.settings.instance == nil {
		return provider.Credential{}
	}
	s := h.session(*p.settings.instance)
	if s == nil || !p.endSession(ctx, s) {
		return provider.Credential{}
	}
	h.Instance, h.Session, h.Client = "", "", ""
	credential.Data = h.stored.encode()
	return credential
}

// Verify implements provider.Identity, for the tokens of the key's user.
func (p *apiKey) Verify(ctx context.Context, token provider.Secret) (provider.Claims, error) {
	if p.verifier == nil {
		return provider.Claims{}, &provider.Error{
			Kind: provider.ErrTokenInvalid, Message: "apikey: without " + keyPublishableKey + " there are no keys to check a token with",
		}
	}
	return p.settings.instance.Verify(ctx, p.verifier, token)
}

// Revoke implements provider.Identity: it ends the session, if there is one. The key
// stays valid: only its owner revokes it.
func (p *apiKey) Revoke(ctx context.Context, credential provider.Credential) error {
	stored, err := readCredential(credential) // whatever is in the environment
	if err != nil {
		return err
	}
	if p.settings.instance != nil {
		if s := (held{stored: stored}).session(*p.settings.instance); s != nil {
			return p.frontend.End(ctx, s)
		}
	}
	return fmt.Errorf("apikey: the API key itself stays good; the person who made it can revoke it at Clerk: %w", errors.ErrUnsupported)
}
