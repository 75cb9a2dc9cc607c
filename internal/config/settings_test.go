package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
)

func clerkFields() []provider.Field {
	return []provider.Field{
		{Key: "publishable_key", Type: provider.TypeString, Required: true, Env: []string{"CLERK_PUBLISHABLE_KEY", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"}},
		{Key: "bridge_url", Type: provider.TypeURL},
		{Key: "api_key", Type: provider.TypeString, Sensitive: true},
		{Key: "timeout", Type: provider.TypeDuration, Default: "30s", Doc: "how long to wait"},
		{Key: "port", Type: provider.TypeInt},
		{Key: "pinned", Type: provider.TypeBool},
		{Key: "template", Type: provider.TypeString},
	}
}

func TestSettings(t *testing.T) {
	h := newHome(t, typical)
	h.environ = append(h.environ,
		"ZEN_CLERK__BRIDGE_URL=http://127.0.0.1:1/cli", "ZEN_CLERK__API_KEY=planted", "ZEN_CLERK__PORT=",
		"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY=pk_2", "CLERK_PUBLISHABLE_KEY=pk_1", "ZEN_CLERK_X__Y=other provider")
	resolved, err := h.mustLoad().Resolve(clerkFields(), "clerk")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range resolved {
		got[s.Field.Key] = s.Value.Reveal() + " from " + strings.ReplaceAll(s.Origin.String(), h.user, "USER")
	}
	want := map[string]string{
		"publishable_key": "pk_1 from environment CLERK_PUBLISHABLE_KEY",
		"bridge_url":      "http://127.0.0.1:1/cli from environment ZEN_CLERK__BRIDGE_URL",
		"api_key":         "planted from environment ZEN_CLERK__API_KEY",
		"timeout":         "30s from default",
		"port":            "7777 from user file USER:18",
		"pinned":          "true from user file USER:19",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	h.environ = append(h.environ, "ZEN_CLERK__PUBLISHABLE_KEY=pk_0")
	settings, err := h.mustLoad().Settings(clerkFields(), "clerk")
	if err != nil {
		t.Fatal(err)
	}
	if settings.Get("publishable_key") != "pk_0" || settings.Get("template") != "" || len(settings) != 6 {
		t.Errorf("publishable_key = %q, %d settings", settings.Get("publishable_key"), len(settings))
	}
}

func TestVariable(t *testing.T) {
	if got := config.Variable("my-idp", "api_token"); got != "ZEN_MY_IDP__API_TOKEN" {
		t.Error(got)
	}
}

func TestBadSettings(t *testing.T) {
	const required = "[providers.clerk]\npublishable_key = \"pk\"\n"
	tests := map[string]struct {
		file     string
		environ  []string
		provider string
		fields   []provider.Field
		text     string
		hint     string
	}{
		"required":           {file: "[providers.clerk]\n", text: "provider clerk: publishable_key is not set", hint: "set ZEN_CLERK__PUBLISHABLE_KEY, or publishable_key under [providers.clerk] in "},
		"required is empty":  {file: "[providers.clerk]\npublishable_key = \"\"\n", text: "provider clerk: publishable_key is not set"},
		"unknown in file":    {file: required + "tmplate = \"x\"\n", text: `provider clerk has no setting "tmplate" (user file USER:3)`, hint: "did you mean template? known: api_key, bridge_url, "},
		"unknown variable":   {file: required, environ: []string{"ZEN_CLERK__BRIDGEURL=planted"}, text: `provider clerk has no setting "bridgeurl" (environment ZEN_CLERK__BRIDGEURL)`, hint: "did you mean bridge_url?"},
		"secret in file":     {file: required + "api_key = \"planted\"\n", text: "provider clerk: api_key is a secret, which has no place in a file (user file USER:3)", hint: "set ZEN_CLERK__API_KEY"},
		"url":                {file: required + "bridge_url = \"app.example\"\n", text: "bridge_url is not a whole URL like https://example.com (user file USER:3)"},
		"url with userinfo":  {file: required, environ: []string{"ZEN_CLERK__BRIDGE_URL=https://a:planted@x.io"}, text: "bridge_url is a URL with a user name or a password (environment ZEN_CLERK__BRIDGE_URL)"},
		"url in clear":       {file: required + "bridge_url = \"http://app.example\"\n", text: "bridge_url is http:// on a host that is not this machine"},
		"duration":           {file: required + "timeout = \"90\"\n", text: "timeout is not a duration like 90s or 12h (user file USER:3)", hint: "how long to wait"},
		"negative duration":  {file: required + "timeout = \"-1s\"\n", text: "timeout is not a duration"},
		"int":                {file: required, environ: []string{"ZEN_CLERK__PORT=1e3"}, text: "port is not an integer (environment ZEN_CLERK__PORT)"},
		"bool":               {file: required, environ: []string{"ZEN_CLERK__PINNED=yes"}, text: "pinned is not true or false"},
		"string for an int":  {file: required + "port = \"1\"\n", text: "port is of type string and has to be int (user file USER:3)"},
		"bool for a string":  {file: required + "template = true\n", text: "template is of type bool and has to be string"},
		"provider name":      {provider: "../clerk", text: `"../clerk" is not the name of a provider`},
		"another's variable": {fields: []provider.Field{{Key: "k", Env: []string{"ZEN_PLATFORMTOKEN__API_TOKEN"}}}, text: "provider clerk asks for the variable ZEN_PLATFORMTOKEN__API_TOKEN, which is not its own"},
		"unknown type":       {fields: []provider.Field{{Key: "k", Type: "regex", Default: "."}}, text: `k has the type "regex", which this version does not know`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHome(t, test.file)
			h.environ = append(h.environ, test.environ...)
			if test.fields == nil {
				test.fields = clerkFields()
			}
			if test.provider == "" {
				test.provider = "clerk"
			}
			_, err := h.mustLoad().Settings(test.fields, test.provider)
			wantConfigError(t, err, strings.ReplaceAll(test.text, "USER", h.user), test.hint)
			if strings.Contains(err.Error(), "planted") {
				t.Errorf("error repeats the value: %s", err)
			}
		})
	}
}

func TestSettingsHash(t *testing.T) {
	const file = "[providers.clerk]\na = \"1\"\nb = true\n[providers.other]\na = \"1\"\n"
	hash := func(file string, environ ...string) string {
		h := newHome(t, file)
		h.environ = append(h.environ, environ...)
		return h.mustLoad().SettingsHash("clerk", []string{"CLERK_KEY", "UNSET"})
	}
	base := hash(file)
	if len(base) != 64 {
		t.Errorf("hash = %s", base)
	}
	same := map[string]string{
		"another layout of the file":     hash("# c\n\n[providers]\nclerk = { b = true, a = '1' }\n"),
		"a variable of another provider": hash(file, "ZEN_OTHER__A=2", "ZEN_CLERKX__A=2", "ZEN_CLERK=2"),
		"foreign variable":               hash(file, "UNRELATED=2"),
		"a profile":                      hash(file + "[profiles.x]\naccess = \"ro\"\n"),
		"an empty variable":              hash(file, "CLERK_KEY="),
		"the same again":                 hash(file),
	}
	for name, got := range same {
		if got != base {
			t.Errorf("%s changes the hash", name)
		}
	}
	seen := map[string]string{base: "base"}
	for name, got := range map[string]string{
		"another value":                      hash(strings.Replace(file, `"1"`, `"2"`, 1)),
		"another type":                       hash(strings.Replace(file, `true`, `"true"`, 1)),
		"another key":                        hash(strings.Replace(file, `a =`, `c =`, 1)),
		"an overriding variable":             hash(file, "ZEN_CLERK__A=1"),
		"extra variable":                     hash(file, "CLERK_KEY=1"),
		"a value that contains the next key": hash("[providers.clerk]\na = \"1b\"\n"),
	} {
		if other, dup := seen[got]; dup {
			t.Errorf("%s and %s hash alike", name, other)
		}
		seen[got] = name
	}
}
