package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/loopback"
	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

const (
	// loginTimeout is the timeout of a sign-in if the host sets no earlier one.
	loginTimeout = 5 * time.Minute
	// cleanupTimeout is the timeout for ending the session of a failed sign-in.
	cleanupTimeout = 5 * time.Second
)

// loginBridge signs in through a page of the customer's app, the bridge, which sends a
// one-time ticket (or, for the method redirect, a token) to the loopback; the browser
// shows success only once the host has stored the result.
func (p *clerkProvider) loginBridge(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	finish, mode := p.finishTicket, "ticket"
	if req.Method == methodRedirect {
		finish, mode = p.finishToken, "token"
	}
	ctx, cancel := loopback.WithEnd(ctx, loginTimeout)
	defer cancel()
	listener, err := loopback.Listen(ctx, loopback.Options{})
	if err != nil {
		return fmt.Errorf("clerk: %w", err)
	}
	defer func() { _ = listener.Close() }()

	code := newCode()
	if err := host.OpenURL(ctx, bridgeAddress(p.settings.bridge, listener, code, mode), code); err != nil {
		return err
	}
	if err := host.Progress(ctx, "waiting for the browser"); err != nil {
		return err
	}
	callback, err := listener.WaitOrPaste(ctx, host.AskSecret)
	if err != nil {
		return waitError(err)
	}
	name, err := finish(ctx, callback, req, host)
	if err != nil {
		callback.Fail(err)
		return err
	}
	callback.Succeed("This terminal is authorised as " + name + ".")
	return nil
}

// bridgeAddress keeps the configured address's own query.
func bridgeAddress(bridge *url.URL, listener *loopback.Listener, code, mode string) string {
	u := *bridge
	query := u.Query()
	query.Set("redirect_uri", listener.RedirectURL())
	query.Set("state", listener.State())
	query.Set("code", code)
	query.Set("client", "zen")
	query.Set("mode", mode)
	u.RawQuery = query.Encode()
	return u.String()
}

// newCode returns the code that the page shows and the user compares with the terminal:
// eight of 32 letters and digits that are hard to confuse.
func newCode() string {
	const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	var code [8]byte
	_, _ = rand.Read(code[:]) // never fails
	for i, b := range code {
		code[i] = alphabet[b%32]
	}
	return string(code[:4]) + "-" + string(code[4:])
}

func waitError(err error) error {
	if _, ok := errors.AsType[*loopback.DeniedError](err); ok {
		return &provider.Error{Kind: provider.ErrRejected, Message: "clerk: " + err.Error(), Hint: "nothing was authorised: run zen login to try again", Err: err}
	}
	return &provider.Error{
		Kind: provider.ErrNoCredential, Message: "clerk: " + err.Error(),
		Hint: "run zen login again in a terminal, open the address that it shows, and paste the one where the browser ends", Err: err,
	}
}

// finishTicket turns a ticket into a stored session.
func (p *clerkProvider) finishTicket(ctx context.Context, callback *loopback.Callback, req provider.LoginRequest, host provider.Host) (string, error) {
	ticket := provider.NewSecret(callback.Get("ticket"))
	if ticket.IsZero() {
		return "", missing("ticket", callback)
	}
	s, err := p.frontend.SignIn(ctx, ticket)
	if err != nil {
		return "", err
	}
	return p.store(ctx, s, req, host)
}

// store checks that a new session yields tokens, and has it stored.
func (p *clerkProvider) store(ctx context.Context, s *clerk.Session, req provider.LoginRequest, host provider.Host) (string, error) {
	result, err := p.prove(ctx, s, req)
	if err == nil {
		err = host.Store(ctx, result)
	}
	if err != nil {
		// No credential refers to the session, so it is ended at Clerk.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		_ = p.frontend.End(ctx, s)
		return "", err
	}
	return result.Credential.Subject, nil
}

// prove makes a session token, to learn who signed in, and the first token for the
// database, if one was requested.
func (p *clerkProvider) prove(ctx context.Context, s *clerk.Session, req provider.LoginRequest) (provider.SignIn, error) {
	var result provider.SignIn
	if req.Organization != "" {
		if err := p.frontend.Activate(ctx, s, req.Organization); err != nil {
			return result, err
		}
	}
	identity, err := p.frontend.Mint(ctx, s, "")
	if err != nil {
		return result, err
	}
	if result.Claims, err = p.settings.instance.Verify(ctx, p.verifier.JustIssued(), identity); err != nil {
		return result, err
	}
	if result.Claims.Session != s.ID {
		return result, clerk.Invalid("the session token is of another session")
	}
	if d := result.Claims.Database; d != nil && d.DatabaseID == closedID {
		// Claims that keep session tokens out of every database don't limit the person,
		// for whom another provider may issue tokens.
		result.Claims.Database = nil
	}
	if wantsToken(req) {
		token, err := p.mint(ctx, s, req.Target, req.Access, req.Permissions)
		if err != nil {
			return result, err
		}
		result.Token = &token
	}
	s.Name = cmp.Or(s.Name, result.Claims.Subject)
	result.Credential = p.sessionCredential(stored{session: s, organization: organizationMark(result.Claims.Organization)}, s.Name, p.now().UTC())
	return result, nil
}

// finishToken stores a token as it is.
func (p *clerkProvider) finishToken(ctx context.Context, callback *loopback.Callback, req provider.LoginRequest, host provider.Host) (string, error) {
	value := provider.NewSecret(callback.Get("token"))
	if value.IsZero() {
		return "", missing("token", callback)
	}
	claims, err := p.settings.instance.Verify(ctx, p.verifier.JustIssued(), value)
	if err != nil {
		return "", err
	}
	if o := claims.Organization; req.Organization != "" && (o == nil || req.Organization != o.ID && req.Organization != o.Slug) {
		return "", &provider.Error{
			Kind: provider.ErrPermission, Message: fmt.Sprintf("clerk: the token that the page sent is not for the organization %.60q", req.Organization),
			Hint: "pick it in the app before; the JWT template has to have org_id and org_slug, or use --method bridge",
		}
	}
	result := provider.SignIn{Claims: claims, Credential: provider.Credential{
		Data:    stored{token: value}.encode(p.settings),
		Subject: claims.Subject, Issued: claims.Issued, Expires: claims.Expires,
	}}
	shownAs(&result.Credential, claims, callback)
	if wantsToken(req) {
		token, err := p.vouch(ctx, p.issued, value, req.Target, req.Access, req.Permissions)
		if err != nil {
			return "", err
		}
		result.Token = &token
	}
	return result.Credential.Subject, host.Store(ctx, result)
}

// shownAs adds to a credential what the page says about the person in addition to the
// token. It is only for display, and no decision uses it: claims come only from the
// token.
func shownAs(c *provider.Credential, claims provider.Claims, callback *loopback.Callback) {
	if name := oauth.Harmless(callback.Get("name")); name != "" {
		c.Subject = name
	}
	o := provider.Organization{ID: oauth.Harmless(callback.Get("org_id")), Slug: oauth.Harmless(callback.Get("org_slug"))}
	if o.ID+o.Slug == "" || claims.Organization != nil {
		return
	}
	c.Detail = "organization " + orID(&o)
	if role := oauth.Harmless(callback.Get("org_role")); role != "" {
		c.Detail += " as " + role
	}
	c.Detail += ", by the page's word; one token, which can't be renewed"
}

func missing(name string, callback *loopback.Callback) error {
	other := ""
	for _, candidate := range []string{"ticket", "token"} {
		if callback.Get(candidate) != "" {
			other = ", but a " + candidate
		}
	}
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("clerk: the bridge page sent no %s%s", name, other),
		Hint:    "does bridge_url name a page that knows mode=" + name + "?",
	}
}
