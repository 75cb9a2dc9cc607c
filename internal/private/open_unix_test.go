//go:build unix

package private_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/zen-auth/zen/internal/private"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	own, writable := file("own", 0o644), file("writable", 0o666)
	link := filepath.Join(dir, "link")
	pipe := filepath.Join(dir, "pipe")
	if err := errors.Join(os.Symlink(own, link), syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		path string
		rule private.Rule
		want error
	}{
		"one's own":                      {path: own},
		"none":                           {path: filepath.Join(dir, "none"), want: fs.ErrNotExist},
		"others may write":               {path: writable, want: private.ErrWritable},
		"others may write, and they may": {path: writable, rule: private.Rule{Shared: true}},
		"a link":                         {path: link, want: private.ErrIrregular},
		"a link, followed":               {path: link, rule: private.Rule{Links: true}},
		"a directory":                    {path: dir, want: private.ErrIrregular},
		"a pipe that nobody writes to":   {path: pipe, want: private.ErrIrregular},
	} {
		f, err := private.Open(test.path, test.rule)
		if !errors.Is(err, test.want) || (f == nil) != (test.want != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if f != nil {
			_ = f.Close()
		}
	}
}

func TestOpenLooksAtTheOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 12345, 12345); err != nil {
		t.Skip("only root can give files away: ", err)
	}
	if _, err := private.Open(path, private.Rule{Root: true}); !errors.Is(err, private.ErrForeign) {
		t.Errorf("err = %v", err)
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
			t.Errorf("%s was written to", other)
		}
	}
	if err := private.Overwrite(path, []byte("now")); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "now" {
		t.Errorf("%q, %v", data, err)
	}
}
