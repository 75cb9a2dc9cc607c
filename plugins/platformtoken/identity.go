package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

const methodAPIToken = "api-token"

// Login implements provider.Identity. It checks that the API token works and, if a
// database is named, that a token for it can be minted.
func (p *platform) Login(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	switch req.Method {
	case "", methodAPIToken:
	case methodBrowser:
		return p.loginBrowser(ctx, req, host)
	default:
		return &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("platformtoken: no method %.40q", req.Method),
			Hint: "the methods are " + methodAPIToken + " and " + methodBrowser,
		}
	}
	s := stored{Source: sourceEnvironment, Organization: req.Organization}
	if p.apiToken.IsZero() {
		typed, err := askAPIToken(ctx, host)
		if err != nil {
			return err
		}
		s.Source, s.APIToken = sourceTyped, typed
	}
	data, err := s.secret()
	if err != nil {
		return err
	}
	credential := provider.Credential{Data: data, Issued: time.Now()}
	a, err := p.account(&credential)
	if err != nil {
		return err
	}
	if err := host.Progress(ctx, "asking Turso whose API token it is"); err != nil {
		return err
	}
	claims, err := p.verify(ctx, a)
	if err != nil {
		return err
	}
	if err := p.tellWide(ctx, a, host); err != nil {
		return err
	}
	credential.Subject, credential.Expires = claims.Subject, claims.Expires
	result := provider.SignIn{Credential: credential, Claims: claims}
	if req.Target.URL != "" {
		token, _, err := p.mint(ctx, a, provider.TokenRequest{Target: req.Target, Access: req.Access, Permissions: req.Permissions})
		if err != nil {
			return err
		}
		result.Token = &token
	}
	return host.Store(ctx, result)
}

// tellWide warns that an API token has more rights than needed.
func (p *platform) tellWide(ctx context.Context, a account, host provider.Host) error {
	c, err := p.client(a.apiToken)
	if err != nil || !wide(ctx, c) {
		return err
	}
	return host.Progress(ctx, wideText+": zen login --provider platformtoken --method "+methodBrowser+" has such a one made")
}

func askAPIToken(ctx context.Context, host provider.Host) (string, error) {
	answer, err := host.AskSecret(ctx, "Turso API token (turso auth api-tokens mint zen)")
	if errors.Is(err, provider.ErrNoCredential) {
		return "", &provider.Error{
			Kind: provider.ErrNoCredential, Message: "platformtoken: no Turso API token, and no one to ask for one",
			Hint: "set " + ownTokenVariable + " or " + tursoTokenVariable,
		}
	}
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(answer.Reveal())
	if token == "" {
		return "", &provider.Error{Kind: provider.ErrNoCredential, Message: "platformtoken: no API token was given", Hint: loginHint}
	}
	return token, checkAPIToken(provider.NewSecret(token), "what was typed")
}

// Refresh implements provider.Identity. API tokens are not renewed: it asks Turso
// whether this one is still good, and until when.
func (p *platform) Refresh(ctx context.Context, credential provider.Credential) (provider.Credential, error) {
	a, err := p.account(&credential)
	if err != nil {
		return provider.Credential{}, err
	}
	claims, err := p.verify(ctx, a)
	if err != nil {
		return provider.Credential{}, err
	}
	credential.Subject, credential.Expires = claims.Subject, claims.Expires
	return credential, nil
}

// Verify implements provider.Identity for an API token, by asking Turso.
func (p *platform) Verify(ctx context.Context, token provider.Secret) (provider.Claims, error) {
	if err := checkAPIToken(token, "the token"); err != nil {
		return provider.Claims{}, &provider.Error{Kind: provider.ErrTokenInvalid, Message: err.Error(), Hint: provider.Hint(err)}
	}
	return p.verify(ctx, account{apiToken: token, organization: p.organization, source: sourceTyped})
}

func (p *platform) verify(ctx context.Context, a account) (provider.Claims, error) {
	c, err := p.client(a.apiToken)
	if err != nil {
		return provider.Claims{}, err
	}
	expires, err := c.Validate(ctx)
	if err != nil {
		return provider.Claims{}, a.failed(err)
	}
	claims := provider.Claims{Issuer: p.apiURL, Subject: "an API token", Expires: expires}
	user, err := c.CurrentUser(ctx)
	switch err = a.failed(err); {
	case err == nil:
		claims.Subject = user.Username
	case !errors.Is(err, provider.ErrPermission) && !errors.Is(err, provider.ErrConfig):
		return provider.Claims{}, err
	}
	// An API token that is limited to a group may not be allowed to read its user, but
	// can still mint.
	return claims, nil
}
