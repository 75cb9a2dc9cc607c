package private

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/testwait"
)

// named is nameless on a system that has no unnamed files.
func named(string, fs.FileMode) (*os.File, error) { return nil, errors.ErrUnsupported }

var ways = map[string]func(string, fs.FileMode) (*os.File, error){"nameless": nameless, "named": named}

// names returns the names in a directory.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return strings.Join(all, " ")
}

func TestReplace(t *testing.T) {
	for way, nameless := range ways {
		t.Run(way, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "a")
			for _, mode := range []fs.FileMode{0o600, 0o644, 0o600} {
				data := fmt.Sprintf("of mode %o", mode)
				if err := replace(path, []byte(data), mode, nameless); err != nil {
					t.Fatal(err)
				}
				got, err := os.ReadFile(path)
				info, statErr := os.Lstat(path)
				if err := errors.Join(err, statErr); err != nil || string(got) != data {
					t.Fatalf("the file has %q, %v", got, err)
				}
				if runtime.GOOS != "windows" && info.Mode() != mode {
					t.Errorf("mode %v, want %v", info.Mode(), mode)
				}
			}
			if got := names(t, dir); got != "a" {
				t.Errorf("left: %s", got)
			}
		})
	}
}

func TestReplaceReplacesALink(t *testing.T) {
	dir := t.TempDir()
	target, path := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(target, []byte("mine"), 0o644), os.Symlink(target, path)); err != nil {
		t.Skip(err)
	}
	if err := Replace(path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(target); err != nil || string(got) != "mine" {
		t.Errorf("the target: %q, %v", got, err)
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the link is now %v, %v, want a regular file", info, err)
	}
}

// A failed Replace leaves no files behind.
func TestReplaceFails(t *testing.T) {
	for way, nameless := range ways {
		dir := t.TempDir()
		path := filepath.Join(dir, "taken")
		if err := os.MkdirAll(filepath.Join(path, "by a directory"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := replace(path, nil, 0o600, nameless); err == nil {
			t.Errorf("%s: replacing a directory returned no error", way)
		}
		if err := replace(filepath.Join(dir, "none", "a"), nil, 0o600, nameless); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: in a missing directory: %v, want ErrNotExist", way, err)
		}
		if got := names(t, dir); got != "taken" {
			t.Errorf("%s: left: %s", way, got)
		}
	}
}

func TestReplaceSweeps(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	old := time.Now().Add(-2 * newborn)
	for name, when := range map[string]time.Time{
		".a.zen-1x": old, ".a.zen-2y": time.Now(), ".b.zen-1x": old, ".a.zen-1x.keep": old, ".a.zen-UPPER": old,
	} {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(name, nil, 0o600), os.Chtimes(name, when, when)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".a.zen-dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Replace(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); got != ".a.zen-1x.keep .a.zen-2y .a.zen-UPPER .a.zen-dir .b.zen-1x a" {
		t.Errorf("the directory has %s", got)
	}
}

// TestReplaceKilled kills a process that replaces a file at random moments: the file is
// always complete, and unfinished ones are swept.
func TestReplaceKilled(t *testing.T) {
	if path := os.Getenv("ZEN_TEST_REPLACE"); path != "" {
		for n := byte(0); ; n++ {
			if err := replace(path, bytes.Repeat([]byte{'a' + n%26}, 100_000), 0o600, ways[os.Getenv("ZEN_TEST_WAY")]); err != nil {
				panic(err)
			}
		}
	}
	for way := range ways {
		t.Run(way, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "a")
			for range 25 {
				cmd := exec.Command(os.Args[0], "-test.run=^TestReplaceKilled$")
				cmd.Env = append(os.Environ(), "ZEN_TEST_REPLACE="+path, "ZEN_TEST_WAY="+way)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				testwait.Moment(t.Context(), 5*time.Millisecond, 25*time.Millisecond)
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
				data, err := os.ReadFile(path)
				if errors.Is(err, fs.ErrNotExist) {
					continue // killed before the first replacement
				}
				if err != nil || len(data) != 100_000 || !bytes.Equal(data, bytes.Repeat(data[:1], len(data))) {
					t.Fatalf("%d bytes, %v", len(data), err)
				}
			}
			t.Logf("left by kills: %s", names(t, dir))
			sweep(dir, "a", time.Now().Add(newborn))
			if got := names(t, dir); got != "a" && got != "" {
				t.Errorf("left: %s", got)
			}
		})
	}
}

func TestReplaceByMany(t *testing.T) {
	for way, nameless := range ways {
		path := filepath.Join(t.TempDir(), "a")
		var group sync.WaitGroup
		for n := range 8 {
			group.Go(func() {
				for range 20 {
					if err := replace(path, bytes.Repeat([]byte{byte('a' + n)}, 1000), 0o600, nameless); err != nil {
						t.Errorf("%s: %v", way, err)
					}
				}
			})
		}
		group.Wait()
		if data, err := os.ReadFile(path); err != nil || len(data) != 1000 {
			t.Errorf("%s: %d bytes, %v", way, len(data), err)
		}
	}
}
