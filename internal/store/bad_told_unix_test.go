//go:build unix

package store_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
)

func TestBadStoresAreReportedAndKept(t *testing.T) {
	if len(badStores) < 25 {
		t.Errorf("%d bad stores", len(badStores))
	}
	for name, bad := range badStores {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			bad.prepare(w)
			kind := bad.kind
			if kind == nil {
				kind = provider.ErrConfig
			}
			before := snapshot(w.dir)
			check := func(what string, err error) {
				t.Helper()
				if !errors.Is(err, kind) || !strings.Contains(err.Error(), bad.want) || !strings.Contains(provider.Hint(err), bad.hint) {
					t.Errorf("%s = %v (hint %q), want %v with %q (hint %q)", what, err, provider.Hint(err), kind, bad.want, bad.hint)
				}
				if strings.Contains(err.Error(), "secret-in-rubbish") || strings.Contains(err.Error(), "\n") {
					t.Errorf("the error of %s quotes the file, or has several lines: %v", what, err)
				}
			}
			_, err := w.program("").Load("p")
			check("Load", err)
			check("Lock", w.program("").Lock(t.Context(), "p", func(*store.Locked) error {
				t.Error("Lock returned a bad record, which could be overwritten")
				return nil
			}))
			after := snapshot(w.dir)
			isLock := func(s string) bool { return strings.Contains(s, ".lock ") } // contains its holder
			after, before = slices.DeleteFunc(after, isLock), slices.DeleteFunc(before, isLock)
			if !slices.Equal(before, after) {
				t.Errorf("files changed:\n%q\n%q", before, after)
			}
			err = w.login("", "new")
			if !bad.aside {
				check("login", err)
				return
			}
			must(t, err)
			w.wantCredential("new")
			w.wantKept(before)
		})
	}
}

// snapshot lists the name and content of everything below dir.
func snapshot(dir string) []string {
	var list []string
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		text := ""
		if d.Type().IsRegular() {
			f, err := os.Open(path)
			if err == nil {
				data, _ := io.ReadAll(f)
				text = string(data)
				f.Close()
			}
		}
		list = append(list, path+" "+text)
		return nil
	})
	return list
}

// wantKept checks that the bad file is kept under the name in the notice, readable by its
// owner alone.
func (w *world) wantKept(before []string) {
	w.t.Helper()
	bad := ""
	for _, s := range before {
		if rest, ok := strings.CutPrefix(s, w.path()+" "); ok {
			bad = rest
		}
	}
	aside, err := filepath.Glob(w.path() + ".damaged-*")
	must(w.t, err)
	if len(aside) != 1 {
		w.t.Fatalf("set aside: %q, want one file", aside)
	}
	data, err := os.ReadFile(aside[0])
	must(w.t, err)
	info, err := os.Stat(aside[0])
	must(w.t, err)
	if string(data) != bad || info.Mode().Perm() != 0o600 {
		w.t.Errorf("%s has mode %v or another content than the bad file", aside[0], info.Mode())
	}
	if len(w.notices) == 0 || !strings.Contains(w.notices[len(w.notices)-1], "is kept as "+aside[0]) {
		w.t.Errorf("notices %q", w.notices)
	}
	if list, err := w.program("").List(); err != nil || !slices.Equal(list, []string{"p"}) {
		w.t.Errorf("List = %q, %v", list, err)
	}
}

func TestBadLockFiles(t *testing.T) {
	for name, bad := range map[string]func(path string) error{
		"directory":     func(path string) error { return os.Mkdir(path, 0o700) },
		"symbolic link": func(path string) error { return os.Symlink("/etc/passwd", path) },
		"named pipe":    func(path string) error { return syscall.Mkfifo(path, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			must(t, os.MkdirAll(filepath.Dir(w.path()), 0o700))
			must(t, bad(w.path()+".lock"))
			err := w.login(store.StorageFile, "c")
			if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), "lock file "+w.path()+".lock is a "+name) {
				t.Errorf("login = %v", err)
			}
		})
	}
}

// A hint quotes a path with a space in it, so that it can be pasted.
func TestHintsAreQuoted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's here")
	s := store.New(dir)
	save(t, s, "p", func(*store.Record) {})
	must(t, os.Chmod(s.Path("p"), 0o644))
	_, err := s.Load("p")
	if want := "chmod 600 '" + strings.ReplaceAll(s.Path("p"), "'", `'\''`) + "'"; provider.Hint(err) != want {
		t.Errorf("hint %q, want %q", provider.Hint(err), want)
	}
}

// Where nothing can be written, the error says where and why, and an old credential is kept.
func TestNoPlaceToWrite(t *testing.T) {
	w := newWorld(t)
	must(t, os.WriteFile(filepath.Join(w.dir, "file"), nil, 0o600))
	s := store.New(filepath.Join(w.dir, "file", "state"))
	err := s.Lock(t.Context(), "p", func(l *store.Locked) error { return l.Save() })
	if err == nil || !strings.Contains(err.Error(), "not a directory") || strings.Contains(err.Error(), "\n") {
		t.Errorf("Lock = %v", err)
	}
}

// Arbitrary bytes never open, never panic, and aren't quoted in the error.
func FuzzSealed(f *testing.F) {
	f.Add([]byte(`{"schema_version":2,"profile":"p","key":"0011223344556677","sealed":"AAAA"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		w := newWorld(t)
		w.ring.items["p/0011223344556677"] = provider.NewSecret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
		content(string(data))(w)
		r, err := w.program("").Load("p")
		if m, metaErr := w.program("").Meta("p"); err == nil && m.Storage == store.StorageKeyring {
			t.Errorf("opened: %+v, %v", r, metaErr)
		}
	})
}
