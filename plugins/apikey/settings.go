package main

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
)

// The names of the settings, and the variables of the secret ones, which have no other
// names: an application's secret key in CLERK_SECRET_KEY is not used without being
// configured.
const (
	keyKey              = "key"
	keySecretKey        = "secret_key"
	keyPublishableKey   = "publishable_key"
	keyProxyURL         = "proxy_url"
	keyTemplate         = "template"
	keyReadOnlyTemplate = "read_only_template"
	keyReadScope        = "read_scope"
	keyWriteScope       = "write_scope"
	keyBackendURL       = "backend_url"

	keyVariable       = "ZEN_APIKEY__KEY"
	secretKeyVariable = "ZEN_APIKEY__SECRET_KEY"

	defaultTemplate = "turso"
)

func fields() []provider.Field {
	return []provider.Field{
		{
			Key: keyKey, Type: provider.TypeString, Sensitive: true, Example: "ak_...",
			Doc: "The Clerk API key. Without it, zen login asks for it.",
		},
		{
			Key: keySecretKey, Type: provider.TypeString, Sensitive: true, Example: "sk_live_...",
			Doc: "The Clerk secret key of the instance, for a server of your own that holds it anyway: zen verifies the API key with it. " +
				"Where another provider verifies it (token_provider), leave it out.",
		},
		{
			Key: keyPublishableKey, Type: provider.TypeString, Env: []string{"CLERK_PUBLISHABLE_KEY"}, Example: "pk_live_...",
			FoundAs: []string{"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "VITE_CLERK_PUBLISHABLE_KEY"},
			Doc:     "The instance's publishable key. It is needed beside secret_key.",
		},
		{
			Key: keyProxyURL, Type: provider.TypeURL, Env: []string{"CLERK_PROXY_URL"}, Example: "https://app.example/__clerk",
			Doc: "Where the instance's Frontend API is known by another address than the one in the publishable key: the app's proxyUrl.",
		},
		{
			Key: keyTemplate, Type: provider.TypeString, Default: defaultTemplate,
			Doc: "The JWT template with the claims that turso org jwks template prints, for the keys of users.",
		},
		{
			Key: keyReadOnlyTemplate, Type: provider.TypeString,
			Doc: "The JWT template for read-only access.",
		},
		{
			Key: keyReadScope, Type: provider.TypeString, Default: "db:read",
			Doc: "The scope of a key that may read.",
		},
		{
			Key: keyWriteScope, Type: provider.TypeString, Default: "db:write",
			Doc: "The scope of a key that may read and write.",
		},
		{
			Key: keyBackendURL, Type: provider.TypeURL, Env: []string{"CLERK_API_URL"}, Default: clerk.DefaultBackendURL,
			Doc: "The address of Clerk's Backend API.",
		},
	}
}

// settings are the parsed values of the fields.
type settings struct {
	key, secretKey             provider.Secret
	instance                   *clerk.Instance // nil without a publishable key
	template, readOnlyTemplate string
	readScope, writeScope      string
	backendURL                 string
}

func parseSettings(values provider.Settings) (settings, error) {
	s := settings{
		key:              provider.NewSecret(strings.TrimSpace(values.Get(keyKey))),
		secretKey:        provider.NewSecret(strings.TrimSpace(values.Get(keySecretKey))),
		template:         cmp.Or(values.Get(keyTemplate), defaultTemplate),
		readOnlyTemplate: values.Get(keyReadOnlyTemplate),
		readScope:        cmp.Or(values.Get(keyReadScope), "db:read"),
		writeScope:       cmp.Or(values.Get(keyWriteScope), "db:write"),
		backendURL:       cmp.Or(values.Get(keyBackendURL), clerk.DefaultBackendURL),
	}
	if !s.key.IsZero() {
		if err := checkAPIKey(s.key, keyVariable); err != nil {
			return s, err
		}
	}
	var instance clerk.Instance
	if text := values.Get(keyPublishableKey); text != "" {
		var err error
		if instance, err = clerk.ParseKey(text); err != nil {
			return s, err
		}
		s.instance = &instance
	}
	if proxy := values.Get(keyProxyURL); proxy != "" {
		var err error
		if instance, err = instance.Behind(proxy); err != nil {
			return s, err
		}
	}
	for key, name := range map[string]string{keyTemplate: s.template, keyReadOnlyTemplate: s.readOnlyTemplate} {
		if !isTemplateName(name) {
			return s, configError("change the setting "+key, "%s: %.40q is not the name of a JWT template (letters, digits, - and _)", key, name)
		}
	}
	if s.readScope == s.writeScope {
		return s, configError("name two scopes", "%s and %s are the same", keyReadScope, keyWriteScope)
	}
	u, err := url.Parse(s.backendURL)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "https" && !(u.Scheme == "http" && provider.IsLoopback(u.Hostname())) {
		return s, configError("for example "+clerk.DefaultBackendURL, "%s is neither https nor http on loopback, or has more than a host and a path", keyBackendURL)
	}
	return s, s.checkSecretKey()
}

// checkSecretKey refuses a value that is certainly another kind of key, before it is sent
// anywhere, and keys of different instances.
func (s settings) checkSecretKey() error {
	if s.secretKey.IsZero() {
		return nil
	}
	kind := clerk.KindOfKey(s.secretKey.Reveal())
	switch {
	case kind == clerk.KeyAPI:
		return configError("the API key belongs in "+keyVariable, "%s is %s", secretKeyVariable, kind)
	case kind != clerk.KeySecret:
		return configError("the API keys page of the Clerk dashboard has it: sk_...", "%s is %s", secretKeyVariable, cmp.Or(kind, "no secret key of Clerk's"))
	case provider.Token{Value: s.secretKey}.ValidateValue() != nil:
		return configError("copy it again from the Clerk dashboard", "%s has a character that no key has", secretKeyVariable)
	case s.instance == nil:
		return configError("set CLERK_PUBLISHABLE_KEY, or publishable_key under [providers.apikey]", "%s is set, and %s is not: it names the instance", secretKeyVariable, keyPublishableKey)
	case strings.HasPrefix(s.secretKey.Reveal(), "sk_live_") != s.instance.Production:
		return configError("take both from the same instance", "%s and %s are of a production and a development instance", secretKeyVariable, keyPublishableKey)
	}
	return nil
}

// checkAPIKey refuses a value that is certainly no API key. where says where it was
// found.
func checkAPIKey(key provider.Secret, where string) error {
	const hint = "the Clerk dashboard, and the backend that made it, show an API key (ak_...) once"
	switch kind := clerk.KindOfKey(key.Reveal()); kind {
	case clerk.KeyAPI:
		return nil
	case clerk.KeySecret:
		return configError("an API key (ak_...) belongs there; roll the secret key if it was stored anywhere", "%s is %s", where, kind)
	case clerk.KeyUnknown:
		return configError(hint, "%s is no Clerk API key", where)
	default:
		return configError(hint, "%s is %s", where, kind)
	}
}

func isTemplateName(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	return len(name) <= 128 && strings.Trim(name, letters) == ""
}

func configError(hint, format string, args ...any) error {
	return &provider.Error{Kind: provider.ErrConfig, Message: "apikey: " + fmt.Sprintf(format, args...), Hint: hint}
}
