package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

func TestFailuresAreKeptUntilTheCommandSucceeds(t *testing.T) {
	dir := t.TempDir()
	s := New(dir)
	now := time.Date(2026, 1, 3, 3, 33, 0, 0, time.UTC)
	note := func(profile, command string, err error) {
		t.Helper()
		if err := s.NoteFailure(profile, command, err, now); err != nil {
			t.Fatal(err)
		}
	}
	note("default", "login", nil)
	if _, err := os.Stat(filepath.Join(dir, "profiles")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a successful command left files: %v", err)
	}
	note("default", "login", &provider.Error{Kind: provider.ErrConfig, Message: "no refresh\ntoken", Hint: "allow it"})
	note("default", "team", errors.New("else"))
	note("other", "login", provider.ErrUnavailable)
	got := s.Failures("default")
	if f := got["login"]; len(got) != 2 || f.Time != now || f.Kind() != provider.ErrConfig || f.Message != "no refresh token" || f.Hint != "allow it" {
		t.Errorf("Failures = %+v", got)
	}
	if f := got["team"]; f.Kind() != nil {
		t.Errorf("the failure of team = %+v", f)
	}
	path := filepath.Join(dir, "profiles", "default.failed")
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	if names, err := s.List(); err != nil || len(names) != 0 {
		t.Errorf("List = %v, %v, want no profile for a failure", names, err)
	}
	note("default", "login", nil)
	if got := s.Failures("default"); len(got) != 1 {
		t.Errorf("Failures after a success = %+v, want one", got)
	}
	if err := s.Delete(context.Background(), "default"); err != nil || len(s.Failures("default")) != 0 {
		t.Errorf("after Delete: %v, %+v", err, s.Failures("default"))
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil || len(s.Failures("default")) != 0 {
		t.Errorf("with a damaged file: %v, %+v", err, s.Failures("default"))
	}
	m := NewMemory()
	if err := m.NoteFailure("default", "login", provider.ErrConfig, now); err != nil || len(m.Failures("default")) != 0 {
		t.Errorf("%v: a store without files kept a failure", err)
	}
}
