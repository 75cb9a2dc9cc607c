package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/plugin/plugintest"
	"github.com/zen-auth/zen/core/provider"
)

// binary is the name under which the test binary acts as the provider.
const binary = "zen-provider-platformtoken"

func TestMain(m *testing.M) {
	if strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") == binary {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestProcess reads the schema from a process, configures it, signs in and gets a token,
// and checks that errors keep their class.
func TestProcess(t *testing.T) {
	f := newFakeAPI(t)
	path := plugintest.Self(t, "platformtoken")
	log, err := os.Create(filepath.Join(t.TempDir(), "log")) // the process may write to it until it has ended
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = log.Close()
		if text, err := os.ReadFile(log.Name()); err != nil || strings.Contains(string(text), "planted") {
			t.Errorf("the secret is in the log: %s, %v", text, err)
		}
	})
	// open starts the provider with the settings that zen reads according to its schema.
	open := func(environ map[string]string) *plugintest.Client {
		t.Helper()
		description, err := plugintest.Start(t, path, provider.Settings{keyOrganization: provider.NewSecret("acme")}, log).Describe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		settings := provider.Settings{keyOrganization: provider.NewSecret("acme")}
		for _, field := range description.Fields {
			for _, name := range field.Env {
				if value, ok := environ[name]; ok {
					settings[field.Key] = provider.NewSecret(value)
				}
			}
		}
		return plugintest.Start(t, path, settings, log)
	}

	client := open(map[string]string{"TURSO_API_TOKEN": plantedToken, "TURSO_API_BASEURL": f.server.URL})
	target := provider.Target{URL: "libsql://app-acme.turso.io"}
	host := &person{}
	if err := client.Login(t.Context(), provider.LoginRequest{Target: target, Access: provider.AccessReadOnly}, host); err != nil {
		t.Fatal(err)
	}
	if len(host.stored) != 1 || host.stored[0].Claims.Subject != "alice" || host.stored[0].Token == nil {
		t.Fatalf("stored %+v", host.stored)
	}
	credential := host.stored[0].Credential
	resp, err := client.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target})
	if err != nil || resp.Token.Expires.Before(time.Now()) {
		t.Fatalf("Token = %+v, %v", resp, err)
	}
	if err := client.Revoke(t.Context(), credential); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("revoke: %v", err)
	}
	if _, err := client.Verify(t.Context(), provider.NewSecret("planted-but-wrong")); !errors.Is(err, provider.ErrRejected) || strings.Contains(err.Error(), "planted") {
		t.Errorf("verify: %v", err)
	}

	// The settings differ, so this is another process.
	_, err = open(map[string]string{"TURSO_API_BASEURL": f.server.URL}).Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target})
	if !errors.Is(err, provider.ErrNoCredential) || !strings.Contains(provider.Hint(err), ownTokenVariable) {
		t.Errorf("without the variable: %v (%s)", err, provider.Hint(err))
	}
}

func TestDescribeOverTheWire(t *testing.T) {
	description, err := plugintest.Serve(t, &platform{}).Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if description.Name != "platformtoken" || len(description.Fields) != 4 || len(description.Services) != 3 {
		t.Errorf("Describe = %+v", description)
	}
	for _, field := range description.Fields {
		if field.Sensitive != (field.Key == keyAPIToken) || field.Doc == "" {
			t.Errorf("%+v", field)
		}
	}
}
