package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// issuer is the instance as an OAuth issuer, with its metadata.
type issuer struct {
	client   *oauth.Client
	verifier *jwks.Verifier
}

// issuer reads the metadata once per process.
func (p *clerkProvider) issuer(ctx context.Context) (*issuer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen != nil {
		return p.seen, nil
	}
	instance := p.settings.instance
	metadata, err := oauth.Discover(ctx, instance.URL, oauth.DiscoverOptions{Name: "clerk", HTTP: p.client})
	if err != nil {
		return nil, err
	}
	verifier, err := jwks.NewVerifier(p.keys, jwks.Policy{
		Issuer: instance.URL, Algorithms: []string{"RS256"}, Types: []string{"JWT"}, AllowIDToken: true, Now: p.now,
	})
	if err != nil {
		return nil, err
	}
	p.seen = &issuer{verifier: verifier, client: &oauth.Client{
		Name: "clerk", ID: p.settings.oauthClientID, Metadata: metadata, HTTP: p.client, Now: p.now,
		Refused: clerk.Refusal, // a satellite domain answers as the Frontend API does
	}}
	return p.seen, nil
}

// scopes returns the configured scopes, and the scope for choosing an organization if one
// is requested.
func (p *clerkProvider) scopes(req provider.LoginRequest) []string {
	scopes := slices.Clone(p.settings.oauthScopes)
	if req.Organization != "" && !slices.Contains(scopes, scopeOrganization) {
		scopes = append(scopes, scopeOrganization)
	}
	return scopes
}

func (p *clerkProvider) loginOAuth(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	i, err := p.issuer(ctx)
	if err != nil {
		return err
	}
	otherwise := ""
	if i.client.Metadata.DeviceEndpoint != "" {
		otherwise = "--method device"
	}
	return i.client.Browser(ctx, host, oauth.BrowserOptions{
		Scopes: p.scopes(req), Otherwise: otherwise,
		Mismatch: "redirect_uri_mismatch", Where: "Redirect URIs of its settings in the Clerk dashboard",
	}, func(ctx context.Context, tokens oauth.Tokens) (string, error) {
		return p.storeGrant(ctx, i, tokens, req, host)
	})
}

// deviceIssuer returns the issuer if it offers the device grant.
func (p *clerkProvider) deviceIssuer(ctx context.Context) (*issuer, error) {
	i, err := p.issuer(ctx)
	if err != nil {
		return nil, err
	}
	if i.client.Metadata.DeviceEndpoint == "" {
		return nil, &provider.Error{
			Kind: provider.ErrConfig, Message: "clerk: the instance " + p.settings.instance.Host + " does not offer the device grant: its metadata have no device_authorization_endpoint",
			Hint: "Clerk's support switches it on; --method oauth takes the address at which a browser elsewhere ended, and --method email needs none",
		}
	}
	return i, nil
}

func (p *clerkProvider) loginDevice(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	i, err := p.deviceIssuer(ctx)
	if err != nil {
		return err
	}
	tokens, err := i.client.Device(ctx, host, oauth.DeviceOptions{Scopes: p.scopes(req), OpenPage: req.Interactive})
	if oauth.Code(err) == oauth.CodeUnauthorizedClient {
		return &provider.Error{
			Kind: provider.ErrConfig, Message: err.Error(), Err: err,
			Hint: "allow the device grant to the OAuth application " + p.settings.oauthClientID + " in the Clerk dashboard",
		}
	}
	if err != nil {
		return err
	}
	_, err = p.storeGrant(ctx, i, tokens, req, host)
	return err
}

// storeGrant verifies who signed in, and has it stored.
func (p *clerkProvider) storeGrant(ctx context.Context, i *issuer, tokens oauth.Tokens, req provider.LoginRequest, host provider.Host) (string, error) {
	result, err := p.proveGrant(ctx, i, tokens, req)
	if err == nil {
		err = host.Store(ctx, result)
	}
	if err != nil {
		i.client.Abandon(ctx, tokens.Refresh)
		return "", err
	}
	return result.Credential.Subject, nil
}

func (p *clerkProvider) proveGrant(ctx context.Context, i *issuer, tokens oauth.Tokens, req provider.LoginRequest) (provider.SignIn, error) {
	id, err := p.verifyID(ctx, i, i.verifier.JustIssued(), tokens)
	if err != nil {
		return provider.SignIn{}, err
	}
	g := &grant{refresh: tokens.Refresh, device: req.Method == methodDevice}
	organization := id.Organization
	switch {
	case organization != nil && (req.Organization == "" || req.Organization == organization.ID || req.Organization == organization.Slug):
		g.organization = organization.ID
	case req.Organization != "":
		return provider.SignIn{}, &provider.Error{
			Kind: provider.ErrPermission, Message: fmt.Sprintf("clerk: the sign-in is not for the organization %.60q", req.Organization),
			Hint: "run zen login again, and pick it on Clerk's page; only your own are there",
		}
	}
	credential := provider.Credential{Subject: id.Person(), Issued: p.now().UTC(), Detail: "an OAuth application says who it is; another provider issues the tokens"}
	if organization != nil {
		credential.Detail = "organization " + oauth.Harmless(orID(organization)) + "; " + credential.Detail
	}
	if g.refresh.IsZero() {
		g.id, credential.Expires = tokens.ID, id.Expires
		credential.Detail += "; no refresh token, for want of the scope offline_access"
	}
	credential.Data = stored{grant: g}.encode(p.settings)
	return provider.SignIn{Credential: credential, Claims: id.Claims}, nil
}

func orID(o *provider.Organization) string {
	return cmp.Or(o.Slug, o.ID)
}

func (p *clerkProvider) verifyID(ctx context.Context, i *issuer, verifier *jwks.Verifier, tokens oauth.Tokens) (oauth.IDClaims, error) {
	id, err := i.client.VerifyID(ctx, verifier, tokens)
	if err == nil && !strings.HasPrefix(id.Subject, "user_") {
		err = &provider.Error{Kind: provider.ErrTokenInvalid, Message: fmt.Sprintf("clerk: ID token: the subject %.40q is not a user", id.Subject)}
	}
	return id, err
}

// renew gets a current ID token. If that replaced the credential, renewed has to be
// stored before anything else: Clerk's refresh tokens can be used once.
func (p *clerkProvider) renew(ctx context.Context, g *grant, old provider.Credential) (token provider.Secret, id oauth.IDClaims, renewed *provider.Credential, err error) {
	i, err := p.issuer(ctx)
	if err != nil {
		return token, id, nil, err
	}
	// Clerk has just issued it, or its signature was verified at the sign-in, and its
	// recipient verifies it. So a renewal fetches no key set.
	verifier := i.verifier.ExceptSignature()
	tokens := oauth.Tokens{ID: g.id}
	if !g.refresh.IsZero() {
		verifier = verifier.JustIssued()
		if tokens, err = i.client.Refresh(ctx, g.refresh); err != nil {
			return token, id, nil, err
		}
		if !tokens.Refresh.Equal(g.refresh) {
			g.refresh = tokens.Refresh
			next := old
			next.Data = stored{grant: g}.encode(p.settings)
			renewed = &next
		}
	}
	if id, err = p.verifyID(ctx, i, verifier, tokens); err != nil {
		return token, id, renewed, err
	}
	if g.organization != "" && (id.Organization == nil || id.Organization.ID != g.organization) {
		return token, id, renewed, &provider.Error{
			Kind: provider.ErrPermission, Message: "clerk: the sign-in was for an organization that the account is not in any more",
			Hint: "ask its administrators, or run zen login for another one",
		}
	}
	return tokens.ID, id, renewed, nil
}

func (p *clerkProvider) revokeGrant(ctx context.Context, g *grant) error {
	if g.refresh.IsZero() {
		return &provider.Error{
			Kind: errors.ErrUnsupported, Message: "clerk: a sign-in without a refresh token can't be revoked: its ID token is good until it expires",
		}
	}
	i, err := p.issuer(ctx)
	if err != nil {
		return err
	}
	return i.client.Revoke(ctx, g.refresh)
}

// checkGrant checks whether a sign-in through an OAuth application is still valid, and
// whether it could be repeated.
func (p *clerkProvider) checkGrant(ctx context.Context, g *grant, credential provider.Credential) (provider.Finding, *provider.Credential) {
	const id = "sign-in"
	_, claims, renewed, err := p.renew(ctx, g, credential)
	if err != nil {
		return provider.Failed(id, err), renewed
	}
	finding := provider.Passed(id, "Clerk knows the sign-in of %s", claims.Person())
	switch {
	case g.refresh.IsZero():
		finding.Severity, finding.Kind = provider.SeverityWarn, provider.ErrConfig
		finding.Text = fmt.Sprintf("the sign-in ends at %s, and can't be renewed: it has no refresh token", claims.Expires.UTC().Format(time.RFC3339))
		finding.Hint = "add offline_access to " + keyOAuthScopes + ", and run zen login again"
	case g.device:
		if _, err := p.deviceIssuer(ctx); err != nil {
			finding = provider.Failed("device", err)
			finding.Severity, finding.Cause = provider.SeverityWarn, "the sign-in was made by --method device, and stands; another one can't be made like that"
		}
	}
	return finding, renewed
}

// checkOAuth starts a sign-in, and checks whether a browser would be redirected: Clerk
// answers an error if it doesn't know the redirect URI.
func (p *clerkProvider) checkOAuth(ctx context.Context) provider.Finding {
	const id = "oauth"
	if p.settings.oauthClientID == "" {
		return provider.Finding{ID: id, Severity: provider.SeveritySkipped, Text: keyOAuthClientID + " is not set: the methods oauth and device can't be used"}
	}
	i, err := p.issuer(ctx)
	if err != nil {
		return provider.Failed(id, err)
	}
	address := oauth.CallbackURLs([]int{53682})[0] // any port will do, or none does
	known, err := i.client.TryBrowser(ctx, address, oauth.BrowserOptions{Scopes: p.settings.oauthScopes})
	if err == nil && !known {
		err = &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("clerk: the instance does not know the OAuth application %s, or not the redirect URI %s for it", p.settings.oauthClientID, oauth.CallbackURLs(nil)[0]),
		}
	}
	if err != nil {
		finding := provider.Failed(id, err)
		if finding.Kind == provider.ErrConfig {
			finding.Hint = "zen provider setup clerk says how the application has to be"
		}
		return finding
	}
	device := "does not offer"
	if i.client.Metadata.DeviceEndpoint != "" {
		device = "offers"
	}
	return provider.Passed(id, "the OAuth application %s may sign in at %s; the instance %s the device grant", p.settings.oauthClientID, oauth.CallbackURLs(nil)[0], device)
}
