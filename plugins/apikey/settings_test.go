package main

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
)

// A publishable key of clerk.example.com$, of a development instance.
const publishable = "pk_test_Y2xlcmsuZXhhbXBsZS5jb20k"

func TestBadSettings(t *testing.T) {
	good := map[string]string{keyKey: "ak_planted+secret/x=", keySecretKey: "sk_test_planted", keyPublishableKey: publishable}
	configure := func(change map[string]string) error {
		values := provider.Settings{}
		all := maps.Clone(good)
		maps.Copy(all, change)
		for key, value := range all {
			if value != "" {
				values[key] = provider.NewSecret(value)
			}
		}
		_, err := newProvider("").Configure(t.Context(), values)
		return err
	}
	if err := configure(nil); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change map[string]string
		want   string
	}{
		"a secret key as the key":                {map[string]string{keyKey: "sk_test_planted"}, "ZEN_APIKEY__KEY is a Clerk secret key"},
		"a publishable key as the key":           {map[string]string{keyKey: publishable}, "ZEN_APIKEY__KEY is a publishable key"},
		"a proxy without a host":                 {map[string]string{keyProxyURL: "/__clerk"}, "proxy_url: it is not a whole URL"},
		"a proxy, and no instance":               {map[string]string{keyProxyURL: "/__clerk", keyPublishableKey: "", keySecretKey: ""}, "proxy_url: it is not a whole URL"},
		"the id of a key":                        {map[string]string{keyKey: "ak_3beecc9c60adb5f9b850e91a8ee1e992"}, "the id of a Clerk API key"},
		"a token as the key":                     {map[string]string{keyKey: "eyJhbGciOiJSUzI1NiJ9.planted.x"}, "ZEN_APIKEY__KEY is a JWT"},
		"a machine's token":                      {map[string]string{keyKey: "mt_planted"}, "machine"},
		"rubbish as the key":                     {map[string]string{keyKey: "planted password"}, "is no Clerk API key"},
		"a key with a line feed":                 {map[string]string{keyKey: "ak_planted\nx"}, "is no Clerk API key"},
		"an API key as the secret key":           {map[string]string{keySecretKey: "ak_planted+x"}, "ZEN_APIKEY__SECRET_KEY is a Clerk API key"},
		"a publishable secret key":               {map[string]string{keySecretKey: publishable}, "ZEN_APIKEY__SECRET_KEY is a publishable key"},
		"rubbish as the secret key":              {map[string]string{keySecretKey: "planted"}, "no secret key of Clerk's"},
		"a secret key with a space":              {map[string]string{keySecretKey: "sk_test_planted x"}, "a character that no key has"},
		"a secret publishable key":               {map[string]string{keyPublishableKey: "sk_test_planted"}, "this is a secret key"},
		"rubbish as publishable":                 {map[string]string{keyPublishableKey: "pk_planted"}, "publishable_key"},
		"no publishable key":                     {map[string]string{keyPublishableKey: ""}, "publishable_key is not"},
		"two instances":                          {map[string]string{keySecretKey: "sk_live_planted"}, "production and a development"},
		"backend by http":                        {map[string]string{keyBackendURL: "http://api.clerk.com"}, "backend_url"},
		"backend with a password":                {map[string]string{keyBackendURL: "https://u:planted@api.clerk.com"}, "backend_url"},
		"a template's path":                      {map[string]string{keyTemplate: "../end"}, "template"},
		"a long template":                        {map[string]string{keyReadOnlyTemplate: strings.Repeat("a", 129)}, "read_only_template"},
		"the same scope for reading and writing": {map[string]string{keyReadScope: "db:write"}, "are the same"},
	} {
		err := configure(test.change)
		if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), test.want) || provider.Hint(err) == "" {
			t.Errorf("%s: configure = %v (%s), want %q", name, err, provider.Hint(err), test.want)
		}
		if err != nil && strings.Contains(err.Error()+provider.Hint(err), "planted") {
			t.Errorf("%s: the secret is in %v", name, err)
		}
	}
}

func FuzzRights(f *testing.F) {
	for _, claims := range []string{`{"a":"ro"}`, `{"perm":[{"t":null,"a":["data_read"]}]}`, `[]`, `"x"`, `{"a":1}`, `{"id":"x","perm":[]}`} {
		f.Add(claims, "db:read")
	}
	s := settings{readScope: "db:read", writeScope: "db:write"}
	f.Fuzz(func(t *testing.T, claims, scope string) {
		d, err := s.rightsOf(clerk.APIKey{ID: "ak_x", Claims: []byte(claims), Scopes: []string{scope}})
		if err != nil {
			if !errors.Is(err, provider.ErrPermission) || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Fatalf("rightsOf = %q", err)
			}
			return
		}
		if d == nil {
			return
		}
		if d.Access != provider.AccessReadOnly && d.Access != provider.AccessReadWrite {
			t.Fatalf("access %q", d.Access)
		}
		for _, p := range d.Permissions {
			if p.Tables != nil && len(p.Tables) == 0 || len(p.Actions) == 0 {
				t.Fatalf("%+v", d)
			}
		}
	})
}

func FuzzHold(f *testing.F) {
	p := newProvider("")
	f.Add(stored{Hash: fingerprint("ak_x"), Key: "ak_x"}.encode().Reveal())
	f.Add(`{"v":1,"hash":"x","session":"sess_/../x"}`)
	f.Fuzz(func(t *testing.T, data string) {
		h, err := p.hold(&provider.Credential{Data: provider.NewSecret(data)})
		if err == nil && (h.key.IsZero() || h.Hash != fingerprint(h.key.Reveal())) {
			t.Fatalf("hold = %+v", h)
		}
	})
}
