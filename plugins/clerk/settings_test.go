package main

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

func encodeKey(prefix, decoded string) string {
	return prefix + base64.RawStdEncoding.EncodeToString([]byte(decoded))
}

func TestParseSettings(t *testing.T) {
	key := encodeKey("pk_test_", "a.b$")
	for name, settings := range map[string]provider.Settings{
		"bridge by http":      {keyBridgeURL: provider.NewSecret("http://app.example/cli")},
		"bridge with a user":  {keyBridgeURL: provider.NewSecret("https://u:planted@app.example/cli")},
		"bridge, fragment":    {keyBridgeURL: provider.NewSecret("https://app.example/cli#x")},
		"bridge, no host":     {keyBridgeURL: provider.NewSecret("/cli")},
		"bridge, odd scheme":  {keyBridgeURL: provider.NewSecret("javascript:alert(1)")},
		"template, path":      {keyTemplate: provider.NewSecret("../end")},
		"template, slash":     {keyReadOnlyTemplate: provider.NewSecret("a/b")},
		"template, long":      {keyTemplate: provider.NewSecret(strings.Repeat("a", 129))},
		"backend by http":     {keyBackendURL: provider.NewSecret("http://api.example")},
		"no openid":           {keyOAuthScopes: provider.NewSecret("profile email")},
		"bad client id":       {keyOAuthClientID: provider.NewSecret("a client")},
		"no publishable key":  {keyPublishableKey: provider.Secret{}},
		"bad publishable key": {keyPublishableKey: provider.NewSecret("pk_x")},
	} {
		if _, ok := settings[keyPublishableKey]; !ok {
			settings[keyPublishableKey] = provider.NewSecret(key)
		}
		_, err := newProvider("").Configure(t.Context(), settings)
		if !errors.Is(err, provider.ErrConfig) || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: Configure = %v", name, err)
		}
	}
	p := newProvider("")
	notes, err := p.Configure(t.Context(), provider.Settings{keyPublishableKey: provider.NewSecret(key)})
	if err != nil || len(notes) != 0 || p.settings.template != "turso" || !slices.Equal(p.settings.oauthScopes, strings.Fields(defaultScopes)) {
		t.Errorf("Configure = %v, %v, %+v", notes, err, p.settings)
	}
}
