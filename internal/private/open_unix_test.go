//go:build unix

package private_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/zen-auth/zen/internal/private"
)

func TestOpenChecksTheOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 12345, 12345); err != nil {
		t.Skip("only root can change a file's owner: ", err)
	}
	if _, err := private.Trusted.Open(path, os.O_RDONLY); !errors.Is(err, private.ErrForeign) {
		t.Errorf("Open of another user's file: %v, want ErrForeign", err)
	}
}

func TestOverwrite(t *testing.T) {
	dir := t.TempDir()
	path, link, pipe := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "pipe")
	if err := errors.Join(os.WriteFile(path, []byte("before"), 0o600), os.Symlink(path, link), syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{link, pipe, dir, filepath.Join(dir, "none")} {
		if err := private.Overwrite(other, []byte("x")); err == nil {
			t.Errorf("Overwrite(%s) returned no error", other)
		}
	}
	if err := private.Overwrite(path, []byte("now")); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "now" {
		t.Errorf("the file has %q, %v", data, err)
	}
}

func TestReadRegular(t *testing.T) {
	dir := t.TempDir()
	path, link, pipe := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "pipe")
	if err := errors.Join(os.WriteFile(path, []byte("text"), 0o644), os.Symlink(path, link), syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, there := range []string{path, link} {
		if data, err := private.ReadRegular(there, 4); err != nil || string(data) != "text" {
			t.Errorf("ReadRegular(%s) = %q, %v", there, data, err)
		}
	}
	for _, other := range []string{pipe, "/dev/zero", dir} {
		if _, err := private.ReadRegular(other, 4); !errors.Is(err, private.ErrIrregular) {
			t.Errorf("ReadRegular(%s): %v, want ErrIrregular", other, err)
		}
	}
	if data, err := private.ReadRegular(path, 3); err == nil {
		t.Errorf("more than the limit was read: %q", data)
	}
}
