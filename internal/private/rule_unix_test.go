//go:build unix

package private

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte(name), mode), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := filepath.Join(dir, "link")
	pipe := filepath.Join(dir, "pipe")
	if err := errors.Join(os.Symlink(file("target", 0o600), link), syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path            string
		secret, trusted string
	}{
		{file("600", 0o600), "", ""},
		{file("400", 0o400), "", ""},
		{file("644", 0o644), "others can read it (mode 0644)", ""},
		{file("620", 0o620), "others may write to it (mode 0620)", "others may write to it (mode 0620)"},
		{file("666", 0o666), "others may write to it (mode 0666)", "others may write to it (mode 0666)"},
		{link, "it is a symbolic link, not a regular file", "it is a symbolic link, not a regular file"},
		{pipe, "it is a named pipe, not a regular file", "it is a named pipe, not a regular file"},
		{dir, "it is a directory, not a regular file", "it is a directory, not a regular file"},
	} {
		for name, rule := range map[string]Rule{"secret": Secret, "trusted": Trusted} {
			want := c.secret
			if name == "trusted" {
				want = c.trusted
			}
			f, err := rule.Open(c.path, os.O_RDONLY)
			if err == nil {
				f.Close()
			}
			var fault *Fault
			if (err == nil) != (want == "") || err != nil && (!errors.As(err, &fault) || err.Error() != want) {
				t.Errorf("%s of %s: %v, want %q", name, c.path, err, want)
			}
		}
	}
	if _, err := Secret.Open(filepath.Join(dir, "none"), os.O_RDONLY); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v, want ErrNotExist", err)
	}
	made, err := Secret.Open(filepath.Join(dir, "made"), os.O_WRONLY|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	if info, err := made.Stat(); err != nil || info.Mode() != 0o600 {
		t.Errorf("created with mode %v, %v", info.Mode(), err)
	}
}

// foreign is a file that belongs to another user.
type foreign struct {
	fs.FileInfo
	uid uint32
}

func (f foreign) Sys() any { return &syscall.Stat_t{Uid: f.uid} }

func TestForeign(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	me := uint32(os.Geteuid())
	for _, c := range []struct {
		rule Rule
		uid  uint32
		want string
	}{
		{Secret, me, ""}, {Trusted, me, ""}, {Trusted, 0, ""},
		{Secret, me + 1, "it belongs to user "}, {Trusted, me + 1, "it belongs to user "},
	} {
		err := c.rule.CheckInfo(foreign{info, c.uid})
		if (err == nil) != (c.want == "") {
			t.Errorf("%+v of user %d: %v", c.rule, c.uid, err)
		}
	}
	if me != 0 {
		if err := Secret.CheckInfo(foreign{info, 0}); err == nil {
			t.Error("a secret that belongs to root is accepted")
		}
	}
}
