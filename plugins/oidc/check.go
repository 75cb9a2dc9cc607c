package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

var errNothingToRevoke = &provider.Error{
	Kind:    errors.ErrUnsupported,
	Message: "oidc: there is no refresh token that could be revoked: what was stated is good until it ends",
}

// Check implements provider.Provider.
func (p *oidcProvider) Check(ctx context.Context, req provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	if err := p.configured(); err != nil {
		return nil, report(provider.Failed("issuer", err))
	}
	for _, check := range []func() provider.Finding{
		func() provider.Finding { return p.checkIssuer(ctx) },
		func() provider.Finding { return p.checkDevice(ctx, req.Credential) },
		func() provider.Finding { return p.checkWorkload(ctx, req) },
	} {
		if err := report(check()); err != nil {
			return nil, err
		}
	}
	finding, renewed := p.checkSignIn(ctx, req)
	return renewed, report(finding)
}

// repositoryIDs matches the ids that GitHub appends to the names in a subject since July
// 2026.
var repositoryIDs = regexp.MustCompile(`@[0-9]+`)

func (p *oidcProvider) checkIssuer(ctx context.Context) provider.Finding {
	const id = "issuer"
	if p.settings.issuer == "" {
		return provider.Skipped(id, "issuer is not set: workloads alone sign in")
	}
	i, err := p.people(ctx)
	if err != nil {
		return provider.Failed(id, err)
	}
	keys, err := i.keys.Keys(ctx)
	if err != nil {
		return provider.Failed(id, err)
	}
	finding := provider.Passed(id, "%s answers, and publishes %d keys", p.settings.issuer, len(keys))
	if m := i.client.Metadata; m.ChallengeMethods != nil && !slices.Contains(m.ChallengeMethods, "S256") {
		finding.Severity, finding.Text = provider.SeverityWarn, fmt.Sprintf("%s does not announce PKCE with S256", p.settings.issuer)
		finding.Hint = "switch PKCE on for the application, where the issuer can"
	}
	return finding
}

func (p *oidcProvider) checkDevice(ctx context.Context, credential *provider.Credential) provider.Finding {
	const id = "device"
	if p.settings.issuer == "" || p.settings.clientID == "" {
		return provider.Skipped(id, "issuer and client_id are not both set")
	}
	i, err := p.people(ctx)
	switch {
	case err != nil:
		return provider.Skipped(id, "the issuer's metadata could not be read")
	case i.client.Metadata.DeviceEndpoint == "":
		if credential != nil {
			if s, err := p.decode(*credential); err == nil && s.Device {
				return provider.Finding{
					ID: id, Severity: provider.SeverityWarn, Kind: provider.ErrConfig, Text: "the issuer has no device grant any more",
					Cause: "the sign-in was made by --method device, and stands; another one can't be made like that",
					Hint:  "sign in by --method browser next time, or have the grant switched on again",
				}
			}
		}
		return provider.Skipped(id, "the issuer has no device grant")
	}
	if err := i.client.TryDevice(ctx, oauth.DeviceOptions{Scopes: []string{"openid"}}); err != nil {
		finding := provider.Failed(id, err)
		finding.Severity, finding.Hint = provider.SeverityWarn, "allow the device grant to the application, or sign in by --method browser"
		return finding
	}
	return provider.Passed(id, "the application may sign in on other devices")
}

// checkWorkload requests a statement, as a sign-in would.
func (p *oidcProvider) checkWorkload(ctx context.Context, req provider.CheckRequest) provider.Finding {
	const id = "workload"
	if p.settings.workload == nil {
		return provider.Skipped(id, "nothing around says which workload this is")
	}
	token, claims, err := p.state(ctx, req.Audience)
	if err != nil {
		return provider.Failed(id, err)
	}
	if p.settings.workloadName == "github" { // which issues one for each request
		again, _, err := p.state(ctx, req.Audience)
		if err == nil && again.Reveal() == token.Reveal() {
			return provider.Finding{
				ID: id, Severity: provider.SeverityWarn, Kind: provider.ErrRejected, Text: "github gives the statement that it gave before, jti and all",
				Cause: "who takes each statement once, as the token exchanges of clouds do, refuses the second use", Hint: "ask for another one: run the job again",
			}
		}
	}
	if c := req.Credential; c != nil && c.Subject != claims.Subject && c.Subject == repositoryIDs.ReplaceAllString(claims.Subject, "") {
		return provider.Finding{
			ID: id, Severity: provider.SeverityWarn, Kind: provider.ErrRejected,
			Text:  fmt.Sprintf("%s states %s now, and stated %s at the sign-in", p.settings.workloadName, oneLine(claims.Subject), oneLine(c.Subject)),
			Cause: "the subject has the ids of owner and repository in it: what compares it with the names alone refuses it",
			Hint:  "have the role or policy bound to the new subject, or to the claims repository_id and repository_owner_id",
		}
	}
	return provider.Passed(id, "%s states %s, to %s, until %s", p.settings.workloadName, oneLine(claims.Subject), strings.Join(claims.Audience, ", "), claims.Expires.Format("15:04:05Z07:00"))
}

// checkSignIn asks the issuer whether the sign-in is still valid.
func (p *oidcProvider) checkSignIn(ctx context.Context, req provider.CheckRequest) (provider.Finding, *provider.Credential) {
	const id = "sign-in"
	if req.Credential == nil {
		return provider.Skipped(id, "not signed in"), nil
	}
	s, err := p.decode(*req.Credential)
	if err != nil {
		return provider.Failed(id, err), nil
	}
	if s.Workload != "" {
		return provider.Skipped(id, "it is the workload's"), nil
	}
	token, claims, renewed, err := p.renew(ctx, s, *req.Credential)
	if err == nil {
		err = p.checkAudience(req.Audience)
	}
	if err == nil && s.Refresh != "" {
		err = p.checkSignature(ctx, token) // as the recipient will
	}
	if err != nil {
		return provider.Failed(id, err), renewed
	}
	if s.Refresh == "" {
		return provider.Finding{
			ID: id, Severity: provider.SeverityWarn, Kind: provider.ErrConfig,
			Text: fmt.Sprintf("the sign-in ends at %s, and can't be renewed: the issuer gave no refresh token", claims.Expires.UTC().Format(time.RFC3339)),
			Hint: "allow refresh tokens (offline_access) to the application, and run zen login again",
		}, renewed
	}
	if claims.UnverifiedEmail != "" {
		return provider.Finding{
			ID: id, Severity: provider.SeverityWarn, Kind: provider.ErrPermission,
			Text:  "the issuer knows the sign-in, and says that it has not verified the address " + oneLine(claims.UnverifiedEmail),
			Cause: "who tells people by their address takes none that is not verified", Hint: "verify the address at the issuer, then zen login again",
		}, renewed
	}
	return provider.Passed(id, "the issuer knows the sign-in of %s", claims.Person()), renewed
}

// checkSignature verifies a current ID token with the issuer's key set.
func (p *oidcProvider) checkSignature(ctx context.Context, token provider.Secret) error {
	i, err := p.people(ctx)
	if err != nil {
		return err
	}
	_, err = i.client.VerifyID(ctx, i.verifier.JustIssued(), oauth.Tokens{ID: token})
	return err
}
