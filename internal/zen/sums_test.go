//go:build linux || darwin

package zen

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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

// What is remembered decides nothing but the early error: a program that was changed since it
// was pinned doesn't run, though the file says that it has the pinned sum. And what somebody
// else could have written isn't even asked.
func TestNothingRunsByARememberedSum(t *testing.T) {
	client := newClient(t)
	providers := client.Providers
	path := filepath.Join(providers.Dirs[len(providers.Dirs)-1], "zen-provider-acme")
	write := func(program string) host.Binary {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, []byte(program), 0o755), os.Chmod(path, 0o755)); err != nil {
			t.Fatal(err)
		}
		binary, err := host.InspectFile("acme", path)
		if err != nil {
			t.Fatal(err)
		}
		return binary
	}
	ran := filepath.Join(t.TempDir(), "ran")
	pinned := write("#!/bin/sh\nexit 1\n")
	if err := providers.Pins.Lock.Set(t.Context(), pinned, pin.Pin{Known: pin.Local}); err != nil {
		t.Fatal(err)
	}
	write("#!/bin/sh\ntouch " + ran + "\n")
	state, _ := fileState(path)
	providers.sums.save(map[string]sum{path: {state, pinned.SHA256, pinned.Size}})
	if err := providers.check("acme"); err != nil {
		t.Errorf("the file isn't asked: %v", err)
	}
	refused := func(when string, err error) {
		t.Helper()
		var changed *pin.ChangedError
		if !errors.As(err, &changed) {
			t.Errorf("%s: %v", when, err)
		}
	}
	_, err := providers.Describe(t.Context(), "acme")
	refused("a start", err)
	if _, err := os.Stat(ran); err == nil {
		t.Error("the program ran")
	}

	content, err := os.ReadFile(providers.sums.path)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "providers.json")
	forms := map[string]func() error{
		"others may write it": func() error { return os.Chmod(providers.sums.path, 0o666) },
		"its group may":       func() error { return os.Chmod(providers.sums.path, 0o660) },
		"it is a link": func() error {
			return errors.Join(os.Remove(providers.sums.path), os.Symlink(elsewhere, providers.sums.path))
		},
		"it is a directory": func() error { return errors.Join(os.Remove(providers.sums.path), os.Mkdir(providers.sums.path, 0o700)) },
		"it is a pipe": func() error {
			return errors.Join(os.Remove(providers.sums.path), unix.Mkfifo(providers.sums.path, 0o600))
		},
		"it is cut off":        func() error { return os.Truncate(providers.sums.path, int64(len(content)-1)) },
		"it is of other types": func() error { return os.WriteFile(providers.sums.path, []byte(`{"`+path+`":[1]}`), 0o600) },
	}
	if os.Geteuid() == 0 {
		forms["it is another user's"] = func() error { return os.Chown(providers.sums.path, 1, -1) }
	}
	for name, change := range forms {
		if err := errors.Join(os.RemoveAll(providers.sums.path), os.WriteFile(providers.sums.path, content, 0o600), os.WriteFile(elsewhere, content, 0o600), change()); err != nil {
			t.Fatal(err)
		}
		refused(name, providers.check("acme"))
	}
}

// Where the system knows no time of a change, nothing tells a file from what it was before.
func TestAFileWithoutTimesIsNotRemembered(t *testing.T) {
	if state, _ := stateOf(unix.Stat_t{Ino: 7, Size: 1}); state != "" {
		t.Errorf("it is %q", state)
	}
	if state, changed := stateOf(unix.Stat_t{Ino: 7, Size: 1, Ctim: unix.NsecToTimespec(5e9)}); state == "" || changed.Unix() != 5 {
		t.Errorf("%q, %v", state, changed)
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
