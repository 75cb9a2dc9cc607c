package main

import (
	"context"
	"slices"

	"github.com/zen-auth/zen/core/provider"
)

// Assertion implements provider.AssertionSource: the assertion is the key itself, which
// its recipient has Clerk verify. Clerk doesn't bind keys to an audience.
func (p *apiKey) Assertion(_ context.Context, req provider.AssertionRequest) (provider.Assertion, *provider.Credential, error) {
	if !slices.Contains(req.Kinds, provider.AssertionClerkAPIKey) {
		return provider.Assertion{}, nil, permissionError("have the tokens made by a provider that takes Clerk API keys", "an API key is no assertion of the kinds %q", req.Kinds)
	}
	h, err := p.hold(&req.Credential)
	if err != nil {
		return provider.Assertion{}, nil, err
	}
	return provider.Assertion{Kind: provider.AssertionClerkAPIKey, Value: h.key, Expires: req.Credential.Expires}, nil, nil
}
