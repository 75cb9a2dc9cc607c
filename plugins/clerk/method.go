package main

import (
	"context"
	"fmt"

	"github.com/zen-auth/zen/core/provider"
)

// Login implements provider.Identity.
func (p *clerkProvider) Login(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	if err := p.configured(); err != nil {
		return err
	}
	why := ""
	if req.Method == "" {
		req.Method, why = p.choose(req)
	}
	if err := p.foresee(req); err != nil {
		return err
	}
	if why != "" {
		if err := host.Progress(ctx, why); err != nil {
			return err
		}
	}
	switch req.Method {
	case methodOAuth:
		return p.loginOAuth(ctx, req, host)
	case methodDevice:
		return p.loginDevice(ctx, req, host)
	case methodEmail:
		return p.loginEmail(ctx, req, host)
	}
	return p.loginBridge(ctx, req, host)
}

// choose picks the method if none is named, and gives the reason if it isn't the first.
func (p *clerkProvider) choose(req provider.LoginRequest) (method, why string) {
	switch {
	case p.settings.bridge != nil:
		return methodBridge, ""
	case p.settings.oauthClientID != "" && !wantsToken(req):
		return methodOAuth, "signing in by oauth, as bridge_url is not set and another provider issues the tokens"
	case p.settings.oauthClientID != "":
		return methodEmail, "signing in by email, as bridge_url is not set and the tokens of oauth are for no database"
	}
	return methodEmail, "signing in by email, as neither bridge_url nor " + keyOAuthClientID + " is set"
}

// foresee checks whether the sign-in can succeed, before a browser is opened or a
// question asked.
func (p *clerkProvider) foresee(req provider.LoginRequest) error {
	bridge := req.Method == methodBridge || req.Method == methodRedirect
	oauth := req.Method == methodOAuth || req.Method == methodDevice
	switch {
	case !bridge && !oauth && req.Method != methodEmail:
		return &provider.Error{
			Kind: provider.ErrConfig,
			Message: fmt.Sprintf("clerk: method %.40q is not %s, %s, %s, %s or %s",
				req.Method, methodBridge, methodRedirect, methodEmail, methodOAuth, methodDevice),
		}
	case !req.Interactive:
		return &provider.Error{
			Kind: provider.ErrNoCredential, Message: "clerk: signing in needs a browser or a terminal, and a person at it",
			Hint: "run zen login in a terminal",
		}
	case bridge && p.settings.bridge == nil:
		return &provider.Error{
			Kind: provider.ErrConfig, Message: "clerk: bridge_url is not set",
			Hint: "set it to the page of your app that authorises terminals, such as https://app.example/cli, or use --method email",
		}
	case oauth && p.settings.oauthClientID == "":
		return &provider.Error{
			Kind: provider.ErrConfig, Message: "clerk: " + keyOAuthClientID + " is not set",
			Hint: "zen provider setup clerk says how to make the OAuth application",
		}
	case oauth && wantsToken(req):
		return noClaims()
	case req.Method == methodRedirect && (req.Audience != "" || len(req.AssertionKinds) > 0):
		return redirectStatesNothing()
	}
	if err := checkKinds(req.AssertionKinds); err != nil {
		return err
	}
	if err := p.checkAudience(req.Method, req.Audience); err != nil {
		return err
	}
	if wantsToken(req) {
		_, err := p.settings.templateFor(req.Access)
		return err
	}
	return nil
}

// noClaims is why OAuth opens no database: Turso would read a token without its claims as
// access to every one.
func noClaims() error {
	return &provider.Error{
		Kind: provider.ErrConfig, Message: "clerk: the tokens of an OAuth application have no claims of a database: they say who signed in, and open nothing",
		Hint: "name the provider that issues the tokens (token_provider = \"openbao\" or \"platformtoken\" in the profile), or use the method bridge or email",
	}
}

func wantsToken(req provider.LoginRequest) bool { return req.Target != (provider.Target{}) }
