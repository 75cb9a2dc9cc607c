package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// Setup implements provider.SetupGuide.
func (p *clerkProvider) Setup(_ context.Context, req provider.SetupRequest) (provider.Setup, error) {
	if err := p.configured(); err != nil {
		return provider.Setup{}, err
	}
	if req.Topic != "" {
		return bridgeSetup(req.Topic)
	}
	const dashboard = "https://dashboard.clerk.com/last-active?path="
	s := p.settings
	setup := provider.Setup{
		Issuer:    s.instance.Verification(),
		Endpoints: []string{s.instance.URL},
		Topics:    bridgeTopics(),
		Steps: []provider.SetupStep{
			{
				Title: "Have Turso know the key set", Text: fmt.Sprintf("Once an organization: `turso org jwks save clerk %s`", s.instance.KeySetURL()),
			},
			{
				Title: fmt.Sprintf("Make the JWT template %s", s.template), URL: dashboard + "jwt-templates",
				Text: templateStep(s.template, "full-access", req.Template),
			},
		},
	}
	add := func(steps ...provider.SetupStep) { setup.Steps = append(setup.Steps, steps...) }
	if s.readOnlyTemplate != "" {
		add(provider.SetupStep{
			Title: fmt.Sprintf("Make the JWT template %s", s.readOnlyTemplate), URL: dashboard + "jwt-templates",
			Text: templateStep(s.readOnlyTemplate, "read-only", req.ReadOnlyTemplate),
		})
	}
	add(
		provider.SetupStep{
			Title: "Have session tokens open nothing", URL: dashboard + "sessions",
			Text: "The same key signs them, and Turso reads a token without its claims as access to every database of every group. Customize session token, and add claims that name no database of yours: `" + closedClaims + "`",
		},
		provider.SetupStep{
			Title: "For sign-ins by a page of your app: take one",
			Text:  fmt.Sprintf("`zen provider setup clerk --topic %s --write DIR` writes it, for a Next.js app; the topics below are others. Its address goes into `%s`.", bridges[0].name, keyBridgeURL),
		},
		provider.SetupStep{
			Title: "Switch the Native API on", URL: dashboard + "native-applications",
			Text: "The methods bridge and email need it; oauth and device don't.",
		},
		provider.SetupStep{
			Title: "For sign-ins without a page of your app: make a public OAuth application", URL: dashboard + "oauth-applications",
			Text: fmt.Sprintf("- Public: on (PKCE, no secret)\n- Redirect URI: `%s`, without a port\n- Scopes: `%s %s`\n\nOr, with Clerk's CLI:\n\n    %s\n\nPut its client id into `%s`. Its tokens are for no database: name a `token_provider`, too.",
				oauth.CallbackURLs(nil)[0], defaultScopes, scopeOrganization, oauthCommand(), keyOAuthClientID),
		},
	)
	for _, t := range []struct{ name, claims, scope string }{{s.template, req.Template, "full-access"}, {s.readOnlyTemplate, req.ReadOnlyTemplate, "read-only"}} {
		if claims, err := parseClaims(t.claims); t.name != "" && err == nil {
			text, _ := json.MarshalIndent(map[string]any{"name": t.name, "claims": claims}, "", "  ") // it was JSON
			setup.Files = append(setup.Files, provider.SetupFile{
				Path: "clerk-template-" + t.name + ".json", Doc: "the JWT template for " + t.scope + ", as Clerk's Backend API takes it", Text: string(text) + "\n",
			})
		}
	}
	return setup, nil
}

// templateStep says how a template is made, by hand and by Clerk's CLI.
func templateStep(name, scope, template string) string {
	const rules = "Take the claims as they are, and no `aud`. No custom signing key; a token lifetime of minutes: nothing takes a token back at Turso."
	claims, err := parseClaims(template)
	if err != nil {
		return fmt.Sprintf("Its claims are what `turso org jwks template --database NAME --scope %s` prints for the database. %s", scope, rules)
	}
	shown, _ := json.MarshalIndent(claims, "    ", "  ")
	body, _ := json.Marshal(map[string]any{"name": name, "claims": claims})
	return fmt.Sprintf("    %s\n\n%s With Clerk's CLI:\n\n    clerk api /jwt_templates -X POST -d %s", shown, rules, quote(string(body)))
}

func oauthCommand() string {
	body, _ := json.Marshal(map[string]any{
		"name": "zen", "public": true, "pkce_required": true, "redirect_uris": oauth.CallbackURLs(nil), "scopes": defaultScopes + " " + scopeOrganization,
	})
	return "clerk api /oauth_applications -X POST -d " + quote(string(body))
}

// quote returns a word of a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
