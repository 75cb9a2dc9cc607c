package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/testwait"
)

// spill is a provider that handles a secret as carelessly as possible. The secret is in the
// file seed of its home; the file do names the action.
type spill struct{ key string }

func spillMain() {
	plugin.Serve(&spill{})
	syscall.Exit(0) // os.Exit takes a second under the race detector
}

func (*spill) Describe(context.Context) (provider.Description, error) {
	return provider.Description{Name: "spill", Version: "1.0.0", Fields: []provider.Field{
		{Key: "api_key", Type: provider.TypeString, Required: true, Sensitive: true},
	}}, nil
}

func (s *spill) Configure(_ context.Context, settings provider.Settings) ([]provider.Note, error) {
	s.key = settings.Get("api_key")
	return []provider.Note{{Text: "the key is " + s.key}}, nil
}

func (s *spill) Check(_ context.Context, _ provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	return nil, report(provider.Finding{ID: "key", Severity: provider.SeverityOK, Text: s.key})
}

// Login implements provider.Identity.
func (s *spill) Login(ctx context.Context, _ provider.LoginRequest, host provider.Host) error {
	secret := home("seed")
	// zen doesn't know this secret yet, and can only recognise its form.
	pour("Bearer " + spilledToken(secret))
	err := host.Store(ctx, provider.SignIn{Credential: provider.Credential{
		Data: provider.NewSecret(`{"refresh_token":"` + secret + `"}`), Subject: "alice",
	}})
	pour(secret)
	pour(s.key)
	return errors.Join(err, host.Progress(ctx, "signed in with "+secret))
}

// Token implements provider.TokenSource.
func (s *spill) Token(ctx context.Context, req provider.TokenRequest) (provider.TokenResponse, error) {
	secret := home("seed")
	pour(secret)
	pour(s.key)
	switch what := home("do"); what {
	case "error":
		return provider.TokenResponse{}, errors.New("the server did not like " + secret + " and " + s.key)
	case "panic":
		panic("the credential is " + secret)
	case "crash":
		go func() { panic("the credential is " + secret) }()
		select {}
	case "exit":
		syscall.Exit(3)
	case "hold", "leak":
		if what == "leak" {
			leak(secret)
		}
		if err := os.WriteFile(filepath.Join(os.Getenv("HOME"), "holding"), fmt.Append(nil, os.Getpid()), 0o600); err != nil {
			return provider.TokenResponse{}, err
		}
		_ = testwait.Done(ctx, func() bool { return home("go") != "" }) // the test may never create it
	}
	return provider.TokenResponse{Token: provider.Token{
		Value: provider.NewSecret(spilledToken(secret)), Expires: time.Now().Add(time.Hour),
	}}, ctx.Err()
}

func (s *spill) Refresh(_ context.Context, c provider.Credential) (provider.Credential, error) {
	return c, nil
}
func (s *spill) Revoke(context.Context, provider.Credential) error { return nil }
func (s *spill) Verify(context.Context, provider.Secret) (provider.Claims, error) {
	return provider.Claims{}, provider.ErrTokenInvalid
}

// spilledToken returns a token for a database whose signature is the secret.
func spilledToken(secret string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"EdDSA","typ":"JWT"}`)) + "." +
		encode(fmt.Appendf(nil, `{"id":"6a1f33c0-9d5e-4a5e-8c1b-3f0d2a7be001","a":"rw","exp":%d}`, time.Now().Add(time.Hour).Unix())) + "." + secret
}

// pour writes text to every output of the process.
func pour(text string) {
	fmt.Println("printed", text)
	fmt.Fprintln(os.Stderr, "printed to stderr", text)
	raw := os.NewFile(2, "the real one")
	fmt.Fprintf(raw, "raw %s\n{\"@level\":\"trace\",\"@message\":\"traced\",\"value\":%q}\n", text, text)
	plugin.Logger().Debug("logged", "value", text)
}

// leak leaks the secret in ways that zen can't prevent. It is the control for the sweep.
func leak(secret string) {
	cmd := exec.Command("sh", "-c", "sleep 60", secret)
	cmd.Env = append(os.Environ(), "LEAKED="+secret)
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(os.Getenv("HOME"), "leaked"), []byte(secret), 0o600); err != nil {
		panic(err)
	}
}

// home returns the content of a small file in the home directory.
func home(name string) string {
	data, _ := os.ReadFile(filepath.Join(os.Getenv("HOME"), name))
	return strings.TrimSpace(string(data))
}

// Interface guards
var (
	_ provider.Identity    = (*spill)(nil)
	_ provider.TokenSource = (*spill)(nil)
)
