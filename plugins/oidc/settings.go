package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// The names of the settings.
const (
	keyIssuer         = "issuer"
	keyClientID       = "client_id"
	keyClientSecret   = "client_secret"
	keyScopes         = "scopes"
	keyPorts          = "ports"
	keyAudience       = "audience"
	keyWorkload       = "workload"
	keyWorkloadIssuer = "workload_issuer"
	keyTokenFile      = "token_file"

	// The variables that CI systems and clouds set in a job's environment.
	keyGitHubURL       = "github_request_url"
	keyGitHubToken     = "github_request_token"
	keyIDToken         = "id_token"
	keyGitLab          = "gitlab"
	keyGitLabURL       = "gitlab_url"
	keyBuildkiteToken  = "buildkite_token"
	keyBuildkiteJob    = "buildkite_job"
	keyBuildkiteURL    = "buildkite_url"
	keyCircleToken     = "circleci_token"
	keyCircleOrg       = "circleci_organization"
	keyMetadataHost    = "google_metadata_host"
	keySPIFFESocket    = "spiffe_socket"
	defaultBuildkite   = "https://agent.buildkite.com/v3"
	defaultGitLab      = "https://gitlab.com"
	defaultMetadata    = "metadata.google.internal"
	gitLabTokenInAJob  = "ZEN_OIDC__ID_TOKEN"
	exampleForAudience = "https://vault.example.com"
)

func fields() []provider.Field {
	found := func(key string, sensitive bool, doc string, env ...string) provider.Field {
		return provider.Field{Key: key, Type: provider.TypeString, Sensitive: sensitive, Env: env, Doc: doc + " Found by itself."}
	}
	return []provider.Field{
		{
			Key: keyIssuer, Type: provider.TypeString, Example: "https://login.example.com/realms/staff",
			FoundAs: []string{"OIDC_ISSUER", "OIDC_ISSUER_URL", "AUTH_OKTA_ISSUER", "AUTH_KEYCLOAK_ISSUER"},
			Doc:     "The OpenID issuer for people, exactly as it names itself, with the slash at its end if it has one.",
		},
		{Key: keyClientID, Type: provider.TypeString, Doc: "The client id of the issuer's application for terminals. People sign in with it."},
		{Key: keyClientSecret, Type: provider.TypeString, Sensitive: true, Doc: "The secret of that application, where the issuer gives one to native applications, too (Google)."},
		{Key: keyScopes, Type: provider.TypeString, Doc: "The scopes to ask for, with spaces; if not set, openid profile email offline_access, as far as the issuer has them."},
		{
			Key: keyPorts, Type: provider.TypeString, Example: "53682,53683,53684",
			Doc: "The ports of 127.0.0.1 that are registered with the issuer, with commas, if it compares them (Okta); if not set, any port.",
		},
		{
			Key: keyAudience, Type: provider.TypeString, Example: exampleForAudience,
			Doc: "The audience of a workload's statements, if the provider that makes tokens names none.",
		},
		{
			Key: keyWorkload, Type: provider.TypeString,
			Doc: "Where a workload runs: " + strings.Join(placeNames(), ", ") + "; detected if not set (google only by its variable).",
		},
		{
			Key: keyWorkloadIssuer, Type: provider.TypeString,
			Doc: "The issuer of a workload's statements, to the letter. Those of GitHub, GitLab, Buildkite, CircleCI and Google are known.",
		},
		{Key: keyTokenFile, Type: provider.TypeString, Doc: "The file with a workload's token: a projected one of Kubernetes, or a JWT-SVID."},
		found(keyGitHubURL, false, "Where a job of GitHub Actions asks for its token (permissions: id-token: write).", "ACTIONS_ID_TOKEN_REQUEST_URL"),
		found(keyGitHubToken, true, "What it asks with.", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
		{Key: keyIDToken, Type: provider.TypeString, Sensitive: true, Doc: "The token of a GitLab job, which declares " + gitLabTokenInAJob + " among its id_tokens."},
		found(keyGitLab, false, "Whether this is a GitLab job.", "GITLAB_CI"),
		found(keyGitLabURL, false, "The GitLab that runs the job.", "CI_SERVER_URL"),
		found(keyBuildkiteToken, true, "What a job of Buildkite asks for its token with.", "BUILDKITE_AGENT_ACCESS_TOKEN"),
		found(keyBuildkiteJob, false, "The job of Buildkite.", "BUILDKITE_JOB_ID"),
		found(keyBuildkiteURL, false, "The agent API of Buildkite.", "BUILDKITE_AGENT_ENDPOINT"),
		found(keyCircleToken, true, "The token of a CircleCI job.", "CIRCLE_OIDC_TOKEN_V2"),
		found(keyCircleOrg, false, "The organization of a CircleCI job.", "CIRCLE_ORGANIZATION_ID"),
		found(keyMetadataHost, false, "The metadata server of Google Cloud.", "GCE_METADATA_HOST"),
		found(keySPIFFESocket, false, "The SPIFFE Workload API, as unix:///PATH.", "SPIFFE_ENDPOINT_SOCKET"),
	}
}

// settings are the parsed values of the fields.
type settings struct {
	issuer   string
	clientID string
	secret   provider.Secret
	scopes   []string
	ports    []int
	audience string
	// workload is the detected or configured place; nil if there is none.
	workload place
	// workloadName is its name, workloadIssuer the iss of its statements.
	workloadName, workloadIssuer string
}

func parseSettings(values provider.Settings) (settings, error) {
	s := settings{
		issuer: values.Get(keyIssuer), clientID: values.Get(keyClientID), secret: values[keyClientSecret], audience: values.Get(keyAudience),
		workloadIssuer: values.Get(keyWorkloadIssuer), scopes: strings.Fields(values.Get(keyScopes)),
	}
	var err error
	for key, issuer := range map[string]string{keyIssuer: s.issuer, keyWorkloadIssuer: s.workloadIssuer} {
		if issuer != "" && !isSecure(issuer, false) {
			return s, bad(key, "for example https://login.example.com/realms/staff", "%.200q is not an https URL (or http on loopback) without user name, query and fragment", provider.ShownURL(issuer))
		}
	}
	if len(s.clientID) > 255 || strings.ContainsFunc(s.clientID, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return s, bad(keyClientID, "copy it from the application's settings at the issuer", "%.60q is not a client id", s.clientID)
	}
	if !s.secret.IsZero() && s.clientID == "" {
		return s, bad(keyClientSecret, "set client_id, too", "it is of no application")
	}
	if err := checkScopes(s.scopes); err != nil {
		return s, err
	}
	if s.ports, err = oauth.ParsePorts(values.Get(keyPorts)); err != nil {
		return s, bad(keyPorts, "for example 53682,53683,53684", "%v", err)
	}
	if len(s.audience) > 1000 || strings.ContainsFunc(s.audience, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return s, bad(keyAudience, "for example "+exampleForAudience, "%.60q is not an audience", s.audience)
	}
	s.workloadName, s.workload, err = findPlace(values)
	return s, err
}

func checkScopes(scopes []string) error {
	for _, scope := range scopes {
		if strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) { // RFC 6749 section 3.3
			return bad(keyScopes, "", "%.40q is not a scope", scope)
		}
	}
	if len(scopes) > 0 && !slices.Contains(scopes, "openid") {
		return bad(keyScopes, "add it", "openid is not among them: the issuer would not say who signed in")
	}
	return nil
}

// isSecure reports whether only the host of an address can read what is sent to it.
func isSecure(address string, query bool) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || !query && u.RawQuery != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && provider.IsLoopback(u.Hostname())
}

func bad(key, hint, format string, args ...any) error {
	return &provider.Error{Kind: provider.ErrConfig, Message: "oidc: " + key + ": " + fmt.Sprintf(format, args...), Hint: hint}
}
