package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// stored is the content of a credential. A token from the environment is not copied into
// it: the user decides where to keep a secret.
type stored struct {
	Source source `json:"source"`
	// Token is the token that was typed in.
	Token string `json:"token,omitempty"`
}

type source string

const (
	sourceEnvironment source = "env"
	sourceTyped       source = "typed"
)

func readCredential(c provider.Credential) (s stored, err error) {
	err = json.Unmarshal([]byte(c.Data.Reveal()), &s)
	if err != nil || s.Source != sourceEnvironment && s.Source != sourceTyped || (s.Source == sourceTyped) != (s.Token != "") {
		return stored{}, noCredential("the stored credential is not one of this provider")
	}
	return s, nil
}

// hold returns the token to use: the environment's takes precedence over the stored one.
// kept is what is stored of it.
func (p *provide) hold(c *provider.Credential) (t static, kept stored, err error) {
	if c != nil {
		if kept, err = readCredential(*c); err != nil {
			return static{}, stored{}, err
		}
	}
	switch {
	case p.given != nil:
		return *p.given, kept, nil
	case kept.Token != "":
		t, err = read(kept.Token, "the stored token", p.now())
		return t, kept, err
	case c != nil:
		return static{}, kept, noCredential("the sign-in used the token in " + tokenVariable + ", which is not set now")
	}
	return static{}, kept, noCredential("no database token")
}

func (p *provide) credential(t static, kept stored) provider.Credential {
	data, err := json.Marshal(kept)
	if err != nil {
		panic(err) // two strings
	}
	return provider.Credential{
		Data: provider.NewSecret(string(data)), Subject: t.subject(), Issued: p.now().UTC(), Expires: t.claims.Expires,
		Detail: "a token that was given: it can't be renewed, and is the same for each use",
	}
}

// Login implements provider.Identity.
func (p *provide) Login(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	if req.Method != "" && req.Method != methodToken {
		return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("statictoken: no method %.40q", req.Method), Hint: "the method is " + methodToken}
	}
	t, kept := static{}, stored{Source: sourceEnvironment}
	if p.given != nil {
		t = *p.given
	} else {
		answer, err := ask(ctx, host)
		if err != nil {
			return err
		}
		if t, err = read(answer, "what was typed", p.now()); err != nil {
			return err
		}
		kept = stored{Source: sourceTyped, Token: t.value.Reveal()}
	}
	if err := t.checkEnd("the token", p.now()); err != nil {
		return err
	}
	result := provider.SignIn{Credential: p.credential(t, kept), Claims: t.claims}
	if req.Target.URL != "" {
		token, err := t.issue(provider.TokenRequest{Target: req.Target, Access: req.Access, Permissions: req.Permissions})
		if err != nil {
			return err
		}
		result.Token = &token
	}
	return host.Store(ctx, result)
}

func ask(ctx context.Context, host provider.Host) (string, error) {
	answer, err := host.AskSecret(ctx, "database token (eyJ...)")
	if errors.Is(err, provider.ErrNoCredential) {
		return "", &provider.Error{
			Kind: provider.ErrNoCredential, Message: "statictoken: no database token, and no one to ask for one", Hint: "set " + tokenVariable,
		}
	}
	if err == nil && strings.TrimSpace(answer.Reveal()) == "" {
		err = noCredential("no database token was given")
	}
	return answer.Reveal(), err
}

// Refresh implements provider.Identity. There is nothing to renew: a valid token is kept
// unchanged.
func (p *provide) Refresh(_ context.Context, credential provider.Credential) (provider.Credential, error) {
	t, _, err := p.hold(&credential)
	if err == nil {
		err = t.checkEnd("the token", p.now())
	}
	if err != nil {
		return provider.Credential{}, err
	}
	credential.Subject, credential.Expires = t.subject(), t.claims.Expires
	return credential, nil
}

// Verify implements provider.Identity: there are no keys to verify a signature with.
func (p *provide) Verify(context.Context, provider.Secret) (provider.Claims, error) {
	return provider.Claims{}, &provider.Error{
		Kind: provider.ErrTokenInvalid, Message: "statictoken: Turso publishes no keys to check a token with",
	}
}

// Revoke implements provider.Identity. Turso can't revoke a single token.
func (p *provide) Revoke(_ context.Context, credential provider.Credential) error {
	if _, err := readCredential(credential); err != nil {
		return err
	}
	return fmt.Errorf("statictoken: the token stays good until it ends, or the database's keys are rotated: %w", errors.ErrUnsupported)
}

// Token implements provider.TokenSource: it returns the token itself, if it matches the
// request and grants no more.
func (p *provide) Token(_ context.Context, req provider.TokenRequest) (provider.TokenResponse, error) {
	t, kept, err := p.hold(req.Credential)
	if err == nil {
		err = t.checkEnd("the token", p.now())
	}
	if err != nil {
		return provider.TokenResponse{}, err
	}
	token, err := t.issue(req)
	if err != nil {
		return provider.TokenResponse{}, err
	}
	response := provider.TokenResponse{Token: token}
	if req.Credential != nil && !req.Credential.Expires.Equal(t.claims.Expires) { // another one is in the environment now
		next := p.credential(t, kept)
		next.Issued = req.Credential.Issued
		response.Credential = &next
	}
	return response, nil
}

func noCredential(message string) error {
	return &provider.Error{Kind: provider.ErrNoCredential, Message: "statictoken: " + message, Hint: "set " + tokenVariable + ", or run zen login --provider statictoken"}
}
