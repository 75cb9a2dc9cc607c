package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// The setting and its variable. TURSO_AUTH_TOKEN is not an alias for it, because zen exec
// and zen proxy set that one themselves.
const (
	keyToken      = "token"
	tokenVariable = "ZEN_STATICTOKEN__TOKEN"

	methodToken = "token"

	// soon is how long before a token's expiry the warnings start.
	soon = 7 * 24 * time.Hour
)

// provide is the provider. Configure fills it once.
type provide struct {
	version string
	now     func() time.Time
	// given is the environment's token; nil means none.
	given *static
}

func newProvider(version string) *provide { return &provide{version: version, now: time.Now} }

// Describe implements provider.Provider.
func (p *provide) Describe(context.Context) (provider.Description, error) {
	return provider.Description{
		Name:    "statictoken",
		Version: p.version,
		Summary: "A database token that you were given",
		Fields: []provider.Field{{
			Key: keyToken, Type: provider.TypeString, Sensitive: true, Example: "eyJ...",
			Doc: "The token, as turso db tokens create NAME prints it. Without it, zen login asks for it.",
		}},
		Methods: []provider.Method{{
			Name: methodToken, Doc: "with a database token from " + tokenVariable + ", or typed in", Interaction: provider.InteractionTerminal,
		}},
	}, nil
}

// Configure implements provider.Provider. An expired token is not a wrong setting: it is
// reported when it is needed.
func (p *provide) Configure(_ context.Context, settings provider.Settings) ([]provider.Note, error) {
	p.given = nil
	text := settings.Get(keyToken)
	if text == "" {
		return nil, nil
	}
	t, err := read(text, tokenVariable, time.Time{})
	if err != nil {
		return nil, err
	}
	p.given = &t
	return p.notes(t), nil
}

// notes warn of a token that expires soon, and of one that never expires.
func (p *provide) notes(t static) []provider.Note {
	end := t.claims.Expires
	switch left := end.Sub(p.now()); {
	case end.IsZero():
		return []provider.Note{{Text: "the token in " + tokenVariable + " has no end: it is good until the database's keys are rotated"}}
	case left > 0 && left < soon:
		return []provider.Note{{Text: fmt.Sprintf("the token in %s ends on %s", tokenVariable, end.UTC().Format(time.RFC1123))}}
	}
	return nil
}

// Check implements provider.Provider. It starts no request.
func (p *provide) Check(_ context.Context, req provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	t, _, err := p.hold(req.Credential)
	if err == nil {
		err = t.checkEnd("the token", p.now())
	}
	if err == nil && req.Target.URL != "" {
		_, err = t.issue(provider.TokenRequest{Target: req.Target, Access: req.Access, Permissions: req.Permissions})
	}
	finding := provider.Finding{ID: "token", Severity: provider.SeverityOK}
	switch {
	case errors.Is(err, provider.ErrNoCredential):
		finding.Severity, finding.Text, finding.Hint = provider.SeveritySkipped, err.Error(), provider.Hint(err)
	case err != nil:
		finding.Severity, finding.Kind, finding.Text, finding.Hint = provider.SeverityError, provider.Kind(err), err.Error(), provider.Hint(err)
	default:
		finding.Text = t.subject()
		switch end := t.claims.Expires; {
		case end.IsZero():
			finding.Severity, finding.Text = provider.SeverityWarn, finding.Text+", without an end"
			finding.Cause, finding.Hint = "only rotating the database's keys ends it, with all others", "have one made with an end: turso db tokens create NAME --expiration 90d"
		default:
			finding.Text += ", until " + end.UTC().Format(time.RFC3339)
			if end.Sub(p.now()) < soon {
				finding.Severity, finding.Hint = provider.SeverityWarn, "have another one made in time: turso db tokens create NAME"
			}
		}
	}
	return nil, report(finding)
}

// Interface guards
var (
	_ provider.Provider    = (*provide)(nil)
	_ provider.Identity    = (*provide)(nil)
	_ provider.TokenSource = (*provide)(nil)
)
