package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/zen-auth/zen/internal/handshake"
)

func init() {
	isDumpable = func() bool {
		dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		return dumpable != 0 || err != nil
	}
}

// copied is a directory with a copy of the test binary as each of names.
func copied(t testing.TB, names ...string) string {
	t.Helper()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, handshake.BinaryName(name)), self, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Pitfalls 18 and 19, and the race between check and start: whatever comes to the
// path after the check, what was checked runs.
func TestPitfall19TheBytesThatWereCheckedRun(t *testing.T) {
	dir := copied(t, "good")
	path := filepath.Join(dir, handshake.BinaryName("good"))
	attacked := false
	m := NewManager(Options{Dirs: []string{dir}, Trust: func(_ context.Context, b Binary) error {
		attacked = true
		// In place: the file can't be written now,
		if f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0); !errors.Is(err, unix.EWOULDBLOCK) {
			t.Errorf("opened for writing: %v, %v", f, err)
		}
		// and another file in its place is another file.
		evil := filepath.Join(dir, "evil")
		if err := os.WriteFile(evil, []byte("#!/bin/sh\necho evil\n"), 0o755); err != nil {
			t.Error(err)
		}
		return os.Rename(evil, path)
	}})
	defer m.Close(context.Background())
	client, err := m.Open(t.Context(), "good", nil)
	if err != nil || !attacked {
		t.Fatal(err)
	}
	ask(t, client, "pid")
}

// While it runs, the system refuses writers; once it doesn't, no lease is left.
func TestTheLeaseIsGivenBack(t *testing.T) {
	dir := copied(t, "good")
	path := filepath.Join(dir, handshake.BinaryName("good"))
	m := NewManager(Options{Dirs: []string{dir}})
	open(t, m, "good")
	if _, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0); !errors.Is(err, syscall.ETXTBSY) {
		t.Errorf("while it runs: %v", err)
	}
	if err := m.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatalf("after its end: %v", err)
	}
	// Nor does it run while somebody writes.
	defer f.Close()
	m = NewManager(Options{Dirs: []string{dir}})
	defer m.Close(context.Background())
	var unsafe *UnsafeError
	if _, err := m.Open(t.Context(), "good", nil); !errors.As(err, &unsafe) {
		t.Errorf("under a writer: %v", err)
	}
}
