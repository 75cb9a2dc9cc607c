//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// In a directory of another user, the files beside a replica may be pipes or symlinks to
// devices.
func TestOnlyRegularFilesAreRead(t *testing.T) {
	f := files{filepath.Join(t.TempDir(), "r.db"), provider.Target{URL: "libsql://a"}, new(anchor)}
	if err := errors.Join(syscall.Mkfifo(f.marker(), 0o600), os.Symlink("/dev/zero", f.info())); err != nil {
		t.Fatal(err)
	}
	if _, err := f.claimed(); err == nil {
		t.Error("a pipe was read as a marker")
	}
	if _, err := f.metadata(); err == nil {
		t.Error("a device was read as metadata")
	}
}

// The claim is not written again, since a kill or a full disk could truncate it, and it
// doesn't lose the database's ID when a caller doesn't know it.
func TestClaimIsWrittenOnce(t *testing.T) {
	f := files{filepath.Join(t.TempDir(), "r.db"), provider.Target{URL: "libsql://a", DatabaseID: "1"}, new(anchor)}
	if err := f.claim(); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour).Round(time.Second)
	if err := os.Chtimes(f.marker(), long, long); err != nil {
		t.Fatal(err)
	}
	unknown, renamed := f, f
	unknown.target.DatabaseID = ""
	renamed.target.URL = "libsql://b"
	for _, f := range []files{f, unknown} {
		if err := f.claim(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(f.marker()); err != nil || !info.ModTime().Equal(long) {
			t.Errorf("the claim was written again for %+v", f.target)
		}
	}
	if err := renamed.claim(); err != nil {
		t.Fatal(err)
	}
	if c, err := f.readClaim(); err != nil || c != (claim{"libsql://b", "1"}) {
		t.Errorf("the claim of a renamed database is %+v, %v", c, err)
	}
}
