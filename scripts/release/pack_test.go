package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPackTwice packs the same files from two directories, in two orders, with other
// modes and times, and wants the same bytes.
func TestPackTwice(t *testing.T) {
	made := time.Date(2026, 11, 30, 14, 36, 38, 0, time.UTC)
	for name, write := range map[string]func(io.Writer, string, []file, time.Time) error{"tar": writeTar, "zip": writeZip} {
		var packed [2]bytes.Buffer
		for i, mode := range []os.FileMode{0o600, 0o755} {
			dir := t.TempDir()
			var files []file
			for _, name := range []string{"zen", "LICENSE", "completion/zen.bash"} {
				path := filepath.Join(dir, filepath.Base(name))
				if err := os.WriteFile(path, []byte(name), mode); err != nil {
					t.Fatal(err)
				}
				if err := os.Chtimes(path, made, made.Add(time.Duration(i)*time.Hour)); err != nil {
					t.Fatal(err)
				}
				files = append(files, file{name: name, path: path, mode: 0o755})
			}
			at := made
			if i == 1 {
				slices.Reverse(files)
				at = made.In(time.FixedZone("elsewhere", 3600))
			}
			if err := write(&packed[i], "zen-v0.1.0", files, at); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(packed[0].Bytes(), packed[1].Bytes()) {
			t.Errorf("%s: two archives of the same files differ", name)
		}
	}
}

func TestParseTarget(t *testing.T) {
	for name, want := range map[string]target{"linux/arm64": {"linux", "arm64", false}, "linux/amd64/static": {"linux", "amd64", true}} {
		if got, err := parseTarget(name); err != nil || got != want {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
	for _, bad := range []string{"", "linux", "linux/", "/arm64", "linux/amd64/", "linux/amd64/small"} {
		if _, err := parseTarget(bad); err == nil {
			t.Errorf("%q is a target", bad)
		}
	}
}

// TestUnpackWhatTheSumsSay wants an archive that was changed, or that no sum is known of,
// to stay packed.
func TestUnpackWhatTheSumsSay(t *testing.T) {
	r := release{out: t.TempDir(), made: time.Unix(1, 0)}
	path := filepath.Join(r.out, "zen-v0.1.0-linux-amd64.tar.gz")
	var packed bytes.Buffer
	if err := writeTar(&packed, "zen-v0.1.0-linux-amd64", []file{{name: "zen", content: []byte("zen"), mode: 0o755}}, r.made); err != nil {
		t.Fatal(err)
	}
	unpack := func(content []byte) (left []os.DirEntry, err error) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		stage := t.TempDir()
		_, err = r.unpack(stage, target{"linux", "amd64", false})
		left, failed := os.ReadDir(stage)
		if failed != nil {
			t.Fatal(failed)
		}
		return left, err
	}
	if left, err := unpack(packed.Bytes()); err == nil || len(left) > 0 {
		t.Errorf("without sums: %v, left %v", err, left)
	}
	if err := writeSums(r.out, "v0.1.0"); err != nil {
		t.Fatal(err)
	}
	if left, err := unpack(packed.Bytes()); err != nil || len(left) != 1 {
		t.Errorf("as it was: %v, left %v", err, left)
	}
	changed := bytes.Clone(packed.Bytes())
	changed[len(changed)/2] ^= 1
	left, err := unpack(changed)
	if err == nil || len(left) > 0 || !strings.Contains(err.Error(), "is not what SHA256SUMS says") || strings.Contains(err.Error(), "\n") {
		t.Errorf("changed: %v, left %v", err, left)
	}
	if err := os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(digest(packed.Bytes())+"  zen-v0.1.0-linux-arm64.tar.gz\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if left, err := unpack(packed.Bytes()); err == nil || len(left) > 0 || !strings.Contains(err.Error(), "has no sum of") {
		t.Errorf("another's sum: %v, left %v", err, left)
	}
}
