package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// Login implements provider.Identity.
func (p *auth0Provider) Login(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	if err := p.configured(); err != nil {
		return err
	}
	req.Organization = cmp.Or(req.Organization, p.settings.organization)
	if !isID(req.Organization) && req.Organization != "" {
		return bad(keyOrganization, "", "%.40q is not the id or name of an organization", req.Organization)
	}
	if req.Method != methodMachine && p.settings.clientID == "" {
		return noApplication(keyClientID)
	}
	switch req.Method {
	case "", methodBrowser:
		return p.loginBrowser(ctx, req, host)
	case methodDevice:
		return p.loginDevice(ctx, req, host)
	case methodMachine:
		return p.loginMachine(ctx, req, host)
	}
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("auth0: method %.40q is not %s, %s or %s", req.Method, methodBrowser, methodDevice, methodMachine),
	}
}

func noApplication(key string) error {
	return bad(key, "zen provider setup auth0 says how to make the application", "it is not set")
}

func wantsToken(req provider.LoginRequest) bool { return req.Target != (provider.Target{}) }

func (p *auth0Provider) loginBrowser(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	if !req.Interactive {
		return nobody()
	}
	params := url.Values{"audience": {p.settings.audience}}
	if req.Organization != "" {
		params.Set("organization", req.Organization)
	}
	// Never prompt=none: Auth0 asks the person to confirm a callback on loopback.
	return p.people.Browser(ctx, host, oauth.BrowserOptions{
		Scopes: p.scopes(), Params: params, Ports: p.settings.ports, Otherwise: "--method device",
		Mismatch: "Callback URL mismatch",
		Where:    "Allowed Callback URLs of its settings in the Auth0 dashboard",
	}, func(ctx context.Context, tokens oauth.Tokens) (string, error) {
		return p.signIn(ctx, tokens, req, host)
	})
}

func (p *auth0Provider) loginDevice(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	if !req.Interactive {
		return nobody()
	}
	if req.Organization != "" {
		return &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("auth0: the device flow knows no organizations, and %.60q is asked for", req.Organization),
			Hint: "use --method browser: it shows its address, which any browser can open, and takes the one where that ends",
		}
	}
	tokens, err := p.people.Device(ctx, host, oauth.DeviceOptions{
		Scopes: p.scopes(), Params: url.Values{"audience": {p.settings.audience}}, OpenPage: req.Interactive,
	})
	if oauth.Code(err) == oauth.CodeUnauthorizedClient {
		return &provider.Error{
			Kind: provider.ErrConfig, Message: err.Error(), Err: err,
			Hint: "allow the grant Device Code in the advanced settings of the application; one that has organizations can't have it",
		}
	}
	if err != nil {
		return err
	}
	_, err = p.signIn(ctx, tokens, req, host)
	return err
}

// scopes are requested at the sign-in. They have to include all that later tokens may
// need.
func (p *auth0Provider) scopes() []string {
	scopes := []string{"openid", "profile", "email", "offline_access"}
	if p.settings.writeScope != "" {
		scopes = append(scopes, p.settings.writeScope)
	}
	return scopes
}

// signIn checks what a person's sign-in yielded, and has it stored.
func (p *auth0Provider) signIn(ctx context.Context, tokens oauth.Tokens, req provider.LoginRequest, host provider.Host) (string, error) {
	result, err := p.prove(ctx, &tokens, req)
	if err == nil {
		err = host.Store(ctx, result)
	}
	if err != nil {
		p.people.Abandon(ctx, tokens.Refresh)
		return "", err
	}
	return result.Credential.Subject, nil
}

// prove verifies who signed in, and that a token for the database can be issued, if one
// was requested. Afterwards tokens has the current refresh token.
func (p *auth0Provider) prove(ctx context.Context, tokens *oauth.Tokens, req provider.LoginRequest) (provider.SignIn, error) {
	var result provider.SignIn
	id, err := p.people.VerifyID(ctx, p.identity.JustIssued(), *tokens)
	if err != nil {
		return result, err
	}
	if err := p.checkOrganization(id.Claims, req.Organization); err != nil {
		return result, err
	}
	if tokens.Refresh.IsZero() {
		return result, setup("the sign-in yielded no refresh token, so that it could not be renewed",
			fmt.Sprintf("switch on Allow Offline Access of the API %.100q, and the grant Refresh Token of the application", p.settings.audience))
	}
	s := stored{}
	if req.Organization != "" {
		s.Organization = id.Organization.ID
	}
	if wantsToken(req) {
		if req.Access == provider.AccessReadOnly && p.settings.writeScope != "" {
			// The first token came with all requested scopes.
			fewer, err := p.people.Refresh(ctx, tokens.Refresh, p.scopesFor(req.Access)...)
			if err != nil {
				return result, err
			}
			tokens.Refresh, tokens.Access = fewer.Refresh, fewer.Access
		}
		token, err := p.vouch(ctx, tokens.Access, s, want{req.Target, req.Access, req.Permissions})
		if err != nil {
			return result, err
		}
		result.Token = &token
	}
	s.Refresh = tokens.Refresh.Reveal()
	result.Claims = id.Claims
	result.Credential = p.encode(s, id.Person(), detail(id.Claims.Organization), p.now().UTC())
	return result, nil
}

// detail tells zen status how tokens are obtained.
func detail(o *provider.Organization) string {
	if o == nil {
		return ""
	}
	if o.Slug != "" {
		return "organization " + o.Slug
	}
	return "organization " + o.ID
}

// loginMachine signs an application in with the configured secret or key or, at a
// terminal, a typed one.
func (p *auth0Provider) loginMachine(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	if p.machines.ID == "" {
		return noApplication(keyMachineClientID)
	}
	s := stored{Machine: true, Organization: req.Organization}
	if !canProve(p.machines) {
		secret, err := host.AskSecret(ctx, "Client secret of the application "+p.machines.ID)
		if errors.Is(err, provider.ErrNoCredential) || err == nil && secret.IsZero() {
			return noSecret()
		}
		if err != nil {
			return err
		}
		s.Secret = secret.Reveal()
	}
	tokens, err := p.machineTokens(ctx, s, p.settings.audience, p.scopesFor(req.Access))
	if err != nil {
		return err
	}
	claims, err := p.verifyAccess(ctx, p.access.JustIssued(), tokens.Access)
	if err != nil {
		return err
	}
	if err := p.checkOrganization(claims, req.Organization); err != nil {
		return err
	}
	if claims.Organization != nil {
		s.Organization = claims.Organization.ID
	}
	result := provider.SignIn{Claims: claims, Credential: p.encode(s, "application "+p.machines.ID, detail(claims.Organization), p.now().UTC())}
	if wantsToken(req) {
		token, err := p.vouch(ctx, tokens.Access, s, want{req.Target, req.Access, req.Permissions})
		if err != nil {
			return err
		}
		result.Token = &token
	}
	return host.Store(ctx, result)
}

// machineTokens requests an access token of the application for machines.
func (p *auth0Provider) machineTokens(ctx context.Context, s stored, audience string, scopes []string) (oauth.Tokens, error) {
	params := url.Values{"audience": {audience}}
	if s.Organization != "" {
		params.Set("organization", s.Organization)
	}
	client := p.application(s)
	tokens, err := client.ClientCredentials(ctx, scopes, params)
	var refused *oauth.Error
	if !errors.As(err, &refused) || refused.Code != oauth.CodeAccessDenied {
		return tokens, err
	}
	// Auth0 has one code for a wrong secret and for an API that isn't granted; the status
	// is documented for both.
	hint := fmt.Sprintf("authorize the application %s for the API %.100q, in the API's settings (a client grant)", client.ID, audience)
	if refused.Status == 401 {
		hint = "is the secret the one of the application " + client.ID + "? It may have been rotated"
	}
	return tokens, &provider.Error{Kind: provider.ErrRejected, Message: err.Error(), Hint: hint, Err: err}
}

func nobody() error {
	return &provider.Error{
		Kind: provider.ErrNoCredential, Message: "auth0: signing in needs a browser and a person at it, here or on another device",
		Hint: "run zen login in a terminal; machines sign in with --method client-credentials",
	}
}
