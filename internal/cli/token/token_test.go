package token

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
)

// made is the token that issuer issues: {"alg":"EdDSA"}, {"id":"1","a":"ro"}.
const made = "eyJhbGciOiJFZERTQSJ9.eyJpZCI6IjEiLCJhIjoicm8ifQ.c2ln"

// issuer is a provider that needs no credential, and the verifier of its tokens.
type issuer struct{ life time.Duration }

func (issuer) Describe(context.Context, string) (provider.Description, error) {
	return provider.Description{Name: "issuer", Services: []provider.Service{provider.ServiceTokenSource}}, nil
}
func (issuer) Identity(context.Context, string) (provider.Identity, error) {
	return nil, errors.ErrUnsupported
}
func (i issuer) TokenSource(context.Context, string) (provider.TokenSource, error) { return i, nil }
func (issuer) AssertionSource(context.Context, string) (provider.AssertionSource, error) {
	return nil, errors.ErrUnsupported
}
func (issuer) Need(context.Context, string) (*provider.AssertionNeed, error) { return nil, nil }

func (i issuer) Token(context.Context, provider.TokenRequest) (provider.TokenResponse, error) {
	now := time.Now()
	return provider.TokenResponse{Token: provider.Token{Value: provider.NewSecret(made), Issued: now, Expires: now.Add(i.life)}}, nil
}

func (issuer) Verify(_ context.Context, t provider.Token, _ bool) (provider.Claims, error) {
	return provider.Claims{Database: &provider.DatabaseClaims{DatabaseID: "1", Access: provider.AccessReadOnly}}, nil
}

// newEnv returns the environment of a command with a session of issuer, and the command's
// outputs.
func newEnv(t *testing.T) (e *app.Env, out, errOut *strings.Builder) {
	t.Helper()
	credentials := store.New(t.TempDir(), store.WithStorage(func(string) store.Storage { return store.StorageFile }))
	err := credentials.Lock(t.Context(), "reports", func(l *store.Locked) error {
		l.Provider = "issuer"
		l.Accounts = map[string]store.Account{"issuer": {Credential: provider.Credential{Subject: "alice"}, SignedIn: time.Now()}}
		return l.Save()
	})
	if err != nil {
		t.Fatal(err)
	}
	i := issuer{time.Hour}
	out, errOut = new(strings.Builder), new(strings.Builder)
	return &app.Env{
		In: strings.NewReader(""), Out: out, Err: errOut, Help: "zen token",
		Open: func(_ context.Context, _ *app.Env, fn func(*session.Session) error) error {
			return fn(session.New(session.Config{
				Profile: cache.Profile{
					Name: "reports", Provider: "issuer", OwnTarget: true, Access: provider.AccessReadOnly,
					Target: provider.Target{URL: "libsql://app-acme.turso.io"}, SettingsHash: func(string, []string) string { return "" },
				},
				Store: credentials, Providers: i, Verifier: i,
			}))
		},
	}, out, errOut
}

func TestToken(t *testing.T) {
	t.Setenv("KUBERNETES_EXEC_INFO", "")
	t.Setenv("SHELL", "/usr/bin/fish")
	for name, test := range map[string]struct {
		o    Options
		json bool
		want string // a part of the output, or of the error if err is set
		err  error
	}{
		"raw":             {want: made + "\n"},
		"header":          {o: Options{Format: "header"}, want: "Authorization: Bearer " + made + "\n"},
		"json":            {o: Options{Format: "json"}, want: `"token": "` + made + `"`},
		"--json":          {json: true, want: `"database": "libsql://app-acme.turso.io"`},
		"env":             {o: Options{Format: "env"}, want: "set -gx TURSO_AUTH_TOKEN '" + made + "'\n"},
		"env for a shell": {o: Options{Format: "env", Shell: "powershell"}, want: "$env:TURSO_AUTH_TOKEN = '" + made + "'\n"},
		"exec-credential": {o: Options{Format: "exec-credential"}, want: `"kind": "ExecCredential"`},
		"unknown format":  {o: Options{Format: "yaml"}, want: `"yaml" is not raw`, err: app.ErrUsage},
		"two formats":     {o: Options{Format: "raw"}, json: true, want: "two answers", err: app.ErrUsage},
		"shell for raw":   {o: Options{Shell: "sh"}, want: "--shell is for --format env", err: app.ErrUsage},
		"unknown shell":   {o: Options{Format: "env", Shell: "tcsh"}, want: `"tcsh" is not sh`, err: app.ErrUsage},
		"negative TTL":    {o: Options{MinTTL: -1}, want: "negative", err: app.ErrUsage},
	} {
		e, out, errOut := newEnv(t)
		e.JSON = test.json
		err := test.o.Run(t.Context(), e)
		got := out.String()
		if err != nil {
			got = err.Error()
		}
		if !errors.Is(err, test.err) || !strings.Contains(got, test.want) || err != nil && out.Len() > 0 || errOut.Len() > 0 {
			t.Errorf("%s: stdout %q, %v, stderr %q", name, out.String(), err, errOut.String())
		}
		if test.json && err == nil && !json.Valid([]byte(out.String())) {
			t.Errorf("%s: invalid JSON: %s", name, out.String())
		}
	}
}

func TestExecRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		o    ExecOptions
		want string
		code int
	}{
		"no command":          {ExecOptions{}, "which command?", app.ExitUsage},
		"unknown part":        {ExecOptions{Command: []string{"true"}, Env: []string{"A=secret"}}, `"A" is not given url, token or expires`, app.ExitUsage},
		"missing command":     {ExecOptions{Command: []string{"no-such-command"}}, "there is no such command", 127},
		"file without watch":  {ExecOptions{Command: []string{os.Args[0]}, TokenFile: "x"}, "needs --watch", app.ExitUsage},
		"unknown signal":      {ExecOptions{Command: []string{os.Args[0]}, Watch: "SOON"}, `"SOON" is neither restart nor a signal`, app.ExitUsage},
		"signal without file": {ExecOptions{Command: []string{os.Args[0]}, Watch: "HUP"}, "needs --token-file", app.ExitUsage},
	} {
		if runtime.GOOS == "windows" && name == "signal without file" {
			continue // Windows has no signals
		}
		e, _, _ := newEnv(t)
		err := test.o.Run(t.Context(), e)
		if err == nil || !strings.Contains(err.Error(), test.want) || app.ExitCode(t.Context(), err) != test.code {
			t.Errorf("%s: %v (exit code %d)", name, err, app.ExitCode(t.Context(), err))
		}
	}
}

func TestStatus(t *testing.T) {
	e, out, _ := newEnv(t)
	if err := (Options{}).Run(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	e.JSON = true
	err := e.WithSession(t.Context(), func(s *session.Session) error { return PrintStatus(t.Context(), e, s) })
	var d statusDocument
	if err != nil || json.Unmarshal([]byte(out.String()), &d) != nil || d.Account != "alice" || d.SignedIn == nil || !*d.SignedIn || d.Token.ExpiresAt == nil {
		t.Errorf("status = %s, %v", out.String(), err)
	}
	if strings.Contains(out.String(), made) {
		t.Error("the status contains the token")
	}
}
