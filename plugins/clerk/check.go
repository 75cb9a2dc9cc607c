package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
)

// Check implements provider.Provider.
func (p *clerkProvider) Check(ctx context.Context, req provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	if err := p.configured(); err != nil {
		return nil, report(provider.Failed("publishable-key", err))
	}
	for _, check := range []func(context.Context) provider.Finding{
		p.checkKey, p.checkKeySet, p.checkClock, p.checkNativeAPI, p.checkBridge, p.checkOAuth,
	} {
		if err := report(check(ctx)); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, httpclient.Failure("clerk: check", context.Cause(ctx))
		}
	}
	findings, renewed := p.checkTokens(ctx, req)
	for _, f := range findings {
		if err := report(f); err != nil {
			return renewed, err
		}
	}
	return renewed, nil
}

func (p *clerkProvider) checkKey(context.Context) provider.Finding {
	kind := "development"
	if p.settings.instance.Production {
		kind = "production"
	}
	return provider.Passed("publishable-key", "%s instance at %s", kind, p.settings.instance.Host)
}

func (p *clerkProvider) checkKeySet(ctx context.Context) provider.Finding {
	keys, err := p.keys.Keys(ctx)
	if err != nil {
		return provider.Failed("jwks", err)
	}
	ids := make([]string, len(keys))
	for i, key := range keys {
		ids[i] = fmt.Sprintf("%.60q", key.ID)
	}
	return provider.Passed("jwks", "%s has the keys %s", p.settings.instance.KeySetURL(), strings.Join(ids, ", "))
}

// checkClock compares with the Date of an answer.
func (p *clerkProvider) checkClock(ctx context.Context) provider.Finding {
	const what = "ask for the time"
	res, err := p.get(ctx, what, p.settings.instance.KeySetURL())
	if err != nil {
		return provider.Failed("clock", err)
	}
	date, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return provider.Failed("clock", clerk.Unavailable(what, "the answer has no date"))
	}
	return jwks.CheckClock("Clerk", date, p.now())
}

func (p *clerkProvider) checkNativeAPI(ctx context.Context) provider.Finding {
	if err := p.frontend.Probe(ctx); err != nil {
		return provider.Failed("native-api", err)
	}
	return provider.Passed("native-api", "the Native API is enabled")
}

func (p *clerkProvider) checkBridge(ctx context.Context) provider.Finding {
	if p.settings.bridge == nil {
		return provider.Finding{
			ID: "bridge", Severity: provider.SeveritySkipped, Text: "bridge_url is not set: the methods bridge and redirect can't be used",
		}
	}
	res, err := p.get(ctx, "open the bridge page", p.settings.bridge.String())
	if err != nil {
		return provider.Failed("bridge", err)
	}
	// Without parameters the page may refuse or send to a sign-in page.
	if res.StatusCode == http.StatusNotFound || res.StatusCode >= 500 {
		return provider.Failed("bridge", clerk.Unavailable("open the bridge page", fmt.Sprintf("%s answered %s", p.settings.bridge.Host, res.Status)))
	}
	return provider.Passed("bridge", "%s answers", p.settings.bridge.Host)
}

// get requests a page without reading its body.
func (p *clerkProvider) get(ctx context.Context, what, address string) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, clerk.CallTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, clerk.Unavailable(what, "the request can't be made")
	}
	req.Header.Set("User-Agent", p.userAgent())
	res, err := p.client.Do(req)
	if err != nil {
		return nil, httpclient.Failure("clerk: "+what, err)
	}
	return res, res.Body.Close()
}
