package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

// Check implements provider.Provider.
func (p *platform) Check(ctx context.Context, req provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	a, err := p.account(req.Credential)
	if err != nil {
		return nil, report(provider.Finding{
			ID: "api-token", Severity: provider.SeveritySkipped, Hint: loginHint,
			Text: "there is no API token: none in the environment, and none from a sign-in",
		})
	}
	c, err := p.client(a.apiToken)
	if err != nil {
		return nil, err
	}
	claims, err := p.verify(ctx, a)
	if errors.Is(err, provider.ErrUnavailable) {
		return nil, report(provider.Failed("api", err))
	}
	if err := report(provider.Passed("api", "%s answers", p.apiURL)); err != nil {
		return nil, err
	}
	if finding := tokenFinding(claims, err, a); finding.Severity == provider.SeverityError {
		return nil, report(finding) // what follows would fail for the same reason
	} else if err := report(finding); err != nil {
		return nil, err
	}
	for _, check := range []func(context.Context, *turso.Client, account) provider.Finding{
		p.checkScopes, p.checkOrganization, p.checkDatabases,
	} {
		finding := check(ctx, c, a)
		if err := report(finding); err != nil {
			return nil, err
		}
		if finding.Severity == provider.SeverityError {
			return nil, nil // what follows would fail for the same reason
		}
	}
	return nil, nil
}

// tokenFinding reports what Turso says about the API token.
func tokenFinding(claims provider.Claims, err error, a account) provider.Finding {
	if err != nil {
		return provider.Failed("api-token", err)
	}
	finding := provider.Finding{ID: "api-token", Severity: provider.SeverityOK, Text: "of " + claims.Subject}
	switch left := time.Until(claims.Expires); {
	case claims.Expires.IsZero():
		finding.Text += ", without an end"
	case left < 7*24*time.Hour:
		finding.Severity, finding.Hint = provider.SeverityWarn, a.renewHint()
		fallthrough
	default:
		finding.Text += ", valid until " + claims.Expires.UTC().Format(time.RFC3339)
	}
	return finding
}

func (p *platform) checkScopes(ctx context.Context, c *turso.Client, _ account) provider.Finding {
	if wide(ctx, c) {
		return provider.Finding{
			ID: "scopes", Severity: provider.SeverityWarn, Text: wideText,
			Hint: "zen login --provider platformtoken --method " + methodBrowser + " has such a one made, and forgets this one",
		}
	}
	return provider.Passed("scopes", "the API token is limited")
}

func (p *platform) checkOrganization(ctx context.Context, c *turso.Client, a account) provider.Finding {
	const id = "organization"
	organizations, err := c.Organizations(ctx)
	if err != nil {
		finding := provider.Failed(id, a.failed(err))
		finding.Severity = provider.SeverityWarn // a limited API token may not see them
		return finding
	}
	known := slugs(organizations)
	if a.organization != "" && !slices.Contains(known, a.organization) {
		return provider.Finding{
			ID: id, Severity: provider.SeverityError, Kind: provider.ErrConfig,
			Text: fmt.Sprintf("the API token's user is in no organization %s", a.organization),
			Hint: "organization is the slug, one of " + strings.Join(known, ", "),
		}
	}
	return provider.Finding{ID: id, Severity: provider.SeverityOK, Text: a.organizationText()}
}

// checkDatabases finds an API token without the scope read. Whether it has db:mint-token
// shows only when it mints, which a check must not do.
func (p *platform) checkDatabases(ctx context.Context, c *turso.Client, a account) provider.Finding {
	const id = "databases"
	for _, err := range c.Databases(ctx, a.organization, turso.DatabaseFilter{PageSize: 1}) {
		if err != nil {
			return provider.Failed(id, a.failed(err))
		}
		return provider.Passed(id, "can be listed")
	}
	return provider.Finding{ID: id, Severity: provider.SeverityWarn, Text: "there is none in " + a.organizationText()}
}
