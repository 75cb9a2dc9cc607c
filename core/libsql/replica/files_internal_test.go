//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

// What lies beside a replica in a foreign directory may be a pipe or lead to a device.
func TestWhatLiesBesideIsAFileOrNotRead(t *testing.T) {
	f := files{filepath.Join(t.TempDir(), "r.db"), provider.Target{URL: "libsql://a"}, new(anchor)}
	if err := errors.Join(syscall.Mkfifo(f.marker(), 0o600), os.Symlink("/dev/zero", f.info())); err != nil {
		t.Fatal(err)
	}
	if _, err := f.claimed(); err == nil {
		t.Error("a pipe was taken for a marker")
	}
	if _, err := f.metadata(); err == nil {
		t.Error("a device was taken for metadata")
	}
}
