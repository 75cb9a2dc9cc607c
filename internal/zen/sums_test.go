//go:build linux || darwin

package zen

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/host/pin"
)

// A provider's program that was looked at isn't read again, and one that was touched since is.
func TestAProviderIsReadOnce(t *testing.T) {
	client := newClient(t)
	providers := client.Providers
	path := filepath.Join(providers.Dirs[len(providers.Dirs)-1], "zen-provider-acme")
	write := func(path, content string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, []byte(content), mode), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	const program = "#!/bin/sh\nexit 1\n"
	write(path, program, 0o755)
	binary, err := host.InspectFile("acme", path)
	if err != nil {
		t.Fatal(err)
	}
	var unknown *pin.UnknownError
	if err := providers.check("acme"); !errors.As(err, &unknown) {
		t.Errorf("not pinned: %v", err)
	}
	if err := providers.Pins.Lock.Set(t.Context(), binary, pin.Pin{Known: pin.Local}); err != nil {
		t.Fatal(err)
	}
	passes := func(when string) {
		t.Helper()
		if err := providers.check("acme"); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	changed := func(when string) {
		t.Helper()
		var changed *pin.ChangedError
		if err := providers.check("acme"); !errors.As(err, &changed) || !errors.Is(err, provider.ErrNoProvider) {
			t.Errorf("%s: %v", when, err)
		}
	}
	passes("just written")
	if _, err := os.Stat(providers.sums.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a program that was just written is remembered: %v", err)
	}
	// From here on everything was written long ago.
	providers.sums.now = func() time.Time { return time.Now().Add(time.Hour) }
	passes("for the first time")
	passes("again")

	// Another sum in the file shows that the program isn't read.
	data, err := os.ReadFile(providers.sums.path)
	if err != nil || !strings.Contains(string(data), binary.SHA256) {
		t.Fatalf("remembered %s, %v", data, err)
	}
	planted := strings.ReplaceAll(string(data), binary.SHA256, strings.Repeat("a", 64))
	write(providers.sums.path, planted, 0o600)
	changed("with another sum remembered")
	write(providers.sums.path, planted, 0o666)
	passes("with a file that others may write")
	write(providers.sums.path, "[", 0o600)
	passes("with a file that isn't one")
	write(providers.sums.path, "null", 0o600)
	passes("with a file of nothing")

	was, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	write(path, strings.ReplaceAll(program, "1", "2"), 0o755)
	if err := os.Chtimes(path, was.ModTime(), was.ModTime()); err != nil {
		t.Fatal(err)
	}
	changed("written in place, with the time and the size that it had")
	changed("the same again")
	other := path + ".new"
	write(other, strings.ReplaceAll(program, "1", "3"), 0o755)
	if err := errors.Join(os.Chtimes(other, was.ModTime(), was.ModTime()), os.Rename(other, path)); err != nil {
		t.Fatal(err)
	}
	changed("another file in its place")
	write(path, program, 0o755)
	passes("put back")
	write(path, program, 0o777)
	var unsafe *host.UnsafeError
	if err := providers.check("acme"); !errors.As(err, &unsafe) {
		t.Errorf("others may write it: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	var missing *host.NotFoundError
	if err := providers.check("acme"); !errors.As(err, &missing) {
		t.Errorf("missing: %v", err)
	}
}

// As many programs are remembered as there is room for, and none that is gone.
func TestFewSumsAreKept(t *testing.T) {
	dir := t.TempDir()
	s := sums{filepath.Join(dir, "cache", "providers.json"), func() time.Time { return time.Now().Add(time.Hour) }}
	known := map[string]sum{}
	for i := range 2 * maxSums {
		known[filepath.Join(dir, "gone", strings.Repeat("x", i+1))] = sum{}
	}
	s.save(known)
	for i := range maxSums + 5 {
		path := filepath.Join(dir, strings.Repeat("p", i+1))
		if err := os.WriteFile(path, nil, 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := s.inspect("p", path); err != nil {
			t.Fatal(err)
		}
		if known := s.load(); known[path].SHA256 == "" || len(known) > maxSums {
			t.Fatalf("%d are kept", len(known))
		}
	}
}
