package pin_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/host/pin"
)

func TestInstallation(t *testing.T) {
	state, dir := filepath.Join(t.TempDir(), "state"), t.TempDir()
	if got := pin.Installation(state); got != "" {
		t.Errorf("without a record: %q", got)
	}
	if err := pin.RecordInstallation(state, "relative"); err == nil {
		t.Error("a relative path was recorded")
	}
	if err := pin.RecordInstallation(state, dir); err != nil {
		t.Fatal(err)
	}
	record := filepath.Join(state, "installation.toml")
	for name, test := range map[string]struct {
		change func() error
		counts bool
	}{
		"as it was written":    {func() error { return nil }, true},
		"others may write":     {func() error { return os.Chmod(record, 0o666) }, false},
		"the group may write":  {func() error { return os.Chmod(record, 0o660) }, false},
		"mode 0600 again":      {func() error { return os.Chmod(record, 0o600) }, true},
		"a damaged record":     {func() error { return os.WriteFile(record, []byte("directory = "), 0o600) }, false},
		"a relative directory": {func() error { return os.WriteFile(record, []byte("directory = \"bin\""), 0o600) }, false},
		"missing directory":    {func() error { return os.WriteFile(record, []byte("directory = \"/nonexistent\""), 0o600) }, false},
	} {
		if runtime.GOOS == "windows" {
			t.Skip("Windows has no such modes")
		}
		if err := os.Chmod(record, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(record, []byte("directory = \""+dir+"\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := test.change(); err != nil {
			t.Fatal(err)
		}
		want := ""
		if test.counts {
			want = dir
		}
		if got := pin.Installation(state); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if err := os.Remove(record); err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "record")
	if err := os.WriteFile(elsewhere, []byte("directory = \""+dir+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, record); err != nil {
		t.Skip(err)
	}
	if got := pin.Installation(state); got != "" {
		t.Error("a symbolic link is accepted as a record")
	}
	if err := os.Remove(record); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(record, []byte("directory = \""+dir+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(record, 12345, 12345); err != nil {
		t.Skip("only root can change a file's owner: ", err)
	}
	if got := pin.Installation(state); got != "" {
		t.Error("another user's record is accepted")
	}
}

// The copy that came with zen may run in programs that know no checksums, beside a pinned one
// of the same name. Each pin covers one path and its bytes.
func TestPinsCoverBothCopies(t *testing.T) {
	lock := pin.NewLock(filepath.Join(t.TempDir(), "zen.lock"))
	installed := host.Binary{Name: "clerk", Path: "/data/zen-provider-clerk", SHA256: "aa"}
	beside := filepath.Join(t.TempDir(), "zen-provider-clerk")
	if err := os.WriteFile(beside, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	bundled := host.Binary{Name: "clerk", Path: beside, SHA256: "bb"}
	if err := lock.Set(t.Context(), installed, pin.Pin{Source: "/dist", Known: pin.SHA256}); err != nil {
		t.Fatal(err)
	}
	zen := &pin.Policy{Bundled: map[string]string{"clerk": "bb"}, Lock: lock}
	application := &pin.Policy{Lock: lock, ByPath: true}
	if err := application.Trust(t.Context(), bundled); err == nil {
		t.Fatal("Trust accepted a copy that zen never ran")
	}
	if err := zen.Trust(t.Context(), bundled); err != nil {
		t.Fatal(err)
	}
	for _, b := range []host.Binary{installed, bundled} {
		if err := application.Trust(t.Context(), b); err != nil {
			t.Errorf("%s: %v", b.Path, err)
		}
	}
	for name, b := range map[string]host.Binary{
		"other bytes":                     {Name: "clerk", Path: beside, SHA256: "cc"},
		"another place":                   {Name: "clerk", Path: "/tmp/zen-provider-clerk", SHA256: "bb"},
		"another provider's name":         {Name: "auth0", Path: beside, SHA256: "bb"},
		"neither the bytes nor the place": {Name: "clerk", Path: "/tmp/zen-provider-clerk", SHA256: "dd"},
	} {
		if err := application.Trust(t.Context(), b); err == nil {
			t.Errorf("%s: Trust returned no error", name)
		}
	}
	// Pinning by name leaves the copies' pins alone.
	if err := lock.Set(t.Context(), installed, pin.Pin{Source: "/dist", Known: pin.SHA256}); err != nil {
		t.Fatal(err)
	}
	if err := application.Trust(t.Context(), bundled); err != nil {
		t.Error(err)
	}
}
