package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
)

// The names of the settings.
const (
	keyPublishableKey   = "publishable_key"
	keyProxyURL         = "proxy_url"
	keyBridgeURL        = "bridge_url"
	keyTemplate         = "template"
	keyReadOnlyTemplate = "read_only_template"

	keyAssertionTemplate = "assertion_template"

	keyOAuthClientID = "oauth_client_id"
	keyOAuthScopes   = "oauth_scopes"
	keyBackendURL    = "backend_url"

	defaultTemplate = "turso"
	// Without offline_access there is no refresh token.
	defaultScopes = "openid profile email offline_access"
	// scopeOrganization makes the person choose an organization, which the ID token
	// names.
	scopeOrganization = "user:org:read"
)

func fields() []provider.Field {
	return []provider.Field{
		{
			Key: keyPublishableKey, Type: provider.TypeString, Required: true,
			Env: []string{"CLERK_PUBLISHABLE_KEY"},
			Doc: "The instance's publishable key, pk_test_... or pk_live_.... It names the Frontend API's host; " +
				"a loopback address in it (127.0.0.1, with a port if need be) is spoken to by http.",
			Example: "pk_live_...",
			FoundAs: []string{"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "VITE_CLERK_PUBLISHABLE_KEY", "EXPO_PUBLIC_CLERK_PUBLISHABLE_KEY"},
		},
		{
			Key: keyProxyURL, Type: provider.TypeURL, Env: []string{"CLERK_PROXY_URL"}, Example: "https://app.example/__clerk",
			Doc: "Where the instance's Frontend API is known by another address than the one in the publishable key: the app's proxyUrl, " +
				"or a satellite domain's. It is spoken to there, and the issuer of every token has to be this address.",
			FoundAs: []string{"NEXT_PUBLIC_CLERK_PROXY_URL", "VITE_CLERK_PROXY_URL"},
		},
		{
			Key: keyBridgeURL, Type: provider.TypeURL,
			Doc: "The page of your app that lets a signed-in user authorise a terminal: https, or http on loopback. " +
				"The methods bridge and redirect need it.",
		},
		{
			Key: keyTemplate, Type: provider.TypeString, Default: defaultTemplate,
			Doc: "The JWT template with the claims that turso org jwks template prints.",
		},
		{
			Key: keyReadOnlyTemplate, Type: provider.TypeString,
			Doc: "The JWT template for read-only access. Without it there are no read-only tokens.",
		},
		{
			Key: keyAssertionTemplate, Type: provider.TypeString,
			Doc: "The JWT template that states who signed in to a provider that makes tokens in their name, such as openbao: " +
				"its claim aud is the audience that one names. Without it that is the session token, which has none.",
		},
		{
			Key: keyOAuthClientID, Type: provider.TypeString,
			Doc: "The client id of a public OAuth application of the instance, with the redirect URI http://127.0.0.1/callback. " +
				"The methods oauth and device need it; another provider issues the tokens for databases then.",
		},
		{
			Key: keyOAuthScopes, Type: provider.TypeString, Default: defaultScopes,
			Doc: "What the OAuth application asks for. With user:org:read a person picks an organization, as zen login --org has it, too.",
		},
		{
			Key: keyBackendURL, Type: provider.TypeURL, Env: []string{"CLERK_API_URL"}, Default: clerk.DefaultBackendURL,
			Doc: "The address of Clerk's Backend API, which zen doctor --fix alone uses.",
		},
	}
}

// settings are the parsed values of the fields.
type settings struct {
	instance         clerk.Instance
	bridge           *url.URL // nil if there is none
	template         string
	readOnlyTemplate string
	assertTemplate   string // "" is the session token
	oauthClientID    string // "" if there is no OAuth application
	oauthScopes      []string
	backendURL       string
}

func parseSettings(values provider.Settings) (settings, error) {
	var s settings
	var err error
	if s.instance, err = clerk.ParseKey(values.Get(keyPublishableKey)); err != nil {
		return s, err
	}
	if proxy := values.Get(keyProxyURL); proxy != "" {
		if s.instance, err = s.instance.Behind(proxy); err != nil {
			return s, err
		}
	}
	if bridge := values.Get(keyBridgeURL); bridge != "" {
		if s.bridge, err = parseURL(keyBridgeURL, bridge, "for example https://app.example/cli"); err != nil {
			return s, err
		}
	}
	s.template = cmp.Or(values.Get(keyTemplate), defaultTemplate)
	s.readOnlyTemplate, s.assertTemplate = values.Get(keyReadOnlyTemplate), values.Get(keyAssertionTemplate)
	for key, name := range map[string]string{keyTemplate: s.template, keyReadOnlyTemplate: s.readOnlyTemplate, keyAssertionTemplate: s.assertTemplate} {
		if name != "" && !isTemplateName(name) {
			return s, &provider.Error{
				Kind:    provider.ErrConfig,
				Message: fmt.Sprintf("%s: %.40q is not the name of a JWT template (letters, digits, - and _)", key, name),
			}
		}
	}
	s.backendURL = cmp.Or(values.Get(keyBackendURL), clerk.DefaultBackendURL)
	if _, err := parseURL(keyBackendURL, s.backendURL, "it is "+clerk.DefaultBackendURL); err != nil {
		return s, err
	}
	return s, s.parseOAuth(values)
}

func (s *settings) parseOAuth(values provider.Settings) error {
	s.oauthClientID = values.Get(keyOAuthClientID)
	if s.oauthClientID != "" && !isTemplateName(s.oauthClientID) {
		return &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("%s: %.40q is not the client id of an OAuth application", keyOAuthClientID, s.oauthClientID),
			Hint: "copy it from OAuth applications in the Clerk dashboard",
		}
	}
	s.oauthScopes = strings.Fields(cmp.Or(values.Get(keyOAuthScopes), defaultScopes))
	if !slices.Contains(s.oauthScopes, "openid") {
		return &provider.Error{
			Kind: provider.ErrConfig, Message: keyOAuthScopes + ": openid is not among them: the ID token says who signed in",
			Hint: "for example " + defaultScopes,
		}
	}
	return nil
}

// parseURL doesn't repeat the URL in its errors, since it may contain a password.
func parseURL(key, text, hint string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		err = errors.New("it is not a whole URL")
	case u.User != nil || u.Fragment != "":
		err = errors.New("it has a user name or a fragment")
	case u.Scheme != "https" && !(u.Scheme == "http" && provider.IsLoopback(u.Hostname())):
		err = errors.New("it is neither https nor http on loopback")
	default:
		return u, nil
	}
	return nil, &provider.Error{Kind: provider.ErrConfig, Message: key + ": " + err.Error(), Hint: hint}
}

func isTemplateName(name string) bool {
	return name != "" && len(name) <= 128 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// templateFor picks the template for an access.
func (s settings) templateFor(access provider.Access) (string, error) {
	if access != provider.AccessReadOnly {
		return s.template, nil
	}
	if s.readOnlyTemplate == "" {
		return "", &provider.Error{
			Kind:    provider.ErrConfig,
			Message: "clerk: there is no template for read-only access",
			Hint:    `make one from "turso org jwks template --scope read-only" and name it in read_only_template`,
		}
	}
	return s.readOnlyTemplate, nil
}
