package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// Setup implements provider.SetupGuide. It has no Issuer, because tokens of this
// provider's issuers are never sent to a database.
func (p *oidcProvider) Setup(_ context.Context, req provider.SetupRequest) (provider.Setup, error) {
	if err := p.configured(); err != nil {
		return provider.Setup{}, err
	}
	if req.Topic != "" {
		return provider.Setup{}, &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("oidc: there is no setup of %.40q", req.Topic)}
	}
	audience := cmp.Or(req.Audience, p.settings.audience, exampleForAudience)
	addresses := "- `" + strings.Join(oauth.CallbackURLs(p.settings.ports), "`\n- `") + "`"
	if len(p.settings.ports) == 0 {
		addresses += "\n\nwith any port (RFC 8252 section 7.3). Where the issuer compares ports, too, set `ports` to a few and register each."
	}
	setup := provider.Setup{
		Steps: []provider.SetupStep{
			{
				Title: "For people: make an application for terminals at the issuer",
				Text: "- Native, public (no secret), with PKCE\n- Grants: authorization code, refresh token; device code where people sign in without a browser\n- Redirect addresses:\n" + addresses +
					"\n\nPut its client id into `client_id`, and the issuer into `issuer`.",
			},
			{
				Title: "For GitHub Actions: let the job ask for its token",
				Text:  "```yaml\npermissions:\n  id-token: write\n  contents: read\n```",
			},
			{
				Title: "For GitLab: declare the job's token",
				Text:  "```yaml\nid_tokens:\n  " + gitLabTokenInAJob + ":\n    aud: " + audience + "\n```",
			},
			{
				Title: "For Kubernetes: project a token",
				Text:  "```yaml\nserviceAccountToken: {audience: " + audience + ", expirationSeconds: 3600, path: token}\n```\n\nSet `token_file` to where it is mounted, and `workload_issuer` to the cluster's issuer.",
			},
			{
				Title: "Say whom you trust, where tokens are made",
				Text:  "Hold a CI issuer, which anyone can use, to ids that no one else can have: `repository_id`, `repository_owner_id`, `environment`, `ref` at GitHub; `project_id`, `ref`, `ref_protected` at GitLab. Names are given away again, and the form of `sub` changes.",
			},
		},
	}
	if u, err := url.Parse(p.settings.issuer); err == nil && u.Host != "" {
		setup.Endpoints = []string{u.Scheme + "://" + u.Host}
	}
	return setup, nil
}
