package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// Login implements provider.Identity. It checks that the sign-in works and, if a database
// is named, that a token for it can be issued.
func (p *openbao) Login(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	switch req.Method {
	case "", methodOIDC:
		if !req.Interactive {
			return &provider.Error{Kind: provider.ErrNoCredential, Message: "openbao: the method oidc needs a browser, and there is no one at it", Hint: "--method token, approle or kubernetes need none"}
		}
		return p.loginOIDC(ctx, req, host)
	case methodToken:
		return p.loginToken(ctx, req, host)
	case methodAppRole:
		s, a, err := p.loginAppRole(ctx)
		return p.finish(ctx, req, host, s, a, err)
	case methodKubernetes:
		s, a, err := p.loginKubernetes(ctx)
		return p.finish(ctx, req, host, s, a, err)
	}
	return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("openbao: no method %.40q", req.Method), Hint: "the methods are oidc, token, approle and kubernetes"}
}

func (p *openbao) finish(ctx context.Context, req provider.LoginRequest, host provider.Host, s stored, a authAnswer, err error) error {
	if err != nil {
		return err
	}
	return p.store(ctx, req, host, s, p.claims(a.EntityID, s))
}

// claims returns what is known of an OpenBao identity: its entity, which is the same for
// all auth methods.
func (p *openbao) claims(entity string, s stored) provider.Claims {
	subject := cmp.Or(entity, s.Method+" without an entity")
	return provider.Claims{Issuer: p.place("").Address, Subject: subject, Issued: p.now(), Expires: s.Expires}
}

// store hands over the result with the first token, which has to be available.
func (p *openbao) store(ctx context.Context, req provider.LoginRequest, host provider.Host, s stored, claims provider.Claims) error {
	credential, err := s.credential(claims.Subject, p.now())
	if err != nil {
		return err
	}
	result := provider.SignIn{Credential: credential, Claims: claims}
	if req.Target.URL != "" {
		resp, err := p.Token(ctx, provider.TokenRequest{Credential: &credential, Target: req.Target, Access: req.Access, Permissions: req.Permissions})
		if err != nil {
			return err
		}
		if resp.Credential != nil {
			result.Credential = *resp.Credential
		}
		result.Token = &resp.Token
	}
	return host.Store(ctx, result)
}

// loginToken uses the token of the environment or of ~/.vault-token, which is not copied,
// or asks for one, which is stored.
func (p *openbao) loginToken(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	s := stored{Method: methodToken, Place: p.place("")}
	token := p.outsideToken()
	if token.IsZero() {
		nobody := &provider.Error{Kind: provider.ErrNoCredential, Message: "openbao: no token of OpenBao's, and no one to ask for one", Hint: "set BAO_TOKEN, or bao login"}
		if !req.Interactive {
			return nobody
		}
		typed, err := host.AskSecret(ctx, "Token of OpenBao's (bao token create)")
		if errors.Is(err, provider.ErrNoCredential) {
			return nobody
		}
		if err != nil {
			return err
		}
		if token, err = p.unwrapped(ctx, provider.NewSecret(strings.TrimSpace(typed.Reveal()))); err != nil {
			return err
		}
		s.Token = token.Reveal()
	}
	if err := host.Progress(ctx, "asking OpenBao whose token it is"); err != nil {
		return err
	}
	about, err := p.lookup(ctx, token)
	if err != nil {
		return err
	}
	s.Renewable = about.Renewable && s.Token != ""
	s.lasts(about.TTL, p.now())
	claims := p.claims(about.EntityID, s)
	if about.EntityID == "" {
		claims.Subject = about.DisplayName
	}
	return p.store(ctx, req, host, s, claims)
}

// unwrapped returns the token inside a wrapping token, or the token itself.
func (p *openbao) unwrapped(ctx context.Context, token provider.Secret) (provider.Secret, error) {
	if token.IsZero() {
		return token, &provider.Error{Kind: provider.ErrNoCredential, Message: "openbao: no token was given", Hint: loginHint}
	}
	if _, err := p.lookup(ctx, token); !errors.Is(err, provider.ErrRejected) {
		return token, err
	}
	a, err := p.do(ctx, call{what: "unwrap the token", method: http.MethodPost, path: "sys/wrapping/unwrap", token: token})
	if err != nil || a.Auth == nil || a.Auth.ClientToken == "" {
		return token, nil // it isn't a wrapping token: the lookup says what it is
	}
	return provider.NewSecret(a.Auth.ClientToken), nil
}

// Refresh implements provider.Identity: it renews the token, or checks that it is still
// valid.
func (p *openbao) Refresh(ctx context.Context, credential provider.Credential) (provider.Credential, error) {
	s, err := p.open(ctx, &credential, nil, nil, false)
	if err != nil {
		return provider.Credential{}, err
	}
	if s.changed != nil {
		return *s.changed, nil
	}
	about, err := p.lookup(ctx, s.token)
	if err != nil {
		return provider.Credential{}, err
	}
	credential.Expires = time.Time{}
	if about.TTL > 0 {
		credential.Expires = p.now().Add(time.Duration(about.TTL) * time.Second).Round(0)
	}
	return credential, nil
}

// Verify implements provider.Identity for a token of OpenBao's, by asking it.
func (p *openbao) Verify(ctx context.Context, token provider.Secret) (provider.Claims, error) {
	about, err := p.lookup(ctx, token)
	if errors.Is(err, provider.ErrRejected) {
		return provider.Claims{}, &provider.Error{Kind: provider.ErrTokenInvalid, Message: err.Error(), Err: err}
	}
	if err != nil {
		return provider.Claims{}, err
	}
	claims := provider.Claims{Issuer: p.place("").Address, Subject: cmp.Or(about.EntityID, about.DisplayName), Issued: about.IssueTime, Expires: about.ExpireTime}
	return claims, nil
}

// Revoke implements provider.Identity. The leases of the token end with it; database
// tokens stay valid until they expire, as Turso can't revoke a single one. A token that
// zen didn't issue is not revoked.
func (p *openbao) Revoke(ctx context.Context, credential provider.Credential) error {
	s, err := readCredential(credential)
	switch {
	case err != nil:
		return err
	case s.Token == "":
		return fmt.Errorf("openbao: the token stays where it is, bao token revoke -self ends it: %w", errors.ErrUnsupported)
	case s.Place != p.place(s.Place.Mount):
		return &provider.Error{Kind: provider.ErrConfig, Message: "openbao: the sign-in was at " + s.Place.Address + ", and the settings name another server, namespace or role", Hint: "it ends there by itself"}
	}
	_, err = p.do(ctx, call{what: "revoke the token", method: http.MethodPost, path: "auth/token/revoke-self", token: provider.NewSecret(s.Token), body: map[string]string{}})
	if errors.Is(err, provider.ErrPermission) {
		return nil // it is no longer valid
	}
	return err
}
