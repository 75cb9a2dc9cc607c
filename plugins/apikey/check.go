package main

import (
	"context"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// soon is how long before a key's expiry the warnings start.
const soon = 7 * 24 * time.Hour

// Check implements provider.Provider. It starts no session, because that would be a
// change.
func (p *apiKey) Check(ctx context.Context, req provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	h, err := p.hold(req.Credential)
	if err != nil {
		return nil, report(provider.Finding{ID: "api-key", Severity: provider.SeveritySkipped, Text: err.Error(), Hint: provider.Hint(err)})
	}
	if p.backend == nil {
		if req.Audience == "" && h.ID != "" { // it was verified before
			return nil, report(provider.Failed("way", errNoWay))
		}
		return nil, report(provider.Finding{
			ID: "way", Severity: provider.SeverityOK, Text: "the key is for a provider that has Clerk verify it; nothing of it is checked here",
		})
	}
	// It was chosen, and the sign-in warns of it.
	chosen := provider.Passed("secret-key", "this machine holds a Clerk secret key (%s), by which anyone who reads it can act as any user of this Clerk instance", secretKeyVariable)
	if err := report(chosen); err != nil {
		return nil, err
	}
	finding, good := p.checkKey(ctx, h)
	if err := report(finding); err != nil || !good {
		return nil, err
	}
	return nil, report(p.checkNativeAPI(ctx))
}

func (p *apiKey) checkKey(ctx context.Context, h held) (finding provider.Finding, good bool) {
	k, err := p.verify(ctx, h)
	if err != nil {
		return provider.Failed("api-key", err), false
	}
	rights, err := p.settings.rightsOf(k)
	if err != nil {
		return provider.Failed("api-key", err), false
	}
	finding = provider.Finding{ID: "api-key", Severity: provider.SeverityOK, Text: k.Label()}
	if rights != nil {
		finding.Text += ", for " + string(rights.Access)
	}
	switch {
	case k.Expires.IsZero():
		finding.Text += ", without an end"
	default:
		finding.Text += ", until " + k.Expires.Format(time.RFC3339)
		if k.Expires.Sub(p.now()) < soon {
			finding.Severity, finding.Hint = provider.SeverityWarn, "have another key made in time"
		}
	}
	return finding, true
}

func (p *apiKey) checkNativeAPI(ctx context.Context) provider.Finding {
	if err := p.frontend.Probe(ctx); err != nil {
		return provider.Failed("native-api", err)
	}
	return provider.Passed("native-api", "the Native API is enabled")
}
