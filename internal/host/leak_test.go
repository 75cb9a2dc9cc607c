package host

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
)

// safeBuffer is a buffer that is safe for concurrent writers.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestPitfall14To17And24SecretsAreInNoOutput(t *testing.T) {
	const setting, credential, answer = "setting-s3cret-1", "credential-s3cret-2", "answer-s3cret-3"
	log := &safeBuffer{}
	m := manage(t, Options{Log: log}, "good", "exits", "rubbish")
	var failures []string
	fail := func(err error) {
		t.Helper()
		if err == nil {
			t.Error("no error")
			return
		}
		failures = append(failures, err.Error()+provider.Hint(err))
	}
	opened := func() *Client {
		client, err := m.Open(t.Context(), "good", provider.Settings{"api_key": provider.NewSecret(setting), "color": provider.NewSecret("blue")})
		if err != nil {
			t.Fatal(err)
		}
		return client
	}
	call := func(command string) {
		t.Helper()
		_, err := opened().Verify(t.Context(), provider.NewSecret(command))
		fail(err)
	}

	// The settings, a credential and a value inside of it, and a stored result.
	blob := `{"client_jwt":"` + credential + `","list":["` + answer + `"]}`
	_, err := opened().Refresh(t.Context(), provider.Credential{Data: provider.NewSecret(blob)})
	fail(err)
	if err := opened().Login(t.Context(), provider.LoginRequest{}, &patient{}); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{setting, credential, answer, planted, plantedJWT} {
		call("leak " + secret)
		call("panic " + secret)
		call("crash " + secret)
	}
	_, err = m.Open(t.Context(), "rubbish", nil)
	fail(err)
	if err := m.Close(context.Background()); err != nil {
		t.Fatal(err)
	}

	output := log.String()
	for _, secret := range []string{setting, credential, answer, planted, plantedJWT, "eyJ"} {
		for _, text := range append(failures, output) {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%s in %.200q", secret, text[max(0, at-100):])
			}
		}
	}
	// The secrets must have been printed, or this test would prove nothing.
	for _, want := range []string{
		"printed " + redacted, "printed to stderr " + redacted, "raw " + redacted, "logged", "value=" + redacted,
		"https://" + redacted + "@example.com/?code=" + redacted, "panic: the credential is " + redacted,
		"recoverUnary", // the stack of a recovered panic
	} {
		if !strings.Contains(output, want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if t.Failed() {
		t.Logf("log:\n%.5000s", output)
	}
}

func TestWithoutALogNothingIsWritten(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = write, write
	m := NewManager(Options{Dirs: []string{installed(t, "good")}})
	client, openErr := m.Open(t.Context(), "good", nil)
	if openErr == nil {
		_, _ = client.Verify(t.Context(), provider.NewSecret("leak "+planted))
		_, _ = client.Verify(t.Context(), provider.NewSecret("crash "+planted))
	}
	_ = m.Close(context.Background())
	os.Stdout, os.Stderr = stdout, stderr
	write.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(read); err != nil || openErr != nil {
		t.Fatal(err, openErr)
	}
	if out.Len() > 0 {
		t.Errorf("written: %s", out.String())
	}
}

func TestPitfall20StartedByHandItSaysWhatItIs(t *testing.T) {
	path := filepath.Join(installed(t, "good"), handshake.BinaryName("good"))
	for name, env := range map[string][]string{
		"without the cookie": nil, "without TLS": {handshake.CookieKey + "=" + handshake.CookieValue},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // against a hang
		defer cancel()
		cmd := exec.CommandContext(ctx, path)
		cmd.Env = env
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != 2 {
			t.Errorf("%s: exit %d", name, code)
		}
		if stdout.Len() > 0 || !strings.Contains(stderr.String(), "zen login --provider good") {
			t.Errorf("%s: stdout %q, stderr %q", name, stdout.String(), stderr.String())
		}
	}
}
