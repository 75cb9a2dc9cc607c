package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/loopback"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

const (
	methodBrowser = "browser"

	// loginTimeout is the timeout of a sign-in if the host sets no earlier one. Turso's
	// own CLI waits as long.
	loginTimeout = 5 * time.Minute
	// cleanupTimeout is the timeout for revoking the API token of a failed sign-in.
	cleanupTimeout = 5 * time.Second
)

// loginBrowser signs in at Turso as the turso CLI does, and immediately creates an API
// token that may read, and mint tokens for the databases of one group. Only that is
// stored; the session, which has all the user's rights, is discarded.
func (p *platform) loginBrowser(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	if !req.Interactive {
		return &provider.Error{
			Kind: provider.ErrNoCredential, Message: "platformtoken: signing in at Turso needs a browser and a person at it",
			Hint: "set " + ownTokenVariable + " or " + tursoTokenVariable + ", which needs no one",
		}
	}
	ctx, cancel := loopback.WithEnd(ctx, loginTimeout)
	defer cancel()
	// Turso's page decides whether it redirects to localhost or to 127.0.0.1.
	listener, err := loopback.Listen(ctx, loopback.Options{Path: "/", Localhost: true})
	if err != nil {
		return fmt.Errorf("platformtoken: %w", err)
	}
	defer func() { _ = listener.Close() }()
	address, err := p.signInAddress(listener)
	if err != nil {
		return err
	}
	if err := host.OpenURL(ctx, address, ""); err != nil {
		return err
	}
	if err := host.Progress(ctx, "waiting for the browser"); err != nil {
		return err
	}
	callback, err := listener.WaitOrPaste(ctx, host.AskSecret)
	if err != nil {
		return waitError(err)
	}
	subject, err := p.finishBrowser(ctx, provider.NewSecret(callback.Get("jwt")), req, host)
	if err != nil {
		callback.Fail(err)
		return err
	}
	callback.Succeed("This terminal may mint database tokens as " + subject + ".")
	return nil
}

// signInAddress returns the address to which turso-cli/internal/cmd/auth.go sends a browser.
func (p *platform) signInAddress(listener *loopback.Listener) (string, error) {
	redirect, err := url.Parse(listener.RedirectURL())
	if err != nil {
		return "", fmt.Errorf("platformtoken: %w", err)
	}
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails
	listener.Expect(base64.RawURLEncoding.EncodeToString(random[:]))
	query := url.Values{"port": {redirect.Port()}, "redirect": {"true"}, "type": {"cli"}, "state": {listener.State()}}
	return strings.TrimRight(p.apiURL, "/") + "/?" + query.Encode(), nil
}

func waitError(err error) error {
	kind, hint := provider.ErrNoCredential, "run zen login again in a terminal, open the address that it shows, and paste the one where the browser ends"
	if _, ok := errors.AsType[*loopback.DeniedError](err); ok {
		kind, hint = provider.ErrRejected, "nothing was authorised: run zen login to try again"
	}
	return &provider.Error{Kind: kind, Message: "platformtoken: " + err.Error(), Hint: hint, Err: err}
}

// finishBrowser turns a session into an API token, and stores that.
func (p *platform) finishBrowser(ctx context.Context, session provider.Secret, req provider.LoginRequest, host provider.Host) (string, error) {
	if err := (provider.Token{Value: session}).ValidateValue(); err != nil {
		return "", &provider.Error{
			Kind: provider.ErrTokenInvalid, Message: "platformtoken: Turso's page sent no token", Err: err,
			Hint: "does " + keyAPIURL + " name Turso's API? its sign-in page is there, too",
		}
	}
	a := account{apiToken: session, organization: cmp.Or(req.Organization, p.organization), source: sourceMinted}
	c, err := p.client(session)
	if err != nil {
		return "", err
	}
	user, err := c.CurrentUser(ctx)
	if err != nil {
		return "", a.failed(err)
	}
	if a.organization == "" {
		if a.organization, err = personal(ctx, c, a); err != nil {
			return "", err
		}
	}
	group, err := p.groupOf(ctx, c, a, req.Target)
	if err != nil {
		return "", err
	}
	made, err := c.CreateAPIToken(ctx, tokenName(), turso.APITokenOptions{
		Organization: a.organization, Group: group, Scopes: []turso.Scope{turso.ScopeRead, turso.ScopeMintToken},
	})
	if err != nil {
		return "", a.failed(err)
	}
	if err := p.keepMinted(ctx, made, a, user, group, req, host); err != nil {
		// No credential refers to it, so it is revoked at Turso.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		_ = c.RevokeAPIToken(ctx, made.Name)
		return "", err
	}
	return user.Username, nil
}

// keepMinted checks that the API token works, and stores it.
func (p *platform) keepMinted(ctx context.Context, made turso.APIToken, a account, user turso.User, group string, req provider.LoginRequest, host provider.Host) error {
	s := stored{Source: sourceMinted, APIToken: made.Value, Name: made.Name, Organization: a.organization}
	data, err := s.secret()
	if err != nil {
		return err
	}
	a.apiToken = provider.NewSecret(made.Value)
	result := provider.SignIn{
		Credential: provider.Credential{
			Data: data, Subject: user.Username, Issued: time.Now(),
			Detail: fmt.Sprintf("the API token %s, which may read, and mint tokens for the databases of the group %s in %s", made.Name, group, a.organization),
		},
		Claims: provider.Claims{Issuer: p.apiURL, Subject: user.Username},
	}
	if req.Target.URL != "" {
		token, _, err := p.mint(ctx, a, provider.TokenRequest{Target: req.Target, Access: req.Access, Permissions: req.Permissions})
		if err != nil {
			return err
		}
		result.Token = &token
	}
	return host.Store(ctx, result)
}

// personal returns the slug of the user's own organization.
func personal(ctx context.Context, c *turso.Client, a account) (string, error) {
	organizations, err := c.Organizations(ctx)
	if err != nil {
		return "", a.failed(err)
	}
	for _, o := range organizations {
		if o.Type == "personal" {
			return o.Slug, nil
		}
	}
	return "", &provider.Error{
		Kind: provider.ErrConfig, Message: "platformtoken: there is no personal organization",
		Hint: "name one with --org or " + keyOrganization + ": " + strings.Join(slugs(organizations), ", "),
	}
}

// groupOf returns the group of the profile's database or, if the profile has none, the
// only group.
func (p *platform) groupOf(ctx context.Context, c *turso.Client, a account, target provider.Target) (string, error) {
	if target.URL != "" {
		where, err := locate(a.organization, target.URL)
		if err != nil {
			return "", err
		}
		database, _, err := p.resolve(ctx, c, a, where) // it is known when the token is minted
		if err == nil && database.Group == "" {
			err = &provider.Error{Kind: provider.ErrUnavailable, Message: "platformtoken: Turso names no group of the database " + database.Name}
		}
		return database.Group, err
	}
	groups, err := c.Groups(ctx, a.organization)
	if err != nil {
		return "", a.failed(err)
	}
	if len(groups) != 1 {
		return "", &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("platformtoken: %s has %d groups, and the profile has no database that would say which", a.organizationText(), len(groups)),
			Hint: "set database in the profile, or ZEN_DATABASE",
		}
	}
	return groups[0].Name, nil
}

// tokenName names an API token after this machine: zen-HOST and six digits, so that two
// sign-ins there get two tokens.
func tokenName() string {
	host, _ := os.Hostname()
	host, _, _ = strings.Cut(strings.ToLower(host), ".")
	host = strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, host), "-")
	host = cmp.Or(host, "machine")
	var random [3]byte
	_, _ = rand.Read(random[:]) // never fails
	return "zen-" + host[:min(len(host), 40)] + "-" + hex.EncodeToString(random[:])
}

// wide reports whether an API token has more rights than needed: only one with all rights
// can list the others.
func wide(ctx context.Context, c *turso.Client) bool {
	_, err := c.APITokens(ctx)
	return err == nil
}

const wideText = "this API token may do whatever its user may; zen needs one that may read, and mint database tokens"

// Revoke implements provider.Identity. An API token that zen created is revoked; to
// revoke others Turso needs their names, which can't be looked up.
func (p *platform) Revoke(ctx context.Context, credential provider.Credential) error {
	s, err := readCredential(credential)
	if err != nil {
		return err
	}
	if s.Source != sourceMinted {
		return fmt.Errorf("platformtoken: the API token stays valid, turso auth api-tokens revoke NAME ends it: %w", errors.ErrUnsupported)
	}
	c, err := p.client(provider.NewSecret(s.APIToken))
	if err != nil {
		return err
	}
	err = c.RevokeAPIToken(ctx, s.Name)
	var e *turso.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Status == http.StatusNotFound:
		return nil // it was revoked before
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		if _, err := c.Validate(ctx); errors.As(err, &e) && e.Status == http.StatusUnauthorized {
			return nil // Turso's answer for an unknown token
		}
		return &provider.Error{
			Kind: provider.ErrPermission, Err: err,
			Message: "platformtoken: Turso lets the API token " + s.Name + " not end itself",
			Hint:    "turso auth api-tokens revoke " + s.Name,
		}
	}
	return account{apiToken: provider.NewSecret(s.APIToken), source: sourceMinted}.failed(err)
}
