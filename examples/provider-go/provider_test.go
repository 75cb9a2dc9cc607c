package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/plugin/plugintest"
	"github.com/zen-auth/zen/core/provider"
)

var target = provider.Target{URL: "libsql://db.example"}

// serve writes a file and serves the provider that reads it, as zen sees it.
func serve(t *testing.T, content string, mode os.FileMode) *plugintest.Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	client := plugintest.Serve(t, &tokenFile{})
	if _, err := client.Configure(t.Context(), provider.Settings{"path": provider.NewSecret(path)}); err != nil {
		t.Fatal(err)
	}
	return client
}

func jwt(exp time.Time) string {
	payload := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, exp.Unix()))
	return "e30." + payload + ".c2ln"
}

func TestToken(t *testing.T) {
	soon := time.Now().Add(time.Hour)
	file := func(token string) string { return fmt.Sprintf(`{"libsql://db.example":{"rw":%q}}`, token) }
	for name, c := range map[string]struct {
		content string
		mode    os.FileMode
		access  provider.Access
		want    error
	}{
		"a token":                     {file(jwt(soon)), 0o600, "", nil},
		"expired":                     {file(jwt(time.Now().Add(-time.Hour))), 0o600, "", provider.ErrTokenExpired},
		"rw for ro":                   {file(jwt(soon)), 0o600, provider.AccessReadOnly, provider.ErrNoCredential},
		"not a token":                 {file("two words"), 0o600, "", provider.ErrTokenInvalid},
		"a file that others can read": {file(jwt(soon)), 0o644, "", provider.ErrConfig},
		"a file of another form":      {`{"libsql://db.example":"` + jwt(soon) + `"}`, 0o600, "", provider.ErrConfig},
	} {
		t.Run(name, func(t *testing.T) {
			client := serve(t, c.content, c.mode)
			response, err := client.Token(t.Context(), provider.TokenRequest{Target: target, Access: c.access})
			if !errors.Is(err, c.want) {
				t.Errorf("Token = %v, want %v", err, c.want)
			}
			if c.want == nil && response.Token.Expires.Unix() != soon.Unix() {
				t.Errorf("expires %v, want %v", response.Token.Expires, soon)
			}
		})
	}
}
