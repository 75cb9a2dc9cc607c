package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/plugin/plugintest"
	"github.com/zen-auth/zen/core/provider"
)

// The test binary is also the provider: it is installed under its name.
func TestMain(m *testing.M) {
	if strings.HasPrefix(filepath.Base(os.Args[0]), "zen-provider-clerk") {
		main()
		return
	}
	os.Exit(m.Run())
}

// process starts the provider as zen does.
func (f *fakeClerk) process(settings provider.Settings, log *lockedBuffer) *plugintest.Client {
	f.t.Helper()
	self, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	binary, err := os.ReadFile(self)
	if err != nil {
		f.t.Fatal(err)
	}
	name := "zen-provider-clerk"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	path := filepath.Join(f.t.TempDir(), name)
	if err := os.WriteFile(path, binary, 0o700); err != nil {
		f.t.Fatal(err)
	}
	return plugintest.Start(f.t, path, settings, log)
}

type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestThroughAProcess(t *testing.T) {
	f := newFakeClerk(t)
	f.agent = "zen-provider-clerk/"
	var log lockedBuffer
	client := f.process(provider.Settings{
		keyPublishableKey: provider.NewSecret(f.publishableKey()),
		keyBridgeURL:      provider.NewSecret("http://127.0.0.1:1/cli"),
	}, &log)
	description, err := client.Describe(t.Context())
	if err != nil || len(description.Services) != 6 {
		t.Errorf("services %q, %v", description.Services, err)
	}

	shown := make(chan page, 1)
	host := &fakeHost{browser: comeBack(t, shown, "ticket", testTicket)}
	if err := client.Login(t.Context(), loginRequest(), host); err != nil {
		t.Fatal(err)
	}
	if got := <-shown; got.status != http.StatusOK {
		t.Errorf("page %+v", got)
	}
	credential := host.stored[0].Credential
	response, err := client.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target})
	if err != nil || response.Token.Value.IsZero() || response.Credential == nil {
		t.Fatalf("Token = %v, %v", response, err)
	}
	claims, err := client.Verify(t.Context(), response.Token.Value)
	if err != nil || claims.Database.DatabaseID != testDatabase {
		t.Errorf("Verify = %+v, %v", claims, err)
	}

	// Classes, hints and waits are preserved, and so is a replaced credential along with
	// an error.
	f.on("/v1/client/sessions/"+testSession+"/tokens/turso", 429, http.Header{"Retry-After": {"30"}, "Authorization": {"planted-client-jwt-new"}}, "")
	failed, err := client.Token(t.Context(), provider.TokenRequest{Credential: response.Credential, Target: target})
	if !errors.Is(err, provider.ErrUnavailable) || provider.RetryAfter(err) != 30*time.Second || failed.Credential == nil {
		t.Errorf("Token = %v, %v", failed, err)
	}
	forged := response.Token.Value.Reveal()
	forged = forged[:len(forged)-8] + "AAAAAAAA"
	if _, err := client.Verify(t.Context(), provider.NewSecret(forged)); !errors.Is(err, provider.ErrTokenInvalid) || !strings.Contains(err.Error(), f.URL) {
		t.Errorf("forged: %v, want it to name the issuer", err)
	}

	// The error that says what was awaited arrives before the host's deadline, unless the
	// machine is so busy that both come at once.
	for tries := 1; ; tries++ {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		err := client.Login(ctx, loginRequest(), &fakeHost{})
		cancel()
		if errors.Is(err, provider.ErrNoCredential) && strings.Contains(err.Error(), "the browser did not come back to http://127.0.0.1:") {
			break
		}
		if tries == 20 {
			t.Fatalf("without a callback: %v", err)
		}
	}
	if text := log.String(); strings.Contains(text, "planted") || strings.Contains(text, "eyJ") {
		t.Errorf("a secret is in the log: %s", text)
	}
}
