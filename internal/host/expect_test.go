package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/zen-auth/zen/internal/handshake"
)

// trusted is a Manager that takes what is expected, and the sums that Trust was asked about.
func trusted(t *testing.T, dir string, expect ...string) (*Manager, *[]string) {
	t.Helper()
	var sums []string
	m := NewManager(Options{Dirs: []string{dir}, Expect: expect, Trust: func(_ context.Context, b Binary) error {
		sums = append(sums, b.SHA256)
		return nil
	}})
	t.Cleanup(func() { _ = m.Close(context.Background()) })
	return m, &sums
}

func sumAt(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// What is expected is hashed before it is started, and no second time.
func TestWhatIsExpectedIsTaken(t *testing.T) {
	dir := installed(t, "good")
	path := filepath.Join(dir, handshake.BinaryName("good"))
	m, sums := trusted(t, dir, "good", "good", "absent", "../good", "")
	expected := m.expected
	expected.hashing.Wait()
	p := expected.programs[path]
	if len(expected.programs) != 1 || p == nil || p.binary.SHA256 != sumAt(t, path) {
		t.Fatalf("%d are expected, %v", len(expected.programs), p)
	}
	ask(t, open(t, m, "good"), "pid")
	if len(*sums) != 1 || (*sums)[0] != p.binary.SHA256 || len(expected.programs) != 0 {
		t.Errorf("trust was asked about %v, %d are expected", *sums, len(expected.programs))
	}
	// It is taken once, and a start without one is as before.
	if again := expected.take("good", path); again != nil {
		t.Error("it was taken twice")
	}
}

// What has come to the path since is what a start opens, and a program runs under its own
// name alone.
func TestWhatIsExpectedIsWhatWouldBeOpened(t *testing.T) {
	dir := installed(t, "good", "other")
	path := filepath.Join(dir, handshake.BinaryName("good"))
	m, sums := trusted(t, dir, "good")
	if p := m.expected.take("other", filepath.Join(dir, handshake.BinaryName("other"))); p != nil {
		t.Error("another was taken")
	}
	if err := os.Remove(path); err != nil {
		t.Skip("this system removes no file that is open: ", err)
	}
	other := []byte("#!/bin/sh\nexit 3\n")
	if err := os.WriteFile(path, other, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Open(t.Context(), "good", nil); err == nil {
		t.Error("what isn't there any more runs")
	}
	if len(*sums) != 1 || (*sums)[0] != sumAt(t, path) {
		t.Errorf("trust was asked about %v", *sums)
	}
}
