package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/zen-auth/zen/core/loopback"
	"github.com/zen-auth/zen/core/provider"
)

// loginTimeout is the timeout of a sign-in if the host sets no earlier one. OpenBao
// forgets an unfinished sign-in after ten minutes.
const loginTimeout = 5 * time.Minute

// loginOIDC signs in with OpenBao's auth method oidc: OpenBao returns the URL of the
// issuer's page, the browser is redirected back to this machine, and OpenBao exchanges
// the code it brings. The nonce proves to OpenBao that both requests come from the same
// client.
func (p *openbao) loginOIDC(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	mount := cmp.Or(p.settings.authMount, "oidc")
	ctx, cancel := loopback.WithEnd(ctx, loginTimeout)
	defer cancel()
	listener, err := loopback.Listen(ctx, loopback.Options{Path: "/oidc/callback", Ports: []int{p.settings.oidcPort}})
	if err != nil {
		if _, ok := errors.AsType[*loopback.BusyError](err); ok {
			return &provider.Error{Kind: provider.ErrUnavailable, Message: "openbao: " + err.Error(), Err: err, Hint: "another sign-in may be waiting; or set " + keyOIDCPort}
		}
		return err
	}
	defer func() { _ = listener.Close() }()
	nonce := rand.Text()
	page, err := p.authURL(ctx, mount, listener, nonce)
	if err != nil {
		return err
	}
	if err := host.OpenURL(ctx, page, ""); err != nil {
		return err
	}
	if err := host.Progress(ctx, "waiting for the browser"); err != nil {
		return err
	}
	callback, err := listener.WaitOrPaste(ctx, host.AskSecret)
	if err != nil {
		return oidcFailed(err)
	}
	err = p.exchange(ctx, req, host, mount, nonce, callback)
	if err != nil {
		callback.Fail(err)
		return err
	}
	callback.Succeed("You can close this page and go back to the terminal.")
	return nil
}

// authURL requests the page's URL, and makes the listener expect the state in it.
func (p *openbao) authURL(ctx context.Context, mount string, listener *loopback.Listener, nonce string) (string, error) {
	what := "begin a sign-in at auth/" + mount
	body := map[string]string{"redirect_uri": listener.RedirectURL(), "client_nonce": nonce, "role": p.settings.authRole}
	a, err := p.do(ctx, call{what: what, method: http.MethodPost, path: "auth/" + mount + "/oidc/auth_url", body: body})
	if err != nil {
		return "", err
	}
	var data struct {
		URL string `json:"auth_url"`
	}
	if err := json.Unmarshal(a.Data, &data); err != nil || data.URL == "" {
		return "", &provider.Error{
			Kind: provider.ErrConfig, Message: "openbao: " + what + ": OpenBao gives no page",
			Hint: fmt.Sprintf("the role %s needs %s among its allowed_redirect_uris", cmp.Or(p.settings.authRole, "(default_role)"), listener.RedirectURL()),
		}
	}
	page, err := url.Parse(data.URL)
	if err != nil || page.Scheme != "https" && (page.Scheme != "http" || !provider.IsLoopback(page.Hostname())) || len(page.Query().Get("state")) < 16 {
		return "", &provider.Error{Kind: provider.ErrUnavailable, Message: "openbao: " + what + ": the page that OpenBao gives is no https:// address with a state"}
	}
	listener.Expect(page.Query().Get("state"))
	return page.String(), nil
}

func oidcFailed(err error) error {
	if _, ok := errors.AsType[*loopback.DeniedError](err); ok {
		return &provider.Error{Kind: provider.ErrRejected, Message: "openbao: the issuer refuses the sign-in: " + oneLine(err.Error()), Err: err}
	}
	return &provider.Error{Kind: provider.ErrNoCredential, Message: "openbao: " + err.Error(), Err: err, Hint: "the page in the browser may say why"}
}

func (p *openbao) exchange(ctx context.Context, req provider.LoginRequest, host provider.Host, mount, nonce string, callback *loopback.Callback) error {
	query := url.Values{"state": {callback.Get("state")}, "code": {callback.Get("code")}, "client_nonce": {nonce}}
	a, err := p.do(ctx, call{what: "sign in at auth/" + mount, method: http.MethodGet, path: "auth/" + mount + "/oidc/callback", query: query, wrap: true})
	if err != nil {
		return loginRefused(err, mount)
	}
	s, auth, err := p.loggedIn(a.Auth, methodOIDC, mount)
	return p.finish(ctx, req, host, s, auth, err)
}
