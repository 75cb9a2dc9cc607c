package app

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Spike B2: opening a browser works or returns the reason, and prints nothing else.
func TestOpenBrowser(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("shell scripts")
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "browser")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"args: $*\"\nenv\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZEN_CLERK__PUBLISHABLE_KEY", "planted-1")
	t.Setenv("TURSO_API_TOKEN", "planted-2")
	t.Setenv("MY_SECRET", "planted-3")
	const page = "https://example.test/?a=1&b=$(id)"
	for command, want := range map[string]string{
		script:                      "args: " + page,
		script + " --new-window":    "args: --new-window " + page,
		script + " --url=%s --wait": "args: --url=" + page + " --wait",
	} {
		t.Setenv("BROWSER", command)
		var out strings.Builder
		if err := openBrowser(page, &out); err != nil || !strings.HasPrefix(out.String(), want+"\n") {
			t.Errorf("BROWSER=%s: %v, %q", command, err, out.String())
		}
		if strings.Contains(out.String(), "planted") {
			t.Errorf("BROWSER=%s: a secret is in the browser's environment", command)
		}
	}
	// Without BROWSER the system's opener runs, without secrets in its environment either.
	t.Setenv("BROWSER", "")
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	seen := filepath.Join(dir, "seen")
	for _, command := range openers[""] {
		if err := os.WriteFile(filepath.Join(dir, command[0]), []byte("#!/bin/sh\nenv >'"+seen+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if runtime.GOOS != "darwin" {
		if err := openBrowser(page, &strings.Builder{}); err != nil {
			t.Error(err)
		}
		if environ, err := os.ReadFile(seen); err != nil || strings.Contains(string(environ), "planted") {
			t.Errorf("a secret is in the environment of the system's opener (%v)", err)
		}
	}
	t.Setenv("BROWSER", filepath.Join(dir, "nothing"))
	if err := openBrowser(page, &strings.Builder{}); err == nil {
		t.Error("openBrowser succeeded with a missing browser")
	}
}

func TestWithoutSecrets(t *testing.T) {
	got := withoutSecrets([]string{"PATH=/bin", "ZEN_X__Y=1", "ZEN_PROFILE=p", "GITHUB_TOKEN=t", "github_token=t", "AWS_SECRET_ACCESS_KEY=k", "STRIPE_API_KEY=k", "DISPLAY=:0"})
	if want := []string{"PATH=/bin", "ZEN_PROFILE=p", "DISPLAY=:0"}; !slices.Equal(got, want) {
		t.Errorf("withoutSecrets() = %v, want %v", got, want)
	}
}

func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"a\tb\r\n c":                       "a b c",
		"\x1b[31mred\x07\x9b31m\u009b31m":  "[31mred\ufffd31m31m",
		"https://x/\u202egro.live\u200b":   "https://x/gro.live",
		"Müller 日本 → ‘quoted’ é\u2028next": "Müller 日本 → ‘quoted’ é next",
	} {
		if got := OneLine(text); got != want {
			t.Errorf("OneLine(%q) = %q, want %q", text, got, want)
		}
	}
}
