//go:build unix

package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

// A pipe without a writer would be waited for until the second Ctrl-C.
func TestNoPipeIsWaitedFor(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(LoadOptions{Path: pipe, WorkDir: dir, Environ: []string{"HOME=" + dir}})
	if want := "read configuration " + pipe + ": it is a named pipe, not a regular file"; !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	if _, err := Load(LoadOptions{Path: os.DevNull, WorkDir: dir, Environ: []string{"HOME=" + dir}}); err != nil {
		t.Errorf("%s: %v", os.DevNull, err)
	}
}
