package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/plugin/plugintest"
	"github.com/zen-auth/zen/core/provider"
)

// binary is the name under which the test binary acts as the provider.
const binary = "zen-provider-openbao"

func TestMain(m *testing.M) {
	if strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") == binary {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestProcess sends settings, an assertion and a credential to a process, gets a token
// and a credential back, and checks that errors keep their class.
func TestProcess(t *testing.T) {
	f := newFakeBao(t)
	path := plugintest.Self(t, "openbao")
	log, err := os.Create(filepath.Join(t.TempDir(), "log")) // the process may write to it until it has ended
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	client := plugintest.Start(t, path, provider.Settings{
		keyAddress: provider.NewSecret(f.server.URL), keyRole: provider.NewSecret("app"), keyAuthRole: provider.NewSecret("people"),
	}, log)
	description, err := client.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := description.Needs; n == nil || len(n.Kinds) != 2 || n.AudienceField != keyAudience {
		t.Errorf("needs %+v", description.Needs)
	}
	for _, field := range description.Fields {
		if secret := field.Key == keyToken || field.Key == keySecretID; field.Sensitive != secret || field.Doc == "" {
			t.Errorf("%+v", field)
		}
	}
	req := app
	req.Assertion, req.Claims = assertion(provider.AssertionJWT), of("user_1", "org_1")
	resp, err := client.Token(t.Context(), req)
	if err != nil || resp.Credential == nil || resp.DatabaseID != "id-app" {
		t.Fatalf("Token = %+v, %v", resp, err)
	}
	if err := client.Revoke(t.Context(), *resp.Credential); err != nil || f.tokens["planted-made-1"] {
		t.Errorf("revoke: %v", err)
	}
	req.Assertion.Kind = "saml"
	if _, err := client.Token(t.Context(), req); provider.Kind(err) != provider.ErrPermission {
		t.Errorf("Token = %v", err)
	}
	if text, err := os.ReadFile(log.Name()); err != nil || strings.Contains(string(text), "planted") {
		t.Errorf("a secret is in the log: %s, %v", text, err)
	}
}
