package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// algorithms sign an API's access tokens so that a key set verifies them.
var algorithms = []string{"RS256", "PS256"}

// The triggers of Actions. A post-login Action doesn't run for a machine.
const (
	triggerPeople   = "post-login"
	triggerMachines = "credentials-exchange"
)

// Verify implements provider.Identity.
func (p *auth0Provider) Verify(ctx context.Context, token provider.Secret) (provider.Claims, error) {
	if err := p.configured(); err != nil {
		return provider.Claims{}, err
	}
	return p.verifyBy(ctx, p.access, token)
}

func (p *auth0Provider) verifyBy(ctx context.Context, verifier *jwks.Verifier, token provider.Secret) (provider.Claims, error) {
	claims, err := verifier.Verify(ctx, token)
	if err != nil {
		return provider.Claims{}, fmt.Errorf("auth0: %w", err)
	}
	return claims, p.checkAccess(token, claims)
}

// vouch checks an access token for a database. The host verifies its signature, since it
// has the key set on disk; this process would have to fetch it.
func (p *auth0Provider) vouch(ctx context.Context, value provider.Secret, s stored, want want) (provider.Token, error) {
	claims, err := p.verifyAccess(ctx, p.access.ExceptSignature().JustIssued(), value)
	if err != nil {
		return provider.Token{}, err
	}
	if err := p.checkOrganization(claims, s.Organization); err != nil {
		return provider.Token{}, err
	}
	if err := p.checkDatabase(claims, s.Machine, want); err != nil {
		return provider.Token{}, err
	}
	return provider.Token{
		Value: value, Issued: claims.Issued, Expires: claims.Expires,
		Verification: &provider.Verification{Issuer: p.settings.issuer(), KeySetURL: p.settings.keySetURL(), Algorithms: algorithms},
	}, nil
}

// verifyAccess is Verify with hints for tokens of a tenant that is set up differently.
func (p *auth0Provider) verifyAccess(ctx context.Context, verifier *jwks.Verifier, value provider.Secret) (provider.Claims, error) {
	if strings.Count(value.Reveal(), ".") != 2 {
		return provider.Claims{}, setup("the access token is opaque, as Auth0 makes it without an API of your own",
			fmt.Sprintf("is audience the identifier of an API of the tenant? It is %.100q", p.settings.audience))
	}
	claims, err := p.verifyBy(ctx, verifier, value)
	if provider.Kind(err) != provider.ErrTokenInvalid || provider.Hint(err) != "" {
		return claims, err
	}
	seen, decodeErr := jwks.DecodeUnverified(value)
	hint := ""
	switch {
	case decodeErr != nil:
	case !slices.Contains(algorithms, seen.Algorithm):
		hint = "set the signing algorithm of the API to RS256: no key set verifies a token signed with its secret"
	case seen.Issuer != p.settings.issuer():
		hint = fmt.Sprintf("tokens name %.100q: set domain to that, if it is a domain of the tenant", seen.Issuer)
	}
	return provider.Claims{}, &provider.Error{Kind: provider.ErrTokenInvalid, Message: err.Error(), Hint: hint, Err: err}
}

// checkAccess checks a token that Auth0 signed against the request.
func (p *auth0Provider) checkAccess(token provider.Secret, claims provider.Claims) error {
	var further struct {
		Confirmation any `json:"cnf"`
	}
	oauth.ReadClaims(token, &further)
	typ := strings.TrimPrefix(strings.ToLower(claims.Type), "application/")
	switch {
	case !slices.Contains(claims.Audience, p.settings.audience):
		return invalid("the token is for %.100q, not for the API %.100q", strings.Join(claims.Audience, ", "), p.settings.audience)
	case further.Confirmation != nil:
		return &provider.Error{
			Kind:    provider.ErrPermission,
			Message: "auth0: the token is bound to a key (cnf), which Turso can't honour",
			Hint:    fmt.Sprintf("turn off sender constraining (DPoP, mTLS) of the API %.100q", p.settings.audience),
		}
	case typ == "at+jwt" && p.settings.dialect != dialectRFC9068:
		return setup("the token is of type at+jwt, and dialect says JWT",
			"set the API's token dialect to access_token, or dialect to "+dialectRFC9068)
	case typ != "at+jwt" && p.settings.dialect == dialectRFC9068:
		return setup(fmt.Sprintf("the token is of type %.20q, and dialect says at+jwt", claims.Type),
			"set the API's token dialect to "+dialectRFC9068+", or dialect to access_token")
	}
	return nil
}

// checkOrganization checks that a token is for the organization of the sign-in.
func (p *auth0Provider) checkOrganization(claims provider.Claims, want string) error {
	if want == "" || isOf(claims.Organization, want) {
		return nil
	}
	return &provider.Error{
		Kind:    provider.ErrPermission,
		Message: fmt.Sprintf("auth0: the token is not of the organization %.60q", want),
		Hint:    "run zen login, in the browser, with --org or the setting organization; by its id (org_...), where the tenant puts no names into tokens",
	}
}

// isOf compares with an id or, if the tenant puts names into tokens, a name.
func isOf(o *provider.Organization, want string) bool {
	return o != nil && (o.ID == want || o.Slug != "" && strings.EqualFold(o.Slug, want))
}

// want describes what a database token is for.
type want struct {
	target      provider.Target
	access      provider.Access
	permissions []provider.Permission
}

// checkDatabase refuses a token without Turso's claims, and names the Action that should
// have added them: Auth0 drops claims silently.
func (p *auth0Provider) checkDatabase(claims provider.Claims, machine bool, want want) error {
	trigger := triggerPeople
	if machine {
		trigger = triggerMachines
	}
	if claims.Database == nil {
		hint := fmt.Sprintf("deploy the Action of zen provider setup auth0 and put it into the flow of the trigger %s", trigger)
		if machine {
			hint += fmt.Sprintf(" (one of the trigger %s never sees a machine)", triggerPeople)
		}
		return &provider.Error{
			Kind:    provider.ErrPermission,
			Message: fmt.Sprintf("auth0: no Action of the trigger %s adds Turso's claims for the API %.100q: Turso would read the token as access to every database, so it is not sent", trigger, p.settings.audience),
			Hint:    hint,
		}
	}
	if err := claims.Authorizes(want.target, want.access, want.permissions); err != nil {
		hint := fmt.Sprintf("the Action of the trigger %s decides; zen provider setup auth0 prints it for this database", trigger)
		if want.access == provider.AccessReadOnly && p.settings.writeScope == "" {
			hint = "set write_scope, and deploy the Action that zen provider setup auth0 prints: it makes tokens for reading where that scope is missing"
		}
		return &provider.Error{Kind: provider.Kind(err), Message: "auth0: " + err.Error(), Hint: hint, Err: err}
	}
	return nil
}

func invalid(format string, args ...any) error {
	return &provider.Error{Kind: provider.ErrTokenInvalid, Message: "auth0: verify token: " + fmt.Sprintf(format, args...)}
}

// setup returns the error for a token that only a change of the tenant's or zen's
// settings can fix.
func setup(message, hint string) error {
	return &provider.Error{Kind: provider.ErrConfig, Message: "auth0: " + message, Hint: hint}
}
