package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// Login implements provider.Identity.
func (p *oidcProvider) Login(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	if err := p.configured(); err != nil {
		return err
	}
	if req.Organization != "" {
		return &provider.Error{Kind: provider.ErrConfig, Message: "oidc: OpenID Connect knows no organizations", Hint: "run zen login without --org"}
	}
	if len(req.AssertionKinds) > 0 && !slices.Contains(req.AssertionKinds, provider.AssertionJWT) {
		return wrongKind()
	}
	switch req.Method {
	case "", methodBrowser:
		return p.loginBrowser(ctx, req, host)
	case methodDevice:
		return p.loginDevice(ctx, req, host)
	case methodWorkload:
		return p.loginWorkload(ctx, req, host)
	}
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("oidc: method %.40q is not %s, %s or %s", req.Method, methodBrowser, methodDevice, methodWorkload),
	}
}

func (p *oidcProvider) loginBrowser(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	if !req.Interactive {
		return nobody()
	}
	i, err := p.people(ctx)
	if err != nil {
		return err
	}
	if err := p.checkAudience(req.Audience); err != nil {
		return err
	}
	otherwise := ""
	if i.client.Metadata.DeviceEndpoint != "" {
		otherwise = "--method device"
	}
	return i.client.Browser(ctx, host, oauth.BrowserOptions{
		Scopes: p.scopes(i.client.Metadata), Params: peculiar(p.settings.issuer), Ports: p.settings.ports, Otherwise: otherwise,
	}, func(ctx context.Context, tokens oauth.Tokens) (string, error) {
		return p.signIn(ctx, i, tokens, false, host)
	})
}

// peculiar returns the parameters without which an issuer gives no refresh token.
func peculiar(issuer string) url.Values {
	if issuer == "https://accounts.google.com" {
		return url.Values{"access_type": {"offline"}, "prompt": {"consent"}}
	}
	return nil
}

func (p *oidcProvider) loginDevice(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	if !req.Interactive {
		return nobody()
	}
	i, err := p.people(ctx)
	if err != nil {
		return err
	}
	if err := p.checkAudience(req.Audience); err != nil {
		return err
	}
	tokens, err := i.client.Device(ctx, host, oauth.DeviceOptions{Scopes: p.scopes(i.client.Metadata), OpenPage: req.Interactive})
	if err != nil {
		return err
	}
	_, err = p.signIn(ctx, i, tokens, true, host)
	return err
}

// signIn verifies who signed in, and has it stored. device is true if a code was typed
// in elsewhere.
func (p *oidcProvider) signIn(ctx context.Context, i *issuer, tokens oauth.Tokens, device bool, host provider.Host) (string, error) {
	id, err := i.client.VerifyID(ctx, i.verifier.JustIssued(), tokens)
	var credential provider.Credential
	if err == nil {
		credential = p.personal(tokens, id, device, p.now().UTC())
		err = host.Store(ctx, provider.SignIn{Credential: credential, Claims: id.Claims})
	}
	if err != nil {
		i.client.Abandon(ctx, tokens.Refresh)
		return "", err
	}
	return credential.Subject, nil
}

// loginWorkload signs a job or workload in, with the statement of its environment.
func (p *oidcProvider) loginWorkload(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	if p.settings.workload == nil {
		return noPlace()
	}
	_, claims, err := p.state(ctx, req.Audience)
	if err != nil {
		return err
	}
	return host.Store(ctx, provider.SignIn{
		Claims: claims,
		Credential: provider.Credential{
			Data: p.encode(stored{Workload: p.settings.workloadName}), Subject: oneLine(claims.Subject),
			Detail: "asked of " + p.settings.workloadName + " each time; nothing secret is stored", Issued: p.now().UTC(),
		},
	})
}

// oneLine returns a subject for display. Workloads' subjects are long words, but not
// secrets.
func oneLine(subject string) string {
	subject = strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return -1
	}, subject)
	return strings.ToValidUTF8(subject[:min(len(subject), 255)], "")
}

func nobody() error {
	return &provider.Error{
		Kind: provider.ErrNoCredential, Message: "oidc: signing in needs a browser and a person at it, here or on another device",
		Hint: "run zen login in a terminal; a CI job or workload signs in with --method workload",
	}
}
