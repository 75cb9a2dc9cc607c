package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/plugin/plugintest"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
)

// binary is what the test binary is linked as to be the provider itself.
const binary = "zen-provider-platformtoken"

func TestMain(m *testing.M) {
	if strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") == binary {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestProcess goes the whole way: the schema from a process, settings by it, a
// sign-in, a token, and errors that are still what they were.
func TestProcess(t *testing.T) {
	f := newFakeAPI(t)
	dir := t.TempDir()
	name := binary
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(self, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	m := plugin.NewManager(plugin.Options{Dirs: []string{dir}, Log: &log})
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := m.Close(ctx); err != nil {
			t.Error(err)
		}
		if strings.Contains(log.String(), "planted") {
			t.Errorf("the secret is in the log: %s", log.String())
		}
	}()
	file := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(file, []byte("[providers.platformtoken]\norganization = \"acme\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(environ ...string) *plugin.Client {
		t.Helper()
		c, err := config.Load(config.LoadOptions{Path: file, WorkDir: dir, Environ: append(environ, "TURSO_API_BASEURL="+f.server.URL)})
		if err != nil {
			t.Fatal(err)
		}
		description, err := m.Describe(t.Context(), "platformtoken")
		if err != nil {
			t.Fatal(err)
		}
		settings, err := c.Settings(description.Fields, "platformtoken")
		if err != nil {
			t.Fatal(err)
		}
		client, err := m.Open(t.Context(), "platformtoken", settings)
		if err != nil {
			t.Fatal(err)
		}
		return client
	}

	client := open("TURSO_API_TOKEN=" + plantedToken)
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
		t.Fatalf("%+v, %v", resp, err)
	}
	if err := client.Revoke(t.Context(), credential); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("revoke: %v", err)
	}
	if _, err := client.Verify(t.Context(), provider.NewSecret("planted-but-wrong")); !errors.Is(err, provider.ErrRejected) || strings.Contains(err.Error(), "planted") {
		t.Errorf("verify: %v", err)
	}

	// Another process, as the settings are others.
	_, err = open().Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target})
	if !errors.Is(err, provider.ErrNoCredential) || !strings.Contains(provider.Hint(err), ownTokenVariable) {
		t.Errorf("without the variable: %v (%s)", err, provider.Hint(err))
	}
}

func TestDescribeOverTheWire(t *testing.T) {
	description, err := plugintest.Serve(t, &platform{}).Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if description.Name != "platformtoken" || len(description.Fields) != 4 || len(description.Services) != 2 {
		t.Errorf("%+v", description)
	}
	for _, field := range description.Fields {
		if field.Sensitive != (field.Key == keyAPIToken) || field.Doc == "" {
			t.Errorf("%+v", field)
		}
	}
}
