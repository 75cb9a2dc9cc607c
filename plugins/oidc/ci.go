package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/provider"
)

const (
	// askTimeout is the timeout of one request for a token.
	askTimeout = 15 * time.Second
	// maxToken is the largest token, the same as in zen.
	maxToken = 16 << 10
)

// github is a job of GitHub Actions (docs.github.com, OpenID Connect; actions/toolkit,
// oidc-utils.ts).
type github struct {
	url    string
	bearer provider.Secret
}

func newGitHub(values provider.Settings) (place, error) {
	g := github{values.Get(keyGitHubURL), values[keyGitHubToken]}
	switch {
	case g.url == "" || g.bearer.IsZero():
		return nil, bad(keyWorkload, "give the job permissions: id-token: write", "github: ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN are not both set")
	case !isSecure(g.url, true):
		return nil, bad(keyGitHubURL, "", "it is not an https URL")
	}
	return g, nil
}

func (g github) issuer() string { return "https://token.actions.githubusercontent.com" }

func (g github) declare(string) string { return "" }

func (g github) token(ctx context.Context, client *http.Client, audience string) (provider.Secret, error) {
	u, err := url.Parse(g.url)
	if err != nil {
		return provider.Secret{}, bad(keyGitHubURL, "", "it is not a URL")
	}
	query := u.Query()
	if audience != "" {
		query.Set("audience", audience)
	}
	u.RawQuery = query.Encode()
	var answer struct {
		Value string `json:"value"`
	}
	err = ask(ctx, client, request{what: "ask GitHub Actions for a token", address: u.String(), authorization: "Bearer " + g.bearer.Reveal(), refused: "give the job permissions: id-token: write"}, &answer)
	return provider.NewSecret(answer.Value), err
}

// buildkite is a job of Buildkite (buildkite/agent, api/oidc.go).
type buildkite struct {
	base, job string
	agent     provider.Secret
}

func newBuildkite(values provider.Settings) (place, error) {
	b := buildkite{strings.TrimSuffix(values.Get(keyBuildkiteURL), "/"), values.Get(keyBuildkiteJob), values[keyBuildkiteToken]}
	b.base = cmp.Or(b.base, defaultBuildkite)
	switch {
	case b.job == "" || b.agent.IsZero():
		return nil, bad(keyWorkload, "it has to be a step of a build", "buildkite: BUILDKITE_JOB_ID and BUILDKITE_AGENT_ACCESS_TOKEN are not both set")
	case !isSecure(b.base, false):
		return nil, bad(keyBuildkiteURL, "", "it is not an https URL")
	}
	return b, nil
}

func (b buildkite) issuer() string { return "https://agent.buildkite.com" }

func (b buildkite) declare(string) string { return "" }

func (b buildkite) token(ctx context.Context, client *http.Client, audience string) (provider.Secret, error) {
	body := map[string]any{}
	if audience != "" {
		body["audience"] = audience
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return provider.Secret{}, err
	}
	var answer struct {
		Token string `json:"token"`
	}
	err = ask(ctx, client, request{
		what: "ask Buildkite for a token", address: b.base + "/jobs/" + url.PathEscape(b.job) + "/oidc/tokens", body: encoded,
		authorization: "Token " + b.agent.Reveal(), refused: "is this still the job's own agent?",
	}, &answer)
	return provider.NewSecret(answer.Token), err
}

// google is a service account on Google Cloud (cloud.google.com, Verify the identity of a
// VM), from the metadata server, which is plain http by design.
type google struct{ host string }

func newGoogle(values provider.Settings) (place, error) {
	g := google{values.Get(keyMetadataHost)}
	g.host = cmp.Or(g.host, defaultMetadata)
	if u, err := url.Parse("http://" + g.host); err != nil || u.Host != g.host || u.Hostname() == "" {
		return nil, bad(keyMetadataHost, "for example "+defaultMetadata, "%.100q is not a host", g.host)
	}
	return g, nil
}

func (g google) issuer() string { return "https://accounts.google.com" }

func (g google) declare(string) string { return "" }

func (g google) token(ctx context.Context, client *http.Client, audience string) (provider.Secret, error) {
	if audience == "" {
		audience = "zen" // Google requires one
	}
	query := url.Values{"audience": {audience}, "format": {"full"}}
	// The metadata server belongs to this machine: a proxy would not reach it, or would
	// get its own machine's token.
	direct := *client
	if transport, ok := client.Transport.(*http.Transport); ok {
		transport = transport.Clone()
		transport.Proxy = nil
		defer transport.CloseIdleConnections()
		direct.Transport = transport
	}
	var token text
	err := ask(ctx, &direct, request{
		what: "ask Google's metadata server for a token", address: "http://" + g.host + "/computeMetadata/v1/instance/service-accounts/default/identity?" + query.Encode(),
		flavor: "Google", refused: "does the machine have a service account?",
	}, &token)
	return provider.NewSecret(string(token)), err
}

// given is a job with a token in its environment, for an audience declared in advance.
type given struct {
	value    provider.Secret
	from     string
	declared func(audience string) string
}

func newGitLab(values provider.Settings) (place, error) {
	base := cmp.Or(values.Get(keyGitLabURL), defaultGitLab)
	if !isSecure(base, false) {
		return nil, bad(keyGitLabURL, "", "it is not an https URL")
	}
	if values.Get(keyIDToken) == "" {
		return nil, bad(keyWorkload, "declare it in the job: id_tokens: {"+gitLabTokenInAJob+": {aud: "+exampleForAudience+"}}", "gitlab: %s is not set", gitLabTokenInAJob)
	}
	return given{value: values[keyIDToken], from: base, declared: func(audience string) string {
		return fmt.Sprintf("declare it in the job: id_tokens: {%s: {aud: %s}}", gitLabTokenInAJob, audience)
	}}, nil
}

func newCircleCI(values provider.Settings) (place, error) {
	if values.Get(keyCircleToken) == "" {
		return nil, bad(keyWorkload, "the job needs a context", "circleci: CIRCLE_OIDC_TOKEN_V2 is not set")
	}
	issuer := ""
	if organization := values.Get(keyCircleOrg); organization != "" {
		issuer = "https://oidc.circleci.com/org/" + url.PathEscape(organization)
	}
	return given{value: values[keyCircleToken], from: issuer, declared: func(audience string) string {
		return fmt.Sprintf(`have the job ask for it: CIRCLE_OIDC_TOKEN_V2=$(circleci run oidc get --claims '{"aud": "%s"}') zen ...`, audience)
	}}, nil
}

func (g given) issuer() string { return g.from }

func (g given) declare(audience string) string { return g.declared(audience) }

func (g given) token(context.Context, *http.Client, string) (provider.Secret, error) {
	return provider.NewSecret(strings.TrimSpace(g.value.Reveal())), nil
}

// request is one request for a token.
type request struct {
	what, address string
	// authorization and flavor are headers; a non-empty body makes it a POST.
	authorization, flavor string
	body                  []byte
	// refused is the hint for a 4xx.
	refused string
}

// text is a response that isn't JSON.
type text string

// ask makes the request and decodes the response into out, as JSON or as a *text. It
// follows no redirects.
func ask(ctx context.Context, client *http.Client, r request, out any) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	method, body := http.MethodGet, io.Reader(nil)
	if r.body != nil {
		method, body = http.MethodPost, bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.address, body)
	if err != nil {
		return unavailable(r.what, "the request can't be made")
	}
	for name, value := range map[string]string{"Authorization": r.authorization, "Metadata-Flavor": r.flavor} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, answer, err := httpclient.Do(httpclient.Direct(client), req, 2*maxToken, "oidc: "+r.what)
	switch {
	case err != nil:
		return err
	case res.StatusCode/100 == 4 && res.StatusCode != http.StatusTooManyRequests:
		return &provider.Error{Kind: provider.ErrRejected, Message: fmt.Sprintf("oidc: %s: HTTP %d", r.what, res.StatusCode), Hint: r.refused}
	case res.StatusCode != http.StatusOK:
		return unavailable(r.what, fmt.Sprintf("HTTP %d", res.StatusCode))
	}
	if plain, ok := out.(*text); ok {
		*plain = text(strings.TrimSpace(string(answer)))
		return nil
	}
	if json.Unmarshal(answer, out) != nil {
		return unavailable(r.what, "the answer is not the one that it should be: is there a proxy between?")
	}
	return nil
}

func unavailable(what, reason string) *provider.Error {
	return &provider.Error{Kind: provider.ErrUnavailable, Message: "oidc: " + what + ": " + reason}
}
