package pin

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The lock file's format is stable: a file written by any version of zen is read by every
// later one, and written back unchanged.
func TestGoldenLock(t *testing.T) {
	golden, err := os.ReadFile("testdata/lock-v1.toml")
	if err != nil {
		t.Fatal(err)
	}
	sum := func(digit string, size int64) map[string]Sum {
		return map[string]Sum{"linux_amd64": {SHA256: strings.Repeat(digit, 64), Size: size}}
	}
	before := Pin{Version: "1.0.0", Source: "/home/me/zen-provider-acme", Known: Local, Platforms: sum("a", 7)}
	next := Pin{Version: "1.2.0", Source: "https://acme.example/zen-provider-acme", Known: SHA256, Platforms: sum("b", 8)}
	want := document{
		Version: lockVersion,
		Providers: map[string]Pin{"acme": {
			Version: "1.1.0", Source: "https://acme.example/zen-provider-acme.tar.gz", Known: Ed25519("0123456789abcdef"),
			Env: []string{"ACME_KEY"}, Platforms: sum("c", 9), Previous: &before, Pending: &next,
		}},
		Copies: map[string]Copy{"/opt/app/zen-provider-clerk": {Name: "clerk", Pin: Pin{Source: "/opt/app", Known: Local, Platforms: sum("d", 10)}}},
	}
	lock := NewLock(filepath.Join(t.TempDir(), "zen.lock"))
	if err := os.WriteFile(lock.Path(), golden, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := lock.load()
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("%v, load differs (-want +got):\n%s", err, diff)
	}
	if err := lock.save(got); err != nil {
		t.Fatal(err)
	}
	if written, err := os.ReadFile(lock.Path()); err != nil || !bytes.Equal(written, golden) {
		t.Errorf("%v, save wrote\n%s", err, written)
	}
}
