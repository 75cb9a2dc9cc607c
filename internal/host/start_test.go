package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
)

// The numbers are those of go-plugin's pitfalls.
func TestStartFailuresAreTypedLines(t *testing.T) {
	var (
		exit     *ExitError
		greeting *HandshakeError
		version  *VersionError
		timeout  *StartTimeoutError
		name     *handshake.NameError
		missing  *NotFoundError
	)
	tests := []struct {
		pitfall  int // 0 if none
		provider string
		as       any
		kind     error
		text     string
	}{
		{20, "exits", &exit, provider.ErrUnavailable, "ended at once (exit status 3)"},
		{15, "rubbish", &greeting, provider.ErrNoProvider, `it printed "DEBUG token=[redacted]`},
		{20, "closes", &greeting, provider.ErrNoProvider, "closed its standard output"},
		{8, "insecure", &greeting, provider.ErrNoProvider, "PLUGIN_CLIENT_CERT"},
		{25, "netrpc", &greeting, provider.ErrNoProvider, "gRPC"},
		{20, "deaf", &greeting, provider.ErrNoProvider, "handshake"},
		{0, "misnamed", &greeting, provider.ErrNoProvider, `"somebody-else"`},
		{20, "old", &version, provider.ErrNoProvider, "version 7, this zen speaks version 1"},
		{22, "remote", &greeting, provider.ErrNoProvider, "is not on this machine"},
		{27, "mute", &timeout, provider.ErrUnavailable, "not ready within 300ms"},
		{21, "stuck", &timeout, provider.ErrUnavailable, "not ready within 300ms"},
		{21, "frozen", &timeout, provider.ErrUnavailable, "not ready within 300ms"},
		{20, "half", &timeout, provider.ErrUnavailable, "not ready within 300ms"},
		{0, "absent", &missing, provider.ErrNoProvider, `no provider "absent": there is closes, deaf, exits`},
		{0, "../exits", &name, provider.ErrNoProvider, "single dashes"},
		{0, strings.Repeat("a", 33), &name, provider.ErrNoProvider, "at most 32"},
		{0, "", &name, provider.ErrNoProvider, "at most 32"},
	}
	m := manage(t, Options{}, "exits", "rubbish", "closes", "insecure", "netrpc", "deaf", "misnamed", "old", "mute", "half", "stuck", "frozen", "remote")
	for _, test := range tests {
		t.Run(fmt.Sprintf("pitfall%02d %s", test.pitfall, test.provider), func(t *testing.T) {
			if _, isTimeout := test.as.(**StartTimeoutError); isTimeout {
				m.limits.start = 300 * time.Millisecond
				defer func() { m.limits.start = defaultLimits.start }()
			}
			_, err := m.Open(t.Context(), test.provider, nil)
			if !errors.As(err, test.as) || !errors.Is(err, test.kind) {
				t.Fatalf("Open: wrong type or kind: %T %v", err, err)
			}
			if text := err.Error(); !strings.Contains(text, test.text) || len(text) > 250 || strings.Contains(text, "\n") {
				t.Errorf("text %q", text)
			}
		})
	}
}

// A later start makes a new process and doesn't repeat the old failure.
func TestStartFailureIsNotKept(t *testing.T) {
	dir := installed(t, "good")
	path := filepath.Join(dir, handshake.BinaryName("good"))
	moved := path + ".away"
	if err := os.Rename(path, moved); err != nil {
		t.Fatal(err)
	}
	m := NewManager(Options{Dirs: []string{dir}})
	defer m.Close(context.Background())
	if _, err := m.Open(t.Context(), "good", nil); !errors.Is(err, provider.ErrNoProvider) {
		t.Fatalf("Open of a missing provider: %v, want ErrNoProvider", err)
	}
	if err := os.Rename(moved, path); err != nil {
		t.Fatal(err)
	}
	open(t, m, "good")
}

func TestPitfall20NotAProgram(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, handshake.BinaryName("text")), []byte("hello"), 0o755); err != nil {
		t.Fatal(err)
	}
	m := NewManager(Options{Dirs: []string{dir}})
	defer m.Close(context.Background())
	_, err := m.Open(t.Context(), "text", nil)
	var start *StartError
	if !errors.As(err, &start) || !errors.Is(err, provider.ErrNoProvider) {
		t.Errorf("Open of a text file: %v, want StartError with ErrNoProvider", err)
	}
}

// A script whose interpreter is missing gets an error that says so, where the system's own
// error says that the script is missing.
func TestAProgramWithoutItsLoader(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows runs no shell scripts")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, handshake.BinaryName("lost"))
	if err := os.WriteFile(path, []byte("#!/nowhere/interpreter\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	m := NewManager(Options{Dirs: []string{dir}})
	defer m.Close(context.Background())
	_, err := m.Open(t.Context(), "lost", nil)
	if !errors.Is(err, provider.ErrNoProvider) || !strings.Contains(err.Error(), path+" is there, and what it needs to be loaded is not") {
		t.Errorf("Open: %v, want ErrNoProvider that blames the interpreter", err)
	}
}

// A pin covers a script but not its interpreter, which is reported.
func TestInterpreterOfAScript(t *testing.T) {
	for text, want := range map[string]string{
		"#!/usr/bin/env node\nrequire()":  "/usr/bin/env node",
		"#! /bin/sh -e\r\n":               "/bin/sh -e",
		"#!/bin/sh":                       "/bin/sh",
		"#!\n":                            "/bin/sh",
		"\x7fELF#!/bin/sh":                "",
		"":                                "",
		"#!/" + strings.Repeat("x", 1000): "/" + strings.Repeat("x", maxInterpreter-3),
	} {
		path := put(t, 0o755, t.TempDir(), "p")
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		binary, err := InspectFile("text", path)
		if err != nil || binary.Interpreter != want {
			t.Errorf("interpreter of %.20q = %q, %v", text, binary.Interpreter, err)
		}
	}
}
